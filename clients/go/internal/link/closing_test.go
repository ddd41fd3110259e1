package link

import (
	"errors"
	"runtime"
	"testing"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// TestDeathBeforeClosing has a request wait for its turn while the plugin dies and is then closed, to be replaced: the
// request is told of the death.
func TestDeathBeforeClosing(t *testing.T) {
	l := answered(t, nil)
	if err := l.out.acquire(false, nil); err != nil {
		t.Fatal(err)
	}
	failed := make(chan error)
	go func() {
		_, err := l.Open(t.Context(), &pluginv1.Request{Method: "GET", Scheme: "http", Target: "/"}, nil, true)
		failed <- err
	}()
	for waiting := 0; waiting == 0; runtime.Gosched() {
		l.out.mu.Lock()
		waiting = len(l.out.small)
		l.out.mu.Unlock()
	}
	died := errors.New("the plugin ended with exit status 3")
	l.mu.Lock()
	l.err, l.closing = died, errors.New("the plugin was replaced")
	l.mu.Unlock()
	l.out.fail(died)
	if err := <-failed; !errors.Is(err, died) {
		t.Error(err)
	}
}
