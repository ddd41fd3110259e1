package link

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// Link is one connection to a plugin.
type Link struct {
	options Options
	out     *output
	stages  stages

	mu        sync.Mutex
	conn      *wire.Connection
	in        input
	leading   bool // somebody reads
	over      bool // nobody may read any more
	disturbed bool // the reader was told to look up
	waiting   []*waiter
	current   *Exchange // whose payload is under way, nil if it is dropped
	pending   int       // bytes of it still to come
	dropped   []byte
	blocked   int     // writers that wait for room
	standing  *waiter // a goroutine reads because of them
	forSlots  []*waiter
	frames    int
	closing   bool
	flushing  bool
	err       error
}

// Options are what a link asks of whoever made it.
type Options struct {
	// Memory bounds what response windows may grow to, all together, in bytes.
	Memory int
	// Ended says why the link is over, and is called once, in a goroutine of its own. The cause is nil when
	// the plugin has ended its output, a *GoAwayError when it has refused to start, and a
	// *wire.ConnectionError, with the bytes that stood where a frame should, when it broke the protocol.
	Ended func(cause error, text []byte) error
}

// New is a link that reads from source and writes to sink, the parent's ends of a child's pipes.
func New(source, sink *os.File, options Options) (*Link, error) {
	l := &Link{options: options, conn: wire.NewConnection(options.Memory)}
	l.out = &output{control: l.takeControl, blocked: l.writerBlocked, failed: l.writerFailed}
	if err := errors.Join(l.in.pipe.open(source), l.out.sink.open(sink)); err != nil {
		return nil, err
	}
	if !canInterrupt {
		go l.readAlways()
	}
	return l, nil
}

// waiter is a goroutine's place to sleep at. Its gate gets a token whenever it is taken from the list.
type waiter struct {
	gate   chan struct{}
	listed bool
}

// wait returns once ready, reading frames meanwhile if nobody else does. ready must be true once the link
// has failed. Under mu.
func (l *Link) wait(w *waiter, ready func() bool) {
	for !ready() {
		if l.leading || l.over {
			l.follow(w)
		} else {
			l.lead(ready)
		}
	}
	l.passOn()
}

// follow sleeps until woken, for an event of one's own or to take the role. Under mu.
func (l *Link) follow(w *waiter) {
	if w.gate == nil {
		w.gate = make(chan struct{}, 1)
	}
	w.listed = true
	l.waiting = append(l.waiting, w)
	l.mu.Unlock()
	<-w.gate
	l.mu.Lock()
}

// wake lets w look again. Under mu.
func (l *Link) wake(w *waiter) {
	if w.listed {
		l.waiting = slices.DeleteFunc(l.waiting, func(other *waiter) bool { return other == w })
		w.listed = false
		w.gate <- struct{}{}
	}
}

// passOn gives the role, if it is free, to somebody who waits. Under mu.
func (l *Link) passOn() {
	switch {
	case l.leading || l.over:
	case len(l.waiting) > 0:
		l.wake(l.waiting[0])
	case l.blocked > 0:
		l.standBy()
	}
}

// lead reads until ready. Under mu, which is let go of for every read.
func (l *Link) lead(ready func() bool) {
	l.leading = true
	for !l.over && !ready() {
		if err := l.step(); err != nil {
			l.end(err)
		}
	}
	l.leading = false
}

// step takes in a frame, or a piece of a payload. Under mu, which is let go of for the read.
func (l *Link) step() error {
	if l.pending > 0 {
		return l.readPayload()
	}
	l.mu.Unlock()
	head, message, err := l.in.next()
	var frame *pluginv1.Frame
	if err == nil && message != nil {
		frame, err = wire.Decode(message)
	}
	l.mu.Lock()
	switch {
	case errors.Is(err, errInterrupted):
		l.calm()
		return nil
	case err != nil:
		return err
	case frame == nil:
		err = l.takeData(head)
	default:
		err = l.takeIn(frame)
	}
	l.frames++
	l.wakeForSlot()
	return err
}

// end lets nobody read any more, and finds out what the end means. Under mu.
func (l *Link) end(cause error) {
	if l.over {
		return
	}
	l.over = true
	if errors.Is(cause, io.EOF) {
		cause = nil
	}
	text := l.in.beginning()
	go func() { l.Fail(l.options.Ended(cause, text)) }()
}

