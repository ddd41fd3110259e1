package distribution

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

func blobTarget(repository, digest string) string {
	return "/v2/" + repository + "/blobs/" + digest
}

// ResolveBlob returns the size in bytes of a blob of the repository, or -1 if it has no such blob.
func (c *Client) ResolveBlob(ctx context.Context, repository, digest string) (int64, error) {
	resp, _, err := c.repeat(ctx, request{method: http.MethodHead, target: blobTarget(repository, digest)})
	if err != nil {
		return -1, err
	}
	switch {
	case resp.StatusCode == http.StatusNotFound:
		drain(resp)
		return -1, nil
	case resp.StatusCode != http.StatusOK:
		return -1, refused(resp)
	}
	drain(resp)
	if resp.ContentLength < 0 {
		return -1, fmt.Errorf("HEAD %s: the response has no Content-Length", blobTarget(repository, digest))
	}
	return resp.ContentLength, nil
}

// OpenBlob returns a blob's content and its size in bytes, or -1 if unknown. If reading is interrupted, it continues
// with a range request.
func (c *Client) OpenBlob(ctx context.Context, repository, digest string) (io.ReadCloser, int64, error) {
	r := request{method: http.MethodGet, target: blobTarget(repository, digest)}
	resp, sent, err := c.repeat(ctx, r)
	if err != nil {
		return nil, -1, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, -1, refused(resp)
	}
	blob := &blobReader{ctx: ctx, client: c, request: r, body: resp.Body, size: resp.ContentLength, sent: sent}
	return blob, resp.ContentLength, nil
}

// blobReader reads a blob's content with as many requests as attempts allows.
type blobReader struct {
	ctx     context.Context
	client  *Client
	request request
	body    io.ReadCloser
	offset  int64
	size    int64 // -1 if unknown
	sent    int
}

func (b *blobReader) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.offset += int64(n)
	if err == io.EOF && b.offset < b.size {
		err = io.ErrUnexpectedEOF
	}
	if err == nil || err == io.EOF {
		return n, err
	}
	if b.ctx.Err() != nil || b.sent >= attempts || b.reopen() != nil {
		return n, fmt.Errorf("GET %s: after %d bytes: %w", b.request.target, b.offset, err)
	}
	return n, nil
}

func (b *blobReader) Close() error {
	return b.body.Close()
}

// reopen continues at the offset (RFC 9110, section 14).
func (b *blobReader) reopen() error {
	_ = b.body.Close()
	b.sent++
	again := b.request
	again.header = http.Header{"Range": {fmt.Sprintf("bytes=%d-", b.offset)}}
	resp, err := b.client.send(b.ctx, again)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusPartialContent {
		return refused(resp)
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", b.offset)) {
		return refused(resp)
	}
	b.body = resp.Body
	return nil
}

// MountBlob makes a blob of another repository, from, available in this one without sending it. It returns false if the
// registry wants the blob to be uploaded instead.
func (c *Client) MountBlob(ctx context.Context, repository, digest, from string) (bool, error) {
	query := url.Values{"mount": {digest}, "from": {from}}
	resp, err := c.send(ctx, request{method: http.MethodPost, target: uploadsTarget(repository) + "?" + query.Encode()})
	if err != nil {
		return false, err
	}
	switch resp.StatusCode {
	case http.StatusCreated:
		drain(resp)
		return true, nil
	case http.StatusAccepted: // it started an upload instead
		drain(resp)
		if session, err := location(resp); err == nil {
			c.cancel(ctx, session)
		}
		return false, nil
	default:
		return false, refused(resp)
	}
}
