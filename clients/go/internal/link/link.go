package link

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

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
	closing   error // why no more streams are opened, if that is this side's wish
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
	return l, nil
}

// ShakeHands sends settings and waits for the plugin's.
func (l *Link) ShakeHands(ctx context.Context, settings *pluginv1.Settings) error {
	frame, err := l.conn.Settings(settings)
	if err != nil {
		return err
	}
	if !canInterrupt {
		go l.readAlways()
	}
	if l.out.acquire(false, nil) == nil {
		l.out.post(frame) // if that fails, what the plugin wrote before says why
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waitContext(ctx, &waiter{}, func() bool { return l.conn.Peer() != nil })
}

// Ready tells whether the plugin has accepted its configuration.
func (l *Link) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.Peer() != nil
}

// Err is why the link is over, nil while it is not.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// end lets nobody read any more, and finds out what the end means; text is what stood where a frame should.
// Under mu.
func (l *Link) end(cause error, text []byte) {
	if l.over {
		return
	}
	l.over = true
	if errors.Is(cause, io.EOF) {
		cause = nil
	}
	go func() { l.Fail(l.options.Ended(cause, text)) }()
}

// endBy is end from outside, whoever may be reading.
func (l *Link) endBy(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(cause, nil)
	l.disturb()
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

// takeControl is the frames that the protocol itself owes.
func (l *Link) takeControl() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.TakeControl()
}

// flushElsewhere has what is owed written by another goroutine, one at a time: the reader never writes.
// Under mu.
func (l *Link) flushElsewhere() {
	if l.flushing {
		return
	}
	l.flushing = true
	go func() {
		l.mu.Lock()
		l.flushing = false
		l.mu.Unlock()
		l.out.flush()
	}()
}
