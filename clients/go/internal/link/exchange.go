package link

import (
	"context"
	"errors"
	"io"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// Exchange is one stream from its user's point of view. One goroutine may read and another may send at the same time.
type Exchange struct {
	link   *Link
	stream *wire.Stream
	ctx    context.Context
	stop   func() bool // releases ctx
	read   bool        // Read has returned io.EOF, which stays even if ctx ends
	inbox

	// Guarded by the link's mutex:
	consumer   waiter
	sender     waiter
	head       *pluginv1.Response
	trailers   []*pluginv1.Field
	err        error // the reason why nothing more can be read or sent
	faulty     bool  // the response has ended, but was invalid
	cancelled  bool  // content that was received is dropped as well
	onUnwanted func()
}

// Head waits for the response's head.
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

// Read reads content, directly from the pipe if it has not arrived yet. The error is io.EOF at the end, possibly
// together with the last bytes.
func (e *Exchange) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if e.ctx.Err() != nil && !e.read {
		e.cancel(context.Cause(e.ctx)) // now, without waiting for the context's callback
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

// readable reports whether a read can return. Call it with the link's mutex locked.
func (e *Exchange) readable() bool {
	return !e.filling && (e.filled > 0 || len(e.chunks) > 0 || e.err != nil || e.complete())
}

// complete reports whether all content has arrived. Call it with the link's mutex locked.
func (e *Exchange) complete() bool { return e.stream.Ended() && e.coming == 0 && !e.faulty }

// readError returns the error that ends the content after n bytes, or nil if there may be more. Call it with the link's
// mutex locked.
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

// Trailers returns the trailers of the response, once its content has been read to the end.
func (e *Exchange) Trailers() []*pluginv1.Field {
	e.link.mu.Lock()
	defer e.link.mu.Unlock()
	return e.trailers
}

// Close discards the unread rest; the plugin stops sending it.
func (e *Exchange) Close() { e.Cancel(ErrClosed) }

// Cancel ends the exchange. Every wait fails with cause, unless the exchange has already failed.
func (e *Exchange) Cancel(cause error) {
	e.cancel(cause)
	e.letGo()
}

// Release ends an exchange whose content is in a file: err says why the file cannot be used, and is nil if it is open.
func (e *Exchange) Release(err error) {
	if err == nil {
		e.reset(pluginv1.Code_CODE_OK_UNSPECIFIED, "", ErrClosed)
	} else {
		e.reset(pluginv1.Code_CODE_FAILED_PRECONDITION, err.Error(), ErrClosed)
	}
	e.letGo()
}

// Abort ends an exchange whose request cannot be sent completely, if the rest is still needed.
func (e *Exchange) Abort(cause error) {
	e.link.mu.Lock()
	unwanted := e.unwanted()
	e.link.mu.Unlock()
	if !unwanted {
		e.Cancel(cause)
	}
}

func (e *Exchange) cancel(cause error) {
	code := pluginv1.Code_CODE_CANCELLED
	if errors.Is(cause, context.DeadlineExceeded) {
		code = pluginv1.Code_CODE_DEADLINE_EXCEEDED
	}
	e.reset(code, "", cause)
}

func (e *Exchange) reset(code pluginv1.Code, message string, cause error) {
	l := e.link
	l.mu.Lock()
	if !e.cancelled {
		e.cancelled = true
		l.conn.Reset(e.stream, code, message)
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

// letGo releases the context: there is nothing left to cancel.
func (e *Exchange) letGo() {
	if e.stop != nil {
		e.stop()
	}
}

// fail ends every wait with err. Content that was received before can still be read. Call it with the link's mutex
// locked.
func (e *Exchange) fail(err error) {
	if e.err == nil {
		e.err = err
	}
	e.wakeUp()
}

// wakeUp lets both goroutines of the exchange check again. Call it with the link's mutex locked.
func (e *Exchange) wakeUp() {
	e.link.wake(&e.consumer)
	e.link.wake(&e.sender)
	if e.onUnwanted != nil && e.unwanted() {
		go e.onUnwanted()
		e.onUnwanted = nil
	}
}

// take handles an event of the stream. Call it with the link's mutex locked.
func (e *Exchange) take(event wire.Event, frame *pluginv1.Frame) {
	switch event {
	case wire.HeadReceived:
		e.head = frame.GetResponse()
	case wire.EndReceived:
		e.trailers = frame.GetEnd().GetTrailers()
	case wire.ResetReceived:
		if reset := e.stream.Reset(); !e.stream.Ended() {
			e.fail(&ResetError{Code: reset.GetCode(), Message: reset.GetMessage(), Unprocessed: reset.GetUnprocessed()})
		}
	}
	e.wakeUp()
}
