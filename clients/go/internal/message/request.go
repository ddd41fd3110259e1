// Package message converts between net/http's messages and those of the protocol.
package message

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// RequestHead returns a request's head in the form in which it is sent to target, without connection-specific fields.
// userAgent is for a request that has none.
func RequestHead(request *http.Request, target, userAgent string) *pluginv1.Request {
	head := &pluginv1.Request{
		Method:    request.Method,
		Scheme:    "http",
		Authority: request.Host,
		Target:    target,
		Fields:    Fields(request.Header),
	}
	if head.Method == "" {
		head.Method = http.MethodGet
	}
	if request.URL.Scheme == "https" || request.TLS != nil {
		head.Scheme = "https"
	}
	if head.Authority == "" {
		head.Authority = request.URL.Host
	}
	if _, given := request.Header["User-Agent"]; !given {
		head.Fields = append(head.Fields, &pluginv1.Field{Name: "user-agent", Value: []byte(userAgent)})
	}
	if len(request.Trailer) > 0 {
		names := strings.ToLower(strings.Join(slices.Sorted(maps.Keys(request.Trailer)), ", "))
		head.Fields = append(head.Fields, &pluginv1.Field{Name: "trailer", Value: []byte(names)})
	}
	if length := ContentLength(request); length >= 0 {
		value := strconv.AppendInt(nil, length, 10)
		head.Fields = append(head.Fields, &pluginv1.Field{Name: "content-length", Value: value})
	}
	if deadline, ok := request.Context().Deadline(); ok {
		head.TimeoutMs = uint32(min(max(time.Until(deadline).Milliseconds(), 1), 1<<32-1))
	}
	return head
}

// ContentLength returns the length to declare, or -1 for none, because the length is unknown, or there is no content
// and the method does not expect any (RFC 9110, section 8.6).
func ContentLength(request *http.Request) int64 {
	switch {
	case request.Body != nil && request.Body != http.NoBody:
		if request.ContentLength > 0 {
			return request.ContentLength
		}
		return -1
	case request.Method == http.MethodPost, request.Method == http.MethodPut, request.Method == http.MethodPatch:
		return 0
	}
	return -1
}

// Fields returns a header's fields, sorted by name, without those that concern the connection or the framing of
// messages.
func Fields(header http.Header) []*pluginv1.Field {
	fields := make([]*pluginv1.Field, 0, len(header)+2)
	for _, name := range slices.Sorted(maps.Keys(header)) {
		lower := strings.ToLower(name)
		if !travels(lower) || nominated(header, lower) {
			continue
		}
		for _, value := range header[name] {
			fields = append(fields, &pluginv1.Field{Name: lower, Value: []byte(value)})
		}
	}
	return fields
}

// travels reports whether a field is sent. It is also false for fields that are sent in another form: the declared
// length and the announced trailers.
func travels(name string) bool {
	switch name {
	case "expect", "content-length", "trailer":
		return false
	}
	return !wire.IsHopByHop(name)
}

// nominated reports whether the Connection field lists this one (RFC 9110, section 7.6.1).
func nominated(header http.Header, name string) bool {
	for _, value := range header["Connection"] {
		for option := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(option), name) {
				return true
			}
		}
	}
	return false
}
