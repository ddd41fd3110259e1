package link

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// TestDrainWithinAPayload drains while the rest of a response's last payload has not arrived.
func TestDrainWithinAPayload(t *testing.T) {
	l, plugin := speaking(t, func(error, []byte) error { return io.ErrUnexpectedEOF })
	exchange, err := l.Open(t.Context(), &pluginv1.Request{Method: "GET", Scheme: "http", Target: "/"}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	response := &pluginv1.Frame_Response{Response: &pluginv1.Response{Status: 200}}
	head := encode(t, &pluginv1.Frame{StreamId: 1, Body: response})
	half := bytes.Repeat([]byte("x"), 100)
	say(t, plugin, head, wire.AppendDataHead(nil, 1, 2*len(half), true), half)
	if _, err := io.ReadFull(exchange, make([]byte, len(half))); err != nil {
		t.Fatal(err)
	}
	drained := make(chan struct{})
	go func() {
		l.Drain(t.Context(), errors.New("closed"))
		close(drained)
	}()
	for waits := false; !waits; runtime.Gosched() {
		select {
		case <-drained:
			t.Fatal("Drain did not wait for the rest")
		default:
		}
		l.mu.Lock()
		waits = len(l.forSlots) > 0
		l.mu.Unlock()
	}
	say(t, plugin, half)
	if rest, err := io.ReadAll(exchange); err != nil || !bytes.Equal(rest, half) {
		t.Errorf("%q, %v", rest, err)
	}
	<-drained
}

func say(t *testing.T, plugin io.Writer, frames ...[]byte) {
	if _, err := plugin.Write(join(frames...)); err != nil {
		t.Fatal(err)
	}
}

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
