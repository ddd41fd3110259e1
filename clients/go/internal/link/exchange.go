package link

import (
	"context"
	"errors"
	"io"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// Exchange is one stream as its user sees it. One goroutine reads at a time, and one sends.
type Exchange struct {
	link   *Link
	stream *wire.Stream
	ctx    context.Context
	stop   func() bool // lets go of it
	read   bool        // to the end, which no end of the context changes any more
	inbox

	// Guarded by the link's mutex:
	consumer   waiter
	sender     waiter
	head       *pluginv1.Response
	trailers   []*pluginv1.Field
	err        error // why nothing more can be read or sent
	faulty     bool  // what has ended was wrong in itself
	cancelled  bool  // what was received is not wanted either
	onUnwanted func()
}

// Head returns once the response's head has come.
func (e *Exchange) Head() (*pluginv1.Response, error) {
	l := e.link
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait(&e.consumer, func() bool { return e.head != nil || e.err != nil })
	if e.head == nil || e.cancelled {
		return nil, e.err
	}
	return e.head, nil
}

// Read reads content, straight off the pipe if it had not come yet. The error is io.EOF at its end, perhaps
// together with the last bytes.
func (e *Exchange) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if e.ctx.Err() != nil && !e.read {
		e.cancel(context.Cause(e.ctx)) // at once, however soon the context calls
	}
	l := e.link
	l.mu.Lock()
	n := e.move(p)
	if n == 0 {
		e.lend(p)
		l.wait(&e.consumer, e.readable)
		if n = e.reclaim(); n == 0 {
			n = e.move(p)
		}
	}
	if n > 0 {
		l.conn.Consume(e.stream, n)
	}
	err := e.readError(n)
	owes := l.conn.OwesControl()
	l.mu.Unlock()
	if owes {
		l.out.flush()
	}
	if err != nil {
		e.read = err == io.EOF
		e.letGo()
	}
	return n, err
}

// readable tells whether a read has anything to say. Under the link's mutex.
func (e *Exchange) readable() bool {
	return !e.filling && (e.filled > 0 || len(e.chunks) > 0 || e.err != nil || e.complete())
}

// complete tells whether all content has come. Under the link's mutex.
func (e *Exchange) complete() bool { return e.stream.Ended() && e.coming == 0 && !e.faulty }

// readError is what ends the content behind n bytes, nil if there may be more. Under the link's mutex.
func (e *Exchange) readError(n int) error {
	switch {
	case e.cancelled:
		return e.err
	case len(e.chunks) > 0:
		return nil
	case e.complete():
		return io.EOF
	case n > 0:
		return nil
	}
	return e.err
}

// Trailers are the response's, once its content has been read to the end.
func (e *Exchange) Trailers() []*pluginv1.Field {
	e.link.mu.Lock()
	defer e.link.mu.Unlock()
	return e.trailers
}

// Close drops what was not read; the plugin stops its work on it.
func (e *Exchange) Close() { e.Cancel(ErrClosed) }

// Cancel ends the exchange: every wait of it fails with cause, unless it has failed already.
func (e *Exchange) Cancel(cause error) {
	e.cancel(cause)
	e.letGo()
}

// Abort ends an exchange whose request cannot be sent to its end, if that is still wanted.
func (e *Exchange) Abort(cause error) {
	e.link.mu.Lock()
	unwanted := e.unwanted()
	e.link.mu.Unlock()
	if !unwanted {
		e.Cancel(cause)
	}
}

func (e *Exchange) cancel(cause error) {
	l := e.link
	code := pluginv1.Code_CODE_CANCELLED
	if errors.Is(cause, context.DeadlineExceeded) {
		code = pluginv1.Code_CODE_DEADLINE_EXCEEDED
	}
	l.mu.Lock()
	if !e.cancelled {
		e.cancelled = true
		l.conn.Reset(e.stream, code, "")
		e.fail(cause)
		e.drop()
		l.disturb()
	}
	owes := l.conn.OwesControl()
	l.mu.Unlock()
	if owes {
		l.out.flush()
	}
}

// letGo forgets the context: there is nothing left to cancel.
func (e *Exchange) letGo() {
	if e.stop != nil {
		e.stop()
	}
}

// fail ends every wait with err; what was received before stays readable. Under the link's mutex.
func (e *Exchange) fail(err error) {
	if e.err == nil {
		e.err = err
	}
	e.wakeUp()
}

// wakeUp lets both goroutines of the exchange look again. Under the link's mutex.
func (e *Exchange) wakeUp() {
	e.link.wake(&e.consumer)
	e.link.wake(&e.sender)
	if e.onUnwanted != nil && e.unwanted() {
		go e.onUnwanted()
		e.onUnwanted = nil
	}
}

// take acts on an event of the stream. Under the link's mutex.
func (e *Exchange) take(event wire.Event, frame *pluginv1.Frame) {
	switch event {
	case wire.HeadReceived:
		e.head = frame.GetResponse()
	case wire.EndReceived:
		e.trailers = frame.GetEnd().GetTrailers()
	case wire.ResetReceived:
		if reset := frame.GetReset_(); !e.stream.Ended() {
			e.fail(&ResetError{Code: reset.GetCode(), Message: reset.GetMessage(), Unprocessed: reset.GetUnprocessed()})
		}
	}
	e.wakeUp()
}