// Fail ends every wait with err. What was received before stays readable.
func (l *Link) Fail(err error) {
	l.mu.Lock()
	l.over = true
	if l.err == nil {
		l.err = err
		l.conn.Streams(func(stream *wire.Stream) { stream.Owner.(*Exchange).fail(l.err) })
		if l.current != nil && l.pending > 0 { // its stream may be closed already
			l.current.fail(l.err)
		}
	}
	for len(l.waiting) > 0 {
		l.wake(l.waiting[0])
	}
	l.disturb()
	l.mu.Unlock()
	l.out.fail(err)
}

// Err is why the link is over, nil while it is not.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// disturb makes the reader look up from a pipe that gives nothing. Under mu.
func (l *Link) disturb() {
	if l.leading && !l.disturbed {
		l.disturbed = true
		l.in.pipe.interrupt()
	}
}

// calm lets the reader wait again. Under mu.
func (l *Link) calm() {
	if l.disturbed {
		l.disturbed = false
		l.in.pipe.resume()
	}
}

// waitContext is wait for as long as ctx lets it, and as the link lives. Under mu.
func (l *Link) waitContext(ctx context.Context, w *waiter, ready func() bool) error {
	given := false
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			given = true
			l.wake(w)
			l.disturb()
		})()
	}
	l.wait(w, func() bool { return ready() || given || l.err != nil })
	switch {
	case ready():
		return nil
	case l.err != nil:
		return l.err
	}
	return context.Cause(ctx)
}

// ShakeHands sends settings and waits for the plugin's.
func (l *Link) ShakeHands(ctx context.Context, settings *pluginv1.Settings) error {
	frame, err := l.conn.Settings(settings)
	if err != nil {
		return err
	}
	if l.out.acquire(false, nil) == nil {
		l.out.post(frame) // if that fails, what the plugin wrote before says why
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waitContext(ctx, &waiter{}, func() bool { return l.conn.Peer() != nil })
}

// unread is how long draining waits, without a frame being read, for streams that nobody reads.
const unread = 500 * time.Millisecond

// Drain opens no more streams, and waits for the open ones while somebody reads them; those that are left,
// or left when ctx ends, are given up.
func (l *Link) Drain(ctx context.Context) {
	l.mu.Lock()
	l.closing = true
	for !l.conn.Idle() && l.err == nil && ctx.Err() == nil {
		before := l.frames
		patient, cancel := context.WithTimeout(ctx, unread)
		w := &waiter{}
		l.forSlots = append(l.forSlots, w)
		err := l.waitContext(patient, w, l.conn.Idle)
		l.forSlots = slices.DeleteFunc(l.forSlots, func(other *waiter) bool { return other == w })
		cancel()
		if err != nil && l.frames == before {
			break
		}
	}
	var left []*Exchange
	l.conn.Streams(func(stream *wire.Stream) { left = append(left, stream.Owner.(*Exchange)) })
	l.mu.Unlock()
	for _, exchange := range left {
		exchange.Cancel(ErrClosing)
	}
}

// ErrClosing is why exchanges are not begun, or not finished, once the link is being closed.
var ErrClosing = errors.New("the plugin was closed")

// AwaitEnd reads until the plugin has ended its output, or broken the protocol, or the link has failed. If
// the plugin has ended, somebody else may hold its output open, but is not waited for.
func (l *Link) AwaitEnd(ended bool) {
	if ended {
		defer time.AfterFunc(lingering, func() { l.endBy(io.EOF) }).Stop()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait(&waiter{}, func() bool { return l.err != nil })
}

// lingering is how long the output of a plugin that has ended may stay open.
const lingering = 2 * time.Second

// endBy is end from outside.
func (l *Link) endBy(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(cause)
	l.disturb()
}

// CloseInput ends the plugin's input, once nobody writes: false if somebody still does when ctx ends.
func (l *Link) CloseInput(ctx context.Context) bool {
	if l.out.acquire(false, ctx.Done()) != nil {
		return false
	}
	l.out.fail(ErrClosing)
	l.out.sink.close()
	return true
}

// Close gives the pipes back. After Fail.
func (l *Link) Close() {
	l.in.pipe.close()
	l.out.sink.close()
	l.stages.close()
}

// Ready tells whether the plugin has accepted its configuration.
func (l *Link) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.Peer() != nil
}

// Spent tells whether no stream can be opened any more; used whether that is because so many were.
func (l *Link) Spent() (spent, used bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over || l.notTaking() != nil, !l.over && l.err == nil && l.conn.UsedUp()
}
