package udist

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"

	"udist.dev/plugin/udist/internal/link"
	"udist.dev/plugin/udist/internal/message"
	"udist.dev/plugin/udist/internal/wire"
)

// content is a request's body while it is sent. A small body in memory is sent together with the head. Any other body
// is sent by a goroutine, because content flows in both directions: the plugin may respond, and wait for its response
// to be read, before it has read the whole request.
type content struct {
	request *http.Request
	length  int64 // -1 if unknown
	small   []byte
	whole   bool      // small is the whole content
	shared  *filePart // the content, if the plugin opens its file
	once    sync.Once
	closed  error // the result of closing the body
}

// bodyError is an error from the user's request body.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }

// inHead is the largest content, in bytes, that is sent together with the head: any stream has credit for it.
const inHead = wire.SmallCredit

// newContent returns the content of a request. It rejects a length without a body, like net/http.
func newContent(request *http.Request) (*content, error) {
	c := &content{request: request, length: message.ContentLength(request)}
	if request.Body == nil && request.ContentLength != 0 {
		return nil, fmt.Errorf("udist: Request.ContentLength is %d, but Body is nil", request.ContentLength)
	}
	if request.Body == nil || request.Body == http.NoBody {
		c.whole = true
		return c, nil
	}
	reader := unwrap(request.Body)
	length := memoryOf(reader)
	if length >= 0 && length == c.length && length <= inHead && len(request.Trailer) == 0 {
		c.small = make([]byte, length)
		_, err := io.ReadFull(reader, c.small)
		c.whole = err == nil
	}
	return c, nil
}

// memoryOf returns how many bytes a reader still holds in memory, or -1 if it does not read from memory.
func memoryOf(reader io.Reader) int64 {
	switch memory := reader.(type) {
	case *bytes.Reader:
		return int64(memory.Len())
	case *bytes.Buffer:
		return int64(memory.Len())
	case *strings.Reader:
		return int64(memory.Len())
	}
	return -1
}

// close closes the user's body once.
func (c *content) close() error {
	c.once.Do(func() { c.closed = closeBody(c.request) })
	return c.closed
}

// send sends the whole content and closes the body.
func (c *content) send(exchange *link.Exchange) {
	exchange.OnUnwanted(func() { _ = c.close() }) // a blocked body must not keep this goroutine alive
	err := c.sendAll(exchange)
	exchange.OnUnwanted(nil)
	_ = c.close()
	if err != nil && !errors.Is(err, link.ErrUnwanted) {
		exchange.Abort(&bodyError{err})
	}
}

func (c *content) sendAll(exchange *link.Exchange) error {
	last := len(c.request.Trailer) == 0
	sent, err := c.sendFile(exchange, last)
	if err == nil && sent < 0 {
		err = c.sendRead(exchange, last)
	}
	if err != nil || last {
		return err
	}
	return exchange.End(message.Fields(c.request.Trailer))
}

var payloads = sync.Pool{New: func() any { return new([wire.MaxData]byte) }}

// sendRead reads from the body and sends what it gets.
func (c *content) sendRead(exchange *link.Exchange, last bool) error {
	buffer := payloads.Get().(*[wire.MaxData]byte)
	defer payloads.Put(buffer)
	body := message.Body{Reader: c.request.Body, Length: c.length, Close: c.close}
	return body.Send(func() []byte { return buffer[:] }, func(payload []byte, end bool) error {
		return exchange.Send(payload, end && last)
	})
}

// sendFile lets the kernel copy a body that is a file. sent is -1 if the body must be read instead.
func (c *content) sendFile(exchange *link.Exchange, last bool) (sent int64, err error) {
	part := fileOf(unwrap(c.request.Body))
	if part == nil || c.length >= 0 && part.size != c.length {
		return -1, nil // reading reports a wrong length
	}
	if c.length >= 0 {
		part.limit = c.length
	}
	sent, err = exchange.SendFile(part.file, part.offset, part.limit, last)
	var system *os.SyscallError
	if sent == 0 && errors.As(err, &system) {
		return -1, nil
	}
	return sent, err
}

// filePart is a part of a regular file.
type filePart struct {
	file   *os.File
	start  int64
	offset *int64 // is start, or nil for the file's position
	limit  int64  // in bytes, or -1 for the rest of the file
	size   int64  // in bytes, as the file's size says now
}

// fileOf returns the file that a body reads from, or nil if there is none.
func fileOf(body io.Reader) *filePart {
	part := &filePart{limit: -1}
	switch reader := body.(type) {
	case *os.File:
		part.file = reader
	case *io.LimitedReader:
		part.file, _ = reader.R.(*os.File)
		part.limit = max(reader.N, 0)
	case *io.SectionReader:
		outer, begin, size := reader.Outer()
		position, err := reader.Seek(0, io.SeekCurrent)
		if file, _ := outer.(*os.File); err == nil {
			part.file, part.start, part.offset, part.limit = file, begin+position, &part.start, max(size-position, 0)
		}
	}
	if part.file == nil {
		return nil
	}
	info, err := part.file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	if part.offset == nil {
		if part.start, err = part.file.Seek(0, io.SeekCurrent); err != nil {
			return nil
		}
	}
	part.size = max(info.Size()-part.start, 0)
	if part.limit >= 0 {
		part.size = min(part.size, part.limit)
	}
	return part
}

// nopClosers are the types that io.NopCloser returns, with and without WriteTo.
var nopClosers = [...]reflect.Type{
	reflect.TypeOf(io.NopCloser(nil)),
	reflect.TypeOf(io.NopCloser(bytes.NewReader(nil))),
}

// unwrap returns the reader inside io.NopCloser, which http.NewRequest wraps around its readers.
func unwrap(body io.Reader) io.Reader {
	for _, closer := range nopClosers {
		if reflect.TypeOf(body) == closer {
			inner, _ := reflect.ValueOf(body).Field(0).Interface().(io.Reader)
			return inner
		}
	}
	return body
}
