// Package distribution speaks the OCI distribution-spec through an [http.RoundTripper], such as a plugin's.
//
// A request that never got a response is repeated when that is safe: GET, HEAD, PUT and DELETE are, and what
// became of a POST or PATCH is found out by asking for the blob or the upload's status (PROTOCOL.md, section 5).
package distribution

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// attempts bounds how often one request is sent.
const attempts = 3

// origin stands where a URL must have a host: a plugin serves one registry and looks at paths only.
const origin = "http://registry"

// Client is a registry behind a RoundTripper. It is safe for concurrent use.
type Client struct {
	transport http.RoundTripper
}

// New returns a client whose requests go through transport.
func New(transport http.RoundTripper) *Client {
	return &Client{transport: transport}
}

// request is one exchange whose content, if any, is at hand and so can be sent again.
type request struct {
	method  string
	target  string // in origin form, with its query
	header  http.Header
	content []byte
}

// send makes the exchange once. The caller closes the response's body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	var body io.Reader
	if r.content != nil {
		body = bytes.NewReader(r.content)
	}
	return c.stream(ctx, r, body, int64(len(r.content)))
}

// stream makes the exchange once with content from body, whose length is -1 if unknown.
func (c *Client) stream(ctx context.Context, r request, body io.Reader, length int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, origin+r.target, body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.target, err)
	}
	if body != nil {
		req.ContentLength = length
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.target, err)
	}
	resp.Request = req // Location is relative to it, and a RoundTripper need not set it
	return resp, nil
}

// repeat makes the exchange, again if there was no response. It is for requests that may be repeated.
func (c *Client) repeat(ctx context.Context, r request) (resp *http.Response, sent int, err error) {
	for sent = 1; ; sent++ {
		resp, err = c.send(ctx, r)
		if err == nil || sent == attempts || ctx.Err() != nil {
			return resp, sent, err
		}
	}
}

// location is the path and query of the response's Location; its authority means nothing to a plugin.
func location(resp *http.Response) (string, error) {
	u, err := resp.Location()
	if err != nil {
		return "", fmt.Errorf("%s %s: %s without a usable Location: %w",
			resp.Request.Method, resp.Request.URL.RequestURI(), resp.Status, err)
	}
	return u.RequestURI(), nil
}

// withQuery is target with one more parameter.
func withQuery(target, name, value string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("location of an upload: %w", err)
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.RequestURI(), nil
}

// drain lets the exchange end by itself when little of the response is left.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody)
	_ = resp.Body.Close()
}
