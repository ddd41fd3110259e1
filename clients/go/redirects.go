package udist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"udist.dev/plugin/udist/internal/message"
)

// hops is how many redirects are followed for one request, including the plugin's.
const hops = 5

// patience limits each wait for a store: for the head of its response, and for more content.
var patience = time.Minute

var errSilent = errors.New("it did not respond in time")

// asked are the request fields that are sent to a store, and given the fields that are taken from its response.
// Credentials are only for the registry (PROTOCOL.md, section 3).
var (
	asked = []string{"Range", "If-Range", "User-Agent"}
	given = []string{
		"Accept-Ranges", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Last-Modified",
	}
)

// locationOf returns the URL of the requested content in the store, or nil if the plugin's response is to be used
// itself.
func locationOf(request *http.Request, target string, response *http.Response) *url.URL {
	content := request.Method == "" || request.Method == http.MethodGet || request.Method == http.MethodHead
	if !content || response.StatusCode != http.StatusTemporaryRedirect || !strings.Contains(target, "/blobs/") {
		return nil
	}
	location, err := url.Parse(response.Header.Get("Location"))
	if err != nil || !fetchable(location) {
		return nil
	}
	return location
}

func fetchable(location *url.URL) bool {
	return (location.Scheme == "http" || location.Scheme == "https") && location.Host != ""
}

// fetch gets content from the store to which the plugin redirected request. The result looks as if the plugin had sent
// it.
func fetch(network http.RoundTripper, request *http.Request, redirect *http.Response, from *url.URL) (*http.Response, error) {
	_ = redirect.Body.Close()
	if network == nil {
		network = http.DefaultTransport
	}
	outer, done := message.Context(request)
	ctx, cancel := context.WithCancelCause(outer)
	s := &store{ctx: ctx, cancel: func(cause error) { cancel(cause); done() }, at: from}
	s.watch = time.AfterFunc(patience, func() { cancel(errSilent) })
	response, err := s.follow(network, request)
	s.watch.Stop()
	if err != nil {
		defer s.cancel(nil)
		return nil, s.failed(err)
	}
	s.body = response.Body
	header := redirect.Header.Clone()
	for _, name := range append([]string{"Location"}, given...) {
		header.Del(name)
	}
	copyFields(header, response.Header, given)
	response.Header, response.Request, response.Body = header, request, s
	return response, nil
}

// store fetches content, and is the body of the response.
type store struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	watch  *time.Timer
	at     *url.URL
	body   io.ReadCloser
}

// follow follows further redirects, and returns the first response that is not one.
func (s *store) follow(network http.RoundTripper, request *http.Request) (*http.Response, error) {
	for range hops {
		asking, err := http.NewRequestWithContext(s.ctx, request.Method, s.at.String(), nil)
		if err != nil {
			return nil, errors.New("the location is not a valid URL")
		}
		asking.Header = http.Header{"Accept-Encoding": {"identity"}, "User-Agent": {implementation}}
		copyFields(asking.Header, request.Header, asked)
		response, err := network.RoundTrip(asking)
		if err != nil {
			return nil, err
		}
		switch response.StatusCode {
		case http.StatusOK, http.StatusPartialContent, http.StatusNotModified, http.StatusRequestedRangeNotSatisfiable:
			return response, nil
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
			http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
			_ = response.Body.Close()
			location := response.Header.Get("Location")
			next, err := s.at.Parse(location)
			if location == "" || err != nil || !fetchable(next) || s.at.Scheme == "https" && next.Scheme != "https" {
				return nil, fmt.Errorf("it responded with %s, but without a usable Location", response.Status)
			}
			s.at = next
		default:
			_ = response.Body.Close()
			return nil, fmt.Errorf("it responded with %s", response.Status)
		}
	}
	return nil, fmt.Errorf("it redirected more than %d times", hops)
}

// Read reads content. Errors are about the store, not about the plugin.
func (s *store) Read(p []byte) (int, error) {
	s.watch.Reset(patience)
	n, err := s.body.Read(p)
	s.watch.Stop()
	if err != nil && err != io.EOF {
		err = s.failed(err)
	}
	return n, err
}

// Close discards the unread rest.
func (s *store) Close() error {
	s.watch.Stop()
	s.cancel(http.ErrBodyReadAfterClose)
	return s.body.Close()
}

// failed converts a network error to one of this package. It never shows the query of a URL, because that may give
// access to the store.
func (s *store) failed(err error) error {
	cause := context.Cause(s.ctx)
	if cause == errSilent {
		err = errSilent
	} else if cause != nil {
		return cause
	}
	told := &Error{
		Kind: ErrRedirect, Code: "UNAVAILABLE", Retryable: true, Err: err,
		Message: fmt.Sprintf("cannot fetch content from the store at %s://%s: %v; "+
			"without Config.FollowRedirects, the plugin sends it instead", s.at.Scheme, s.at.Host, err),
	}
	if cause == errSilent {
		told.Code = "DEADLINE_EXCEEDED"
	}
	return told
}

func copyFields(to, from http.Header, names []string) {
	for _, name := range names {
		if values := from[name]; len(values) > 0 {
			to[name] = values
		}
	}
}
