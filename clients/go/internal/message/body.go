package message

import (
	"fmt"
	"io"
	"time"
)

// Body is a request's content while it is read and sent.
type Body struct {
	Reader io.Reader
	Length int64 // -1 if unknown
	Close  func() error
}

// Send passes the content to send, in payloads that fill what buffer returns as far as one read does. end marks the last
// one, which may be empty. A buffer belongs to send from the call on.
func (b *Body) Send(buffer func() []byte, send func(payload []byte, end bool) error) error {
	var sent int64
	for {
		payload := buffer()
		n, err := b.Reader.Read(payload)
		sent += int64(n)
		switch {
		case err != nil && err != io.EOF:
			return err
		case b.Length >= 0 && sent > b.Length:
			return b.tooLong()
		case b.Length >= 0 && sent < b.Length && err == io.EOF:
			return fmt.Errorf("udist: the body ended after %d bytes, but its ContentLength is %d", sent, b.Length)
		case err == io.EOF:
			if err := b.Close(); err != nil {
				return err
			}
			return send(payload[:n], true)
		case sent == b.Length:
			return b.sendLast(payload[:n], send)
		}
		if err := send(payload[:n], false); err != nil {
			return err
		}
	}
}

func (b *Body) tooLong() error {
	return fmt.Errorf("udist: the body is longer than its ContentLength of %d bytes", b.Length)
}

// unended is how long the last bytes of a body are held back until the body ends.
const unended = 100 * time.Millisecond

// sendLast sends the last bytes of a body of known length, once the body has ended there. If the body turns out to be
// longer, or fails instead, the plugin never receives a complete request. Some bodies end only after the response has
// arrived, such as a pipe that the writer closes late; so the bytes are not held back for long.
func (b *Body) sendLast(payload []byte, send func([]byte, bool) error) error {
	sent := make(chan error, 1)
	timer := time.AfterFunc(unended, func() { sent <- send(payload, true) })
	var more [1]byte
	n, err := io.ReadFull(b.Reader, more[:])
	switch {
	case n > 0:
		err = b.tooLong()
	case err == io.EOF:
		err = b.Close()
	}
	if !timer.Stop() {
		if err := <-sent; err != nil {
			return err
		}
		return err
	}
	if err != nil {
		return err
	}
	return send(payload, true)
}
