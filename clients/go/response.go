package udist

import (
	"io"
	"net/http"

	"udist.dev/plugin/udist/internal/link"
	"udist.dev/plugin/udist/internal/message"
)

// body is a response's content.
type body struct {
	exchange *link.Exchange
	response *http.Response
	method   string
	done     func()
}

// newBody returns the body of a response. done is called once it has ended or was closed.
func newBody(exchange *link.Exchange, response *http.Response, done func()) *body {
	return &body{exchange: exchange, response: response, method: response.Request.Method, done: done}
}

// Read reads content. The content is complete if it ends with io.EOF. Only one goroutine may read at a time.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.exchange.Read(p)
	if err != nil {
		b.done()
		err = b.ended(err)
	}
	return n, err
}

// WriteTo implements io.WriterTo with buffers of the right size for the link.
func (b *body) WriteTo(w io.Writer) (int64, error) { return message.Copy(w, b) }

// Close discards the unread rest; the plugin stops sending it.
func (b *body) Close() error {
	b.exchange.Close()
	b.done()
	return nil
}

// ended fills in the trailers at the end of the content, or explains the error.
func (b *body) ended(err error) error {
	switch err {
	case io.EOF:
		if fields := b.exchange.Trailers(); fields != nil {
			if b.response.Trailer == nil {
				b.response.Trailer = http.Header{}
			}
			message.AddFields(b.response.Trailer, fields)
		}
		return err
	case link.ErrClosed:
		return http.ErrBodyReadAfterClose
	}
	return explain(err, b.method)
}
