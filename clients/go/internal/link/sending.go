package link

import (
	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// bulk is the payload size above which a frame waits for the small frames of other streams.
const bulk = 16 << 10

// OnUnwanted calls do in a separate goroutine if the rest of the request is no longer needed. Nil cancels that.
func (e *Exchange) OnUnwanted(do func()) {
	e.link.mu.Lock()
	defer e.link.mu.Unlock()
	e.onUnwanted = do
	if do != nil {
		e.wakeUp()
	}
}

// Credit waits until content can be sent, and returns how many bytes.
func (e *Exchange) Credit() (int, error) {
	l := e.link
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait(&e.sender, func() bool { return e.stream.Credit() > 0 || e.unwanted() })
	if e.unwanted() {
		return 0, ErrUnwanted
	}
	return min(e.stream.Credit(), wire.MaxData), nil
}

// Send sends content as credit allows. If last is true, that ends the request.
func (e *Exchange) Send(content []byte, last bool) error {
	for len(content) > 0 || last {
		part := content
		if len(part) > 0 {
			credit, err := e.Credit()
			if err != nil {
				return err
			}
			part = part[:min(len(part), credit)]
		}
		content = content[len(part):]
		err := e.sendFrame(len(part), last && len(content) == 0, func(head []byte) error {
			return e.link.out.write(head, part)
		})
		if err != nil || len(content) == 0 {
			return err
		}
	}
	return nil
}

// End ends the request with trailers.
func (e *Exchange) End(trailers []*pluginv1.Field) error {
	return e.turn(false, func() ([]byte, error) {
		return e.link.conn.SendEnd(e.stream, trailers)
	}, func(frame []byte) error {
		return e.link.out.write(frame, nil)
	})
}

// sendFrame sends a data frame with length payload bytes. write receives its head, and writes both.
func (e *Exchange) sendFrame(length int, last bool, write func(head []byte) error) error {
	return e.turn(length > bulk, func() ([]byte, error) {
		return e.link.conn.SendData(nil, e.stream, length, last)
	}, write)
}

// turn waits for a turn of the output, creates a frame and writes it.
func (e *Exchange) turn(large bool, frame func() ([]byte, error), write func([]byte) error) error {
	l := e.link
	if l.out.acquire(large, nil) != nil {
		return ErrUnwanted // the reader finds out the reason
	}
	l.mu.Lock()
	if e.unwanted() {
		l.mu.Unlock()
		l.out.release(nil)
		return ErrUnwanted
	}
	b, err := frame()
	l.mu.Unlock()
	if err != nil {
		l.out.release(nil)
		return err
	}
	if err := write(b); err != nil {
		l.out.release(err)
		return ErrUnwanted
	}
	l.out.release(nil)
	return nil
}

// unwanted reports whether nothing more needs to be sent. Call it with the link's mutex locked.
func (e *Exchange) unwanted() bool { return e.err != nil || e.stream.Ended() }
