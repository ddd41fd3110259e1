package udist

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"udist.dev/plugin/udist/internal/link"
	"udist.dev/plugin/udist/internal/pluginv1"
)

// newResponse returns the response that begins with head, without its body.
func newResponse(request *http.Request, head *pluginv1.Response) *http.Response {
	status := int(head.GetStatus())
	response := &http.Response{
		Status:        strconv.Itoa(status) + " " + http.StatusText(status),
		StatusCode:    status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        make(http.Header, len(head.GetFields())),
		ContentLength: -1,
		Request:       request,
	}
	addFields(response.Header, head.GetFields())
	if length, err := strconv.ParseInt(response.Header.Get("Content-Length"), 10, 64); err == nil {
		response.ContentLength = length
	}
	for _, names := range response.Header.Values("Trailer") {
		for name := range strings.SplitSeq(names, ",") {
			if response.Trailer == nil {
				response.Trailer = http.Header{}
			}
			response.Trailer[http.CanonicalHeaderKey(strings.TrimSpace(name))] = nil
		}
	}
	response.Header.Del("Trailer")
	return response
}

func addFields(header http.Header, fields []*pluginv1.Field) {
	for _, field := range fields {
		name := http.CanonicalHeaderKey(field.GetName())
		header[name] = append(header[name], string(field.GetValue()))
	}
}

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

// copied is the size of the buffers for WriteTo: one data frame from the plugin.
const copied = 256 << 10

var copies = sync.Pool{New: func() any { return new([copied]byte) }}

// WriteTo implements io.WriterTo with buffers of the right size for the link.
func (b *body) WriteTo(w io.Writer) (int64, error) { return copyTo(w, b) }

func copyTo(w io.Writer, b io.Reader) (written int64, err error) {
	buffer := copies.Get().(*[copied]byte)
	defer copies.Put(buffer)
	for {
		n, err := b.Read(buffer[:])
		if n > 0 {
			taken, err := w.Write(buffer[:n])
			written += int64(taken)
			if err != nil {
				return written, err
			}
			if taken < n {
				return written, io.ErrShortWrite
			}
		}
		if err == io.EOF {
			return written, nil
		}
		if err != nil {
			return written, err
		}
	}
}

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
			addFields(b.response.Trailer, fields)
		}
		return err
	case link.ErrClosed:
		return http.ErrBodyReadAfterClose
	}
	return explain(err, b.method)
}
