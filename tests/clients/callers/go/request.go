package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// newRequest returns a request whose content is still missing.
func newRequest(method, target, length string, fields []string) (*http.Request, error) {
	address, err := url.ParseRequestURI(target)
	if err != nil {
		return nil, err
	}
	address.Scheme, address.Host = "http", "localhost"
	request := &http.Request{Method: method, URL: address, Header: http.Header{}}
	switch length {
	case "-":
	case "+":
		request.ContentLength = -1
	default:
		if request.ContentLength, err = strconv.ParseInt(length, 10, 64); err != nil {
			return nil, fmt.Errorf("the length: %w", err)
		}
	}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ":")
		request.Header.Add(name, value)
	}
	request.Trailer = announced(request.Header)
	return request, nil
}

// announced returns the trailers that a header announces, without values, as net/http wants them.
func announced(header http.Header) http.Header {
	var trailers http.Header
	for _, names := range header.Values("Trailer") {
		for name := range strings.SplitSeq(names, ",") {
			if trailers == nil {
				trailers = http.Header{}
			}
			trailers[http.CanonicalHeaderKey(strings.TrimSpace(name))] = nil
		}
	}
	return trailers
}

// pattern returns the bytes of any request's content from start to end.
func pattern(start, end int) []byte {
	content := make([]byte, end-start)
	for i := range content {
		content[i] = byte((start + i) % 251)
	}
	return content
}

// fileWith returns a file with content after offset zeros, where it is positioned.
func fileWith(length int64, offset string) (*os.File, error) {
	start, err := strconv.ParseInt(offset, 10, 64)
	if err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "content")
	if err != nil {
		return nil, err
	}
	_, err = file.WriteAt(pattern(0, int(length)), start)
	_, err2 := file.Seek(start, io.SeekStart)
	return file, errors.Join(os.Remove(file.Name()), err, err2)
}

// write is what a command says of a request's content.
type write struct {
	count    int      // bytes
	last     bool     // whether the content ends
	trailers []string // with which it ends
}

// content is the content of a request, which commands write bit by bit.
type content struct {
	request *http.Request
	pipe    *io.PipeWriter
	written int
}

func newContent(request *http.Request) *content {
	reader, writer := io.Pipe()
	request.Body = reader
	return &content{request: request, pipe: writer}
}

// do returns once the client has read what was to be written. The error says that it does not want it any more.
func (c *content) do(w write) error {
	if w.last {
		for _, field := range w.trailers {
			if c.request.Trailer == nil { // only trailers that the head has announced can be sent, as by net/http
				report("unsupported", "trailers")
				break
			}
			name, value, _ := strings.Cut(field, ":")
			c.request.Trailer.Add(name, value)
		}
		return c.pipe.Close()
	}
	n, err := c.pipe.Write(pattern(c.written, c.written+w.count))
	c.written += n
	return err
}
