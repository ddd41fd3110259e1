package link

import (
	"context"
	"errors"
	"io"
	"time"

	"udist.dev/plugin/udist/internal/wire"
)

// unread is how long Drain waits for open streams while no frame arrives and nobody reads content.
const unread = 500 * time.Millisecond

// Drain opens no more streams, and waits for the open ones as long as they are being read, until ctx ends. It cancels
// the remaining ones with cause, which is also the error of requests for new streams.
func (l *Link) Drain(ctx context.Context, cause error) {
	l.mu.Lock()
	if l.over { // wait for the reason, which is the error of the open exchanges
		l.wait(&waiter{}, func() bool { return l.err != nil })
	}
	if l.closing == nil {
		l.closing = cause
	}
	for !l.drained() && l.err == nil && ctx.Err() == nil {
		frames, consumed := l.frames, l.conn.Consumed()
		patient, cancel := context.WithTimeout(ctx, unread)
		w := &waiter{}
		l.forSlots = append(l.forSlots, w)
		err := l.waitContext(patient, w, l.drained)
		l.noSlotFor(w)
		cancel()
		if err != nil && l.frames == frames && l.conn.Consumed() == consumed {
			break
		}
	}
	var left []*Exchange
	if l.err == nil {
		l.conn.Streams(func(stream *wire.Stream) { left = append(left, stream.Owner.(*Exchange)) })
	}
	l.mu.Unlock()
	for _, exchange := range left {
		exchange.Cancel(cause)
	}
}

// drained reports whether no stream is open, and all of the last payload, whose head closed its stream, has arrived.
// Call it with mu locked.
func (l *Link) drained() bool { return l.conn.Idle() && (l.current == nil || l.pending == 0) }

var errInputClosed = errors.New("the plugin's input was closed")

// CloseInput closes the plugin's input once nobody is writing. It returns false if ctx ends first.
func (l *Link) CloseInput(ctx context.Context) bool {
	if l.out.acquire(false, ctx.Done()) != nil {
		return false
	}
	l.out.fail(errInputClosed)
	l.out.sink.close()
	return true
}

// lingering limits how long the rest of the output of a plugin that has exited is read: another process may keep
// writing to it.
const lingering = 2 * time.Second

// AwaitEnd reads until the plugin has closed its output or violated the protocol, or the link has failed. If ended is
// true, the plugin has exited, and AwaitEnd reads only what is left in the pipe: another process may keep it open.
func (l *Link) AwaitEnd(ended bool) {
	if ended {
		l.in.pipe.end()
		defer time.AfterFunc(lingering, func() { l.endBy(io.EOF) }).Stop()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if ended {
		l.disturb()
	}
	l.wait(&waiter{}, func() bool { return l.err != nil })
}

// lastWords is how long a plugin that has stopped reading may still send something, such as a response.
const lastWords = 5 * time.Second

// writerFailed allows the plugin to close its output, which gives the reason, but not for long.
func (l *Link) writerFailed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || l.closing != nil {
		return
	}
	time.AfterFunc(lastWords, func() { l.endBy(&StuckError{err}) })
}

// Close closes the pipes. Call it after Fail.
func (l *Link) Close() {
	l.in.pipe.close()
	l.out.sink.close()
	l.stages.close()
}
