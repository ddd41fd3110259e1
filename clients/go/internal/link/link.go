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
	leading   bool // a goroutine is reading
	over      bool // nobody may read any more
	disturbed bool // the reader has been interrupted
	waiting   []*waiter
	current   *Exchange // the receiver of the current payload, nil if it is dropped
	pending   int       // bytes missing of the current payload
	dropped   []byte
	blocked   int     // writers that wait for room
	standing  *waiter // of a goroutine that reads for them
	forSlots  []*waiter
	frames    int
	closing   error // the reason why this side opens no more streams
	flushing  bool
	err       error
}

// Options configure a link.
type Options struct {
	// Memory limits the total size of all response windows, in bytes.
	Memory int
	// Ended returns the reason why the link is over. It is called once, in its own goroutine. The cause is nil if
	// the plugin has closed its output, a *GoAwayError if it has refused to start, and a *wire.ConnectionError if
	// it has violated the protocol; text is then what it sent instead of a frame.
	Ended func(cause error, text []byte) error
	// Recorder is told which frames are sent and received, if it is not nil.
	Recorder Recorder
}

// Recorder is told which frames go over a link. It must neither wait nor fail.
type Recorder interface {
	// Sent is called with frames before they are written. The payload of the last may be missing.
	Sent(frames []byte)
	// Received is called with a frame that has been read.
	Received(frame *pluginv1.Frame)
	// ReceivedData is called instead with the head of a canonical data frame.
	ReceivedData(head wire.DataHead)
}

// New returns a link that reads from source and writes to sink, which are the parent's ends of a child's pipes.
func New(source, sink *os.File, options Options) (*Link, error) {
	l := &Link{options: options, conn: wire.NewConnection(options.Memory)}
	l.out = &output{control: l.takeControl, blocked: l.writerBlocked, failed: l.writerFailed, recorder: options.Recorder}
	if err := errors.Join(l.in.pipe.open(source), l.out.sink.open(sink)); err != nil {
		return nil, err
	}
	return l, nil
}

// ShakeHands sends settings and waits for the plugin's settings.
func (l *Link) ShakeHands(ctx context.Context, settings *pluginv1.Settings) error {
	frame, err := l.conn.Settings(settings)
	if err != nil {
		return err
	}
	if !canInterrupt {
		go l.readAlways()
	}
	if l.out.acquire(false, nil) == nil {
		l.out.post(frame) // if this fails, the plugin's output gives the reason
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waitContext(ctx, &waiter{}, func() bool { return l.conn.Peer() != nil })
}

// Ready reports whether the plugin has accepted its configuration.
func (l *Link) Ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.Peer() != nil
}

// Peer returns the plugin's settings, or nil if they have not arrived yet.
func (l *Link) Peer() *pluginv1.Settings {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.Peer()
}

// Err returns the reason why the link is over, or nil if it is not.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// end stops all reading, and finds out the reason. text is what the plugin sent instead of a frame. Call it with mu
// locked.
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

// endBy calls end for a goroutine that is not the reader.
func (l *Link) endBy(cause error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(cause, nil)
	l.disturb()
}

// Fail ends every wait with err. Content that was received before can still be read.
func (l *Link) Fail(err error) {
	l.mu.Lock()
	l.over = true
	if l.err == nil {
		l.err = err
		l.conn.Streams(func(stream *wire.Stream) { stream.Owner.(*Exchange).fail(l.err) })
		if l.current != nil && l.pending > 0 { // its stream may have been closed
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

// step reads a frame, or part of a payload. Call it with mu locked; it unlocks mu during the read.
func (l *Link) step() error {
	if l.pending > 0 {
		err := l.readPayload()
		if l.pending == 0 {
			l.wakeForSlot() // for Drain
		}
		return err
	}
	l.mu.Unlock()
	head, message, err := l.in.next()
	var frame *pluginv1.Frame
	if err == nil && message != nil {
		frame, err = wire.Decode(message)
	}
	if l.options.Recorder != nil && err == nil {
		l.record(head, frame)
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

func (l *Link) record(head wire.DataHead, frame *pluginv1.Frame) {
	if frame == nil {
		l.options.Recorder.ReceivedData(head)
	} else {
		l.options.Recorder.Received(frame)
	}
}

// takeControl returns the control frames that are owed.
func (l *Link) takeControl() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.TakeControl()
}

// flushElsewhere lets another goroutine, one at a time, write the control frames that are owed, because the reader
// never writes. Call it with mu locked.
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
