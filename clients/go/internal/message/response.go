package message

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// Response returns the response that begins with head, without its body.
func Response(request *http.Request, head *pluginv1.Response) *http.Response {
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
	AddFields(response.Header, head.GetFields())
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

// AddFields adds the protocol's fields to a header.
func AddFields(header http.Header, fields []*pluginv1.Field) {
	for _, field := range fields {
		name := http.CanonicalHeaderKey(field.GetName())
		header[name] = append(header[name], string(field.GetValue()))
	}
}

// copied is the size of the buffers for WriteTo: one data frame from the plugin.
const copied = 256 << 10

var copies = sync.Pool{New: func() any { return new([copied]byte) }}

// Copy writes all of b to w.
func Copy(w io.Writer, b io.Reader) (written int64, err error) {
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
