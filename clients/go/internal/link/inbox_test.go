package link

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// TestManySmallPayloads keeps what comes in many small frames that are not canonical, and so are read whole, in
// little more memory than it has bytes.
func TestManySmallPayloads(t *testing.T) {
	l := answered(t, nil)
	exchange := openedOn(t, l)
	want := bytes.Repeat([]byte("x"), 3*smallestChunk/2)
	id := exchange.stream.ID
	l.mu.Lock()
	err := l.takeIn(&pluginv1.Frame{StreamId: id, Body: &pluginv1.Frame_Response{Response: &pluginv1.Response{Status: 200}}})
	for i := 0; i < len(want) && err == nil; i++ {
		err = l.takeIn(&pluginv1.Frame{StreamId: id, Body: &pluginv1.Frame_Data{Data: want[i : i+1]}})
	}
	kept := len(exchange.chunks)
	l.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if kept != 2 {
		t.Errorf("%d bytes are kept in %d buffers", len(want), kept)
	}
	for len(want) > 0 {
		var b [10_000]byte
		n, err := exchange.Read(b[:])
		if err != nil || !bytes.HasPrefix(want, b[:n]) {
			t.Fatalf("%d bytes: %v", n, err)
		}
		want = want[n:]
	}
}

// TestDrainAfterTheEnd tells exchanges why their plugin has ended, not that somebody has begun to replace it.
func TestDrainAfterTheEnd(t *testing.T) {
	why := errors.New("the plugin ended with exit status 3")
	explain := make(chan struct{})
	l := linked(t, nil, func(error, []byte) error {
		<-explain
		return why
	})
	exchange := openedOn(t, l)
	l.endBy(nil)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	drained := make(chan struct{})
	go func() {
		l.Drain(done, errors.New("the link was closed"))
		close(drained)
	}()
	select {
	case <-drained:
		t.Error("drained before the end was explained")
	case <-time.After(50 * time.Millisecond):
	}
	close(explain)
	if _, err := exchange.Head(); !errors.Is(err, why) {
		t.Error(err)
	}
	<-drained
}

func openedOn(t *testing.T, l *Link) *Exchange {
	t.Helper()
	exchange, err := l.Open(t.Context(), &pluginv1.Request{Method: "GET", Scheme: "http", Target: "/"}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	return exchange
}
