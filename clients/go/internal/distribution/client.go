// Package distribution speaks the OCI distribution-spec through an [http.RoundTripper], such as a plugin's.
//
// A request without a response is repeated if that is safe, as it is for GET, HEAD, PUT and DELETE. For a POST or
// PATCH, the blob or the upload's status shows whether it had an effect (PROTOCOL.md, section 5).
package distribution

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// attempts limits how often a request is sent.
const attempts = 3

// origin is the scheme and host in URLs. A plugin serves one registry and ignores them.
const origin = "http://registry"

// Client is a client for the registry behind a RoundTripper. It is safe for concurrent use.
type Client struct {
	transport http.RoundTripper
}

// New returns a client whose requests go through transport.
func New(transport http.RoundTripper) *Client {
	return &Client{transport: transport}
}

// request is a request whose content, if any, is in memory and can be sent again.
type request struct {
	method  string
	target  string // in origin form, with its query
	header  http.Header
	content []byte
}

// send sends the request once. The caller closes the response's body.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	var body io.Reader
	if r.content != nil {
		body = bytes.NewReader(r.content)
	}
	return c.stream(ctx, r, body, int64(len(r.content)))
}

// stream sends the request once, with content from body, whose length is -1 if unknown.
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

// repeat sends the request, again if there was no response. Use it only for requests that can be repeated.
func (c *Client) repeat(ctx context.Context, r request) (resp *http.Response, sent int, err error) {
	for sent = 1; ; sent++ {
		resp, err = c.send(ctx, r)
		if err == nil || sent == attempts || ctx.Err() != nil {
			return resp, sent, err
		}
	}
}

// location returns the path and query of the response's Location. A plugin ignores the host in it.
func location(resp *http.Response) (string, error) {
	u, err := resp.Location()
	if err != nil {
		return "", fmt.Errorf("%s %s: response %s without a usable Location: %w",
			resp.Request.Method, resp.Request.URL.RequestURI(), resp.Status, err)
	}
	return u.RequestURI(), nil
}

// withQuery adds a query parameter to target.
func withQuery(target, name, value string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", fmt.Errorf("invalid location of an upload: %w", err)
	}
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.RequestURI(), nil
}

// drain reads the rest of a response, if it is short, and closes it.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, maxErrorBody)
	_ = resp.Body.Close()
}
