package udist_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

// do makes an exchange by way of the plugin's RoundTripper.
func do(
	ctx context.Context, t testing.TB, plugin *udist.Plugin, method, path string, body io.Reader,
) (*http.Response, error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, "http://registry.example:5000"+path, body)
	if err != nil {
		t.Fatal(err)
	}
	return plugin.RoundTripper().RoundTrip(request)
}

// TestEarlyAnswer gets its 413 while a gibibyte is being pushed, of which little is read.
func TestEarlyAnswer(t *testing.T) {
	for name, config := range map[string]udist.Config{"real": inFolder(t), "fake": {Command: fake(t)}} {
		t.Run(name, func(t *testing.T) {
			plugin := spawn(t, config)
			path := map[string]string{"real": "/v2/large/manifests/latest", "fake": "/early"}[name]
			var read atomic.Int64
			body := io.TeeReader(io.LimitReader(zeros{}, 1<<30), counter{&read})
			response, err := do(deadline(t, 20*time.Second), t, plugin, http.MethodPut, path, body)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge || len(text) == 0 {
				t.Errorf("%s: %q, %v", response.Status, text, err)
			}
			_ = response.Body.Close()
			noGoroutineButThePluginsIsLeft(t)
			if read.Load() > 64<<20 {
				t.Errorf("%d bytes were read", read.Load())
			}
		})
	}
}

type counter struct{ count *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.count.Add(int64(len(p)))
	return len(p), nil
}

// noGoroutineButThePluginsIsLeft waits for the end of everything that requests began.
func noGoroutineButThePluginsIsLeft(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		left := slices.DeleteFunc(ourGoroutines(), func(stack string) bool {
			return strings.Contains(stack, "internal/child.") || strings.Contains(stack, "(*session).spawn.func")
		})
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("goroutines left:\n%s", strings.Join(left, "\n\n"))
		}
	}
}

// TestEarlyAnswerToABlockedBody must not wait for a body that gives nothing.
func TestEarlyAnswerToABlockedBody(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	body := newBlocking("some")
	response, err := do(deadline(t, 20*time.Second), t, plugin, http.MethodPut, "/early", body)
	if err != nil || response.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatalf("%v, %v", response, err)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Error(err)
	}
	within(t, body.closed, "closing the body")
	noGoroutineButThePluginsIsLeft(t)
}

func TestCancel(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(3, 4<<20)
	digest := digestOf(content)
	if err := push(plugin, "cancel", digest, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	// More often than there are slots: each must come back.
	for range 150 {
		ctx, cancel := context.WithCancel(t.Context())
		response, err := do(ctx, t, plugin, http.MethodGet, "/v2/cancel/blobs/"+digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(response.Body, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, context.Canceled) {
			t.Fatalf("%v, want context.Canceled", err)
		}
		_ = response.Body.Close()
	}
	for range 150 {
		response, err := do(t.Context(), t, plugin, http.MethodGet, "/v2/cancel/blobs/"+digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if _, err := response.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
			t.Fatalf("%v after Close", err)
		}
	}
	if got, err := pull(plugin, "cancel", digest, readers["WriteTo"]); err != nil || got != digest {
		t.Errorf("%s, %v, want %s", got, err, digest)
	}
	noGoroutineButThePluginsIsLeft(t)
}

// TestCancelledBody ends a request whose body gives nothing.
func TestCancelledBody(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	ctx, cancel := context.WithCancel(t.Context())
	body := newBlocking("{")
	body.empty = cancel
	_, err := do(ctx, t, plugin, http.MethodPut, "/v2/cancel/manifests/latest", body)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	within(t, body.closed, "closing the body")
	noGoroutineButThePluginsIsLeft(t)
	cause := errors.New("a cause")
	caused, cancelWith := context.WithCancelCause(t.Context())
	cancelWith(cause)
	if _, err := do(caused, t, plugin, http.MethodGet, "/v2/", nil); !errors.Is(err, cause) {
		t.Errorf("%v before it began, want the cause", err)
	}
}

// TestBodyFails gives back what the body's Read says.
func TestBodyFails(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	failure := errors.New("the disk is on fire")
	body := io.MultiReader(strings.NewReader("{"), failing{failure})
	_, err := do(t.Context(), t, plugin, http.MethodPut, "/v2/fails/manifests/latest", body)
	if !errors.Is(err, failure) {
		t.Errorf("%v, want %v", err, failure)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestSlots has more requests at once than the plugin has slots.
func TestSlots(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	var closes []func() error
	for range 64 {
		response, err := do(t.Context(), t, plugin, http.MethodPost, "/echo", newBlocking("a"))
		if err != nil {
			t.Fatal(err)
		}
		closes = append(closes, response.Body.Close)
	}
	ctx := deadline(t, 100*time.Millisecond)
	if _, err := do(ctx, t, plugin, http.MethodGet, "/fields", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want no slot before the deadline", err)
	}
	for _, closeBody := range closes {
		_ = closeBody()
	}
}

// TestStandBy fills both pipes while nobody waits for an answer: somebody must read nevertheless.
func TestStandBy(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	ctx := deadline(t, 20*time.Second)
	start := make(chan struct{})
	finished := make(chan struct{}, 8)
	var responses []*http.Response
	for range 8 {
		body := &gated{start: start, left: 256 << 10, finished: finished}
		response, err := do(ctx, t, plugin, http.MethodPost, "/stuck", body)
		if err != nil {
			t.Fatal(err)
		}
		responses = append(responses, response)
	}
	close(start)
	for range 8 {
		select {
		case <-finished:
		case <-ctx.Done():
			t.Fatal("the bodies are not read to their ends")
		}
	}
	for _, response := range responses {
		if n, err := io.Copy(io.Discard, response.Body); err != nil || n != 256<<10 {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
}

// gated gives zeros once it may.
type gated struct {
	start    chan struct{}
	left     int
	finished chan struct{}
}

func (g *gated) Read(p []byte) (int, error) {
	<-g.start
	if g.left == 0 {
		g.finished <- struct{}{}
		return 0, io.EOF
	}
	n := min(len(p), g.left)
	g.left -= n
	return n, nil
}
