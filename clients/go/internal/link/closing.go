package link

import (
	"context"
	"errors"
	"io"
	"time"

	"udist.dev/plugin/udist/internal/wire"
)

// unread is how long draining waits, without a frame or content being read, for streams that nobody reads.
const unread = 500 * time.Millisecond

// Drain opens no more streams, and waits for the open ones while somebody reads them; those that are left,
// or left when ctx ends, are given up. Whoever wanted one gets cause.
func (l *Link) Drain(ctx context.Context, cause error) {
	l.mu.Lock()
	if l.over { // why is being found out; that is what the open exchanges are to be told
		l.wait(&waiter{}, func() bool { return l.err != nil })
	}
	if l.closing == nil {
		l.closing = cause
	}
	for !l.conn.Idle() && l.err == nil && ctx.Err() == nil {
		frames, consumed := l.frames, l.conn.Consumed()
		patient, cancel := context.WithTimeout(ctx, unread)
		w := &waiter{}
		l.forSlots = append(l.forSlots, w)
		err := l.waitContext(patient, w, l.conn.Idle)
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

var errInputClosed = errors.New("the plugin's input was closed")

// CloseInput ends the plugin's input, once nobody writes: false if somebody still does when ctx ends.
func (l *Link) CloseInput(ctx context.Context) bool {
	if l.out.acquire(false, ctx.Done()) != nil {
		return false
	}
	l.out.fail(errInputClosed)
	l.out.sink.close()
	return true
}

// lingering bounds the reading of what a plugin that has ended has left: another process may go on writing.
const lingering = 2 * time.Second

// AwaitEnd reads until the plugin has ended its output, or broken the protocol, or the link has failed. If
// the plugin has ended, its output ends where nothing more is there to read: another process may hold it open.
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

// lastWords is how long to wait for more from a plugin that reads no more: what it said before may be an
// answer.
const lastWords = 5 * time.Second

// writerFailed waits for the end of the plugin's output, which tells why, but not for long.
func (l *Link) writerFailed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || l.closing != nil {
		return
	}
	time.AfterFunc(lastWords, func() { l.endBy(&StuckError{err}) })
}

// Close gives the pipes back. After Fail.
func (l *Link) Close() {
	l.in.pipe.close()
	l.out.sink.close()
	l.stages.close()
}
