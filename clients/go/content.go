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
	"udist.dev/plugin/udist/internal/wire"
)

// content is a request's body on its way to the plugin. What is small and in memory goes with the head;
// anything else is sent by a goroutine, because content flows both ways: the plugin may answer, or want its
// answer read, before it has read everything.
type content struct {
	request *http.Request
	length  int64 // -1 if it is not known
	small   []byte
	whole   bool // small is all there is
	once    sync.Once
}

// bodyError is a failure of the user's own body.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return e.err.Error() }

// inHead is how much content is copied to be sent with the head, in bytes.
const inHead = 64 << 10

func newContent(request *http.Request) *content {
	c := &content{request: request, length: contentLength(request)}
	if request.Body == nil || request.Body == http.NoBody {
		c.whole = true
		return c
	}
	reader := unwrap(request.Body)
	length := memoryOf(reader)
	if length >= 0 && length == c.length && length <= inHead && len(request.Trailer) == 0 {
		c.small = make([]byte, length)
		_, err := io.ReadFull(reader, c.small)
		c.whole = err == nil
	}
	return c
}

// memoryOf is how much a reader still has in memory, -1 if that is not where it reads from.
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

// close closes the user's body, once.
func (c *content) close() { c.once.Do(func() { closeBody(c.request) }) }

// send sends everything, and closes the body.
func (c *content) send(exchange *link.Exchange) {
	exchange.OnUnwanted(c.close) // a body that blocks must not hold this goroutine
	err := c.sendAll(exchange)
	exchange.OnUnwanted(nil)
	c.close()
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
	return exchange.End(fieldsOf(c.request.Trailer))
}

var payloads = sync.Pool{New: func() any { return new([wire.MaxData]byte) }}

// sendRead sends what the body's Read gives, as it comes.
func (c *content) sendRead(exchange *link.Exchange, last bool) error {
	buffer := payloads.Get().(*[wire.MaxData]byte)
	defer payloads.Put(buffer)
	var sent int64
	for {
		n, err := c.request.Body.Read(buffer[:])
		sent += int64(n)
		if c.length >= 0 && (sent > c.length || err == io.EOF && sent < c.length) {
			return fmt.Errorf("udist: a body of %d bytes, its ContentLength is %d", sent, c.length)
		}
		ended := err == io.EOF || sent == c.length
		if err := exchange.Send(buffer[:n], last && ended); err != nil || ended {
			return err
		}
		if err != nil {
			return err
		}
	}
}

// sendFile has the kernel move a body that is a file; sent is -1 if it is none, or has to be read after all.
func (c *content) sendFile(exchange *link.Exchange, last bool) (sent int64, err error) {
	file, offset, length := fileOf(unwrap(c.request.Body))
	if file == nil {
		return -1, nil
	}
	if c.length >= 0 {
		if length >= 0 && length < c.length {
			return 0, fmt.Errorf("udist: a body of %d bytes, its ContentLength is %d", length, c.length)
		}
		length = c.length
	}
	sent, err = exchange.SendFile(file, offset, length, last)
	var system *os.SyscallError
	if sent == 0 && errors.As(err, &system) {
		return -1, nil
	}
	return sent, err
}

// fileOf is the regular file behind a body: what is to be sent begins at offset, or at the file's position
// if that is nil, and is of length bytes, or all there is if that is -1.
func fileOf(body io.Reader) (file *os.File, offset *int64, length int64) {
	length = -1
	switch reader := body.(type) {
	case *os.File:
		file = reader
	case *io.LimitedReader:
		if file, _ = reader.R.(*os.File); file != nil {
			length = max(reader.N, 0)
		}
	case *io.SectionReader:
		outer, begin, size := reader.Outer()
		position, err := reader.Seek(0, io.SeekCurrent)
		if file, _ = outer.(*os.File); file != nil && err == nil {
			begin += position
			offset, length = &begin, max(size-position, 0)
		}
	}
	if file == nil {
		return nil, nil, 0
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, nil, 0
	}
	return file, offset, length
}

// nopClosers are the types that io.NopCloser gives, with and without WriteTo.
var nopClosers = [...]reflect.Type{
	reflect.TypeOf(io.NopCloser(nil)),
	reflect.TypeOf(io.NopCloser(bytes.NewReader(nil))),
}

// unwrap looks into what io.NopCloser gives, as http.NewRequest wraps its readers.
func unwrap(body io.Reader) io.Reader {
	for _, closer := range nopClosers {
		if reflect.TypeOf(body) == closer {
			inner, _ := reflect.ValueOf(body).Field(0).Interface().(io.Reader)
			return inner
		}
	}
	return body
}
