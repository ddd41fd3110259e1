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
)

// hops is how many redirects are followed for one request, the plugin's among them.
const hops = 5

// patience bounds each wait for a store: for the head of its answer, and for more of its content.
var patience = time.Minute

var errSilent = errors.New("it was silent for too long")

// asked are the fields of a request that a store is told, and told those of its answer that are handed back.
// Credentials are for the registry alone (PROTOCOL.md, section 3).
var (
	asked = []string{"Range", "If-Range", "User-Agent"}
	given = []string{
		"Accept-Ranges", "Content-Encoding", "Content-Length", "Content-Range", "Content-Type", "Last-Modified",
	}
)

// locationOf is where the store has the content that was asked for; nil if the plugin's answer is the answer.
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

// fetch gets from the store what the plugin has redirected request to, as if the plugin had answered so itself.
func fetch(network http.RoundTripper, request *http.Request, redirect *http.Response, from *url.URL) (*http.Response, error) {
	_ = redirect.Body.Close()
	if network == nil {
		network = http.DefaultTransport
	}
	outer, done := contextOf(request)
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

// store is where content is fetched, and the content.
type store struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	watch  *time.Timer
	at     *url.URL
	body   io.ReadCloser
}

// follow asks at one place after the other, and returns the answer that is none of where else to ask.
func (s *store) follow(network http.RoundTripper, request *http.Request) (*http.Response, error) {
	for range hops {
		asking, err := http.NewRequestWithContext(s.ctx, request.Method, s.at.String(), nil)
		if err != nil {
			return nil, errors.New("the location is no URL")
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
				return nil, fmt.Errorf("it answered %s, but not with where to go on", response.Status)
			}
			s.at = next
		default:
			_ = response.Body.Close()
			return nil, fmt.Errorf("it answered %s", response.Status)
		}
	}
	return nil, fmt.Errorf("more than %d redirects", hops)
}

// Read reads content. The error tells what has become of the store, not of the plugin.
func (s *store) Read(p []byte) (int, error) {
	s.watch.Reset(patience)
	n, err := s.body.Read(p)
	s.watch.Stop()
	if err != nil && err != io.EOF {
		err = s.failed(err)
	}
	return n, err
}

// Close drops what was not read.
func (s *store) Close() error {
	s.watch.Stop()
	s.cancel(http.ErrBodyReadAfterClose)
	return s.body.Close()
}

// failed is an error of the network as one of this package. A URL's query may be a key to the store, so that it
// is never shown.
func (s *store) failed(err error) error {
	cause := context.Cause(s.ctx)
	if cause == errSilent {
		err = errSilent
	} else if cause != nil {
		return cause
	}
	told := &Error{
		Kind: ErrRedirect, Code: "UNAVAILABLE", Retryable: true, Err: err,
		Message: fmt.Sprintf("the content is at %s://%s, and could not be had there: %v; "+
			"without Config.FollowRedirects the plugin sends it itself", s.at.Scheme, s.at.Host, err),
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
