package udist_test

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

// TestRequestsBesideDeath kills plugin after plugin under many requests: each of them succeeds or is told of a death,
// and none that the plugin was closed.
func TestRequestsBesideDeath(t *testing.T) {
	beside(t, func(plugin *udist.Plugin) {
		before := plugin.PID()
		kill(t, before)
		for end := time.Now().Add(20 * time.Second); plugin.PID() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("not replaced within 20 s")
			}
		}
	}, func(err error) bool { return errors.Is(err, udist.ErrDied) })
}

// TestRequestsBesideReplacement has plugin after plugin go away: requests go to the next, unless they were refused.
func TestRequestsBesideReplacement(t *testing.T) {
	beside(t, func(plugin *udist.Plugin) {
		if _, err := do(t.Context(), t, plugin, http.MethodPost, "/go-away", nil); err == nil {
			t.Error("going away was answered")
		}
	}, func(err error) bool {
		var told *udist.Error
		return errors.As(err, &told) && told.Retryable && !errors.Is(err, udist.ErrClosed)
	})
}

// beside replaces a plugin ten times while requests go on, whose errors must be as expected.
func beside(t *testing.T, replace func(*udist.Plugin), expected func(error) bool) {
	plugin := spawn(t, udist.Config{
		Command: fake(t), Restart: &udist.RestartPolicy{Max: 1000, Interval: time.Minute},
	})
	ended := make(chan struct{})
	var requests sync.WaitGroup
	for range 8 {
		requests.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				response, err := do(t.Context(), t, plugin, http.MethodGet, "/fields", nil)
				if err == nil {
					err = response.Body.Close()
				}
				if err != nil && !expected(err) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	for range 10 {
		replace(plugin)
	}
	close(ended)
	requests.Wait()
}

// TestWaitingBesideDeath has a request wait for a slot of a plugin that dies: the next one serves it.
func TestWaitingBesideDeath(t *testing.T) {
	plugin := spawn(t, udist.Config{
		Command: fake(t), Restart: &udist.RestartPolicy{Max: 1, Interval: time.Minute},
	})
	for range 64 {
		if _, err := do(t.Context(), t, plugin, http.MethodPost, "/echo", newBlocking("some")); err != nil {
			t.Fatal(err)
		}
	}
	failed := make(chan error)
	go func() {
		_, err := do(deadline(t, 20*time.Second), t, plugin, http.MethodPost, "/fields", nil)
		failed <- err
	}()
	for !strings.Contains(strings.Join(ourGoroutines(), ""), "awaitSlot") {
		runtime.Gosched()
	}
	kill(t, plugin.PID())
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// TestUnendedBesideReplacement gives up a response that does not go on when its plugin is replaced, and says so.
func TestUnendedBesideReplacement(t *testing.T) {
	plugin := spawn(t, udist.Config{
		Command: fake(t), Restart: &udist.RestartPolicy{Max: 1, Interval: time.Minute},
	})
	first := plugin.PID()
	unended, err := do(t.Context(), t, plugin, http.MethodPost, "/echo", newBlocking("some"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := do(t.Context(), t, plugin, http.MethodPost, "/go-away", nil); !errors.Is(err, udist.ErrReset) {
		t.Errorf("%v, want a refusal", err)
	}
	if _, err := do(t.Context(), t, plugin, http.MethodGet, "/fields", nil); err != nil || plugin.PID() == first {
		t.Errorf("%v from %d, want an answer of a new plugin", err, plugin.PID())
	}
	content, err := io.ReadAll(unended.Body)
	if !errors.Is(err, udist.ErrGoingAway) || string(content) != "some" {
		t.Errorf("%q, %v, want that the plugin was replaced", content, err)
	}
}
