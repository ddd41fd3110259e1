package main

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// all is what a read asks for that reads to the end.
	all = -1
	// waiting is how many commands can wait for one exchange.
	waiting = 1000
)

// exchange is a request and its response. Neither waits for the other.
type exchange struct {
	id     string
	ctx    context.Context
	cancel context.CancelFunc
	reads  chan int64
	writes chan write
}

func newExchange(id string, timeout time.Duration) *exchange {
	e := &exchange{id: id, reads: make(chan int64, waiting), writes: make(chan write, waiting)}
	if timeout > 0 {
		e.ctx, e.cancel = context.WithTimeout(context.Background(), timeout)
	} else {
		e.ctx, e.cancel = context.WithCancel(context.Background())
	}
	return e
}

// send carries out the commands for the request's content.
func (e *exchange) send(content *content) {
	for write := range e.writes {
		if content.do(write) == nil {
			report("written", e.id)
		}
	}
}

// receive sends the request's head, and carries out the commands for the response. It reports any failure of the
// exchange, once.
func (e *exchange) receive(transport http.RoundTripper, request *http.Request) {
	defer e.cancel()
	response, err := transport.RoundTrip(request.WithContext(e.ctx))
	if err != nil {
		reportError(e.id, err)
		return
	}
	defer func() { _ = response.Body.Close() }()
	report(slices.Concat([]string{"head", e.id, strconv.Itoa(response.StatusCode)}, fieldsOf(response.Header))...)
	for count := range e.reads {
		switch err := e.read(response.Body, count); err {
		case nil:
		case io.EOF:
			report(slices.Concat([]string{"end", e.id}, fieldsOf(response.Trailer))...)
			return
		default:
			reportError(e.id, err)
			return
		}
	}
}

// read reads count bytes and reports them. The error is io.EOF if the content has ended before.
func (e *exchange) read(body io.Reader, count int64) (err error) {
	var n int64
	checksum := crc32.NewIEEE()
	if count != all {
		n, err = io.CopyN(checksum, body, count)
	} else if n, err = io.Copy(checksum, body); err == nil {
		err = io.EOF
	}
	if err == nil || err == io.EOF {
		report("content", e.id, strconv.FormatInt(n, 10), fmt.Sprintf("%08x", checksum.Sum32()))
	}
	return err
}

// fieldsOf returns the fields of a header or of trailers in words.
func fieldsOf(header http.Header) (fields []string) {
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			fields = append(fields, strings.ToLower(name)+":"+value)
		}
	}
	return fields
}
