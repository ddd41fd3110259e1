package distribution

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
)

func uploadsTarget(repository string) string {
	return "/v2/" + repository + "/blobs/uploads/"
}

// PushBlob stores content as a blob of the repository and returns its digest and its size in bytes.
//
// digest is the digest of content, or "" if unknown. With a digest, or if one chunk holds all of it, the blob is sent
// in a single POST. Otherwise it is sent in chunks, and a chunk without a response is resumed from the upload's
// status. If reading content fails, PushBlob returns that error and stores nothing. It does not read content after it
// has returned.
func (c *Client) PushBlob(ctx context.Context, repository string, content io.Reader, digest string) (string, int64, error) {
	source := &source{reader: content}
	defer source.end()
	chunk, err := source.chunk()
	if err != nil {
		return "", -1, err
	}
	switch {
	case len(chunk) < chunkSize:
		if digest == "" {
			digest = digestOf(chunk)
		}
		err = c.pushWhole(ctx, repository, chunk, digest)
	case digest != "":
		err = c.pushStream(ctx, repository, chunk, source, digest)
	default:
		digest, err = c.pushChunks(ctx, repository, chunk, source)
	}
	if err != nil {
		return "", -1, err
	}
	return digest, source.size(), nil
}

// pushWhole pushes a blob that is in memory. It repeats a POST without a response unless the blob exists.
func (c *Client) pushWhole(ctx context.Context, repository string, blob []byte, digest string) error {
	for sent := 1; ; sent++ {
		resp, err := c.send(ctx, blobPost(repository, digest, blob))
		if err == nil {
			return created(resp)
		}
		err = c.unlessStored(ctx, repository, digest, err)
		if err == nil || sent == attempts || ctx.Err() != nil {
			return err
		}
	}
}

// pushStream pushes a blob that is too large to keep, and whose digest is known from the start. It can be repeated as
// long as no more than start, which is in memory, was read. It declares no length, because content may still fail after
// its last byte.
func (c *Client) pushStream(ctx context.Context, repository string, start []byte, rest *source, digest string) error {
	for sent := 1; ; sent++ {
		body := io.MultiReader(bytes.NewReader(start), rest)
		resp, err := c.stream(ctx, blobPost(repository, digest, nil), body, -1)
		if err == nil {
			return created(resp)
		}
		if failure := rest.failure(); failure != nil {
			return failure
		}
		err = c.unlessStored(ctx, repository, digest, err)
		if err == nil || sent == attempts || ctx.Err() != nil || rest.size() > int64(len(start)) {
			return err
		}
	}
}

func blobPost(repository, digest string, content []byte) request {
	query := url.Values{"digest": {digest}}
	return request{
		method:  http.MethodPost,
		target:  uploadsTarget(repository) + "?" + query.Encode(),
		header:  http.Header{"Content-Type": {"application/octet-stream"}},
		content: content,
	}
}

// unlessStored returns err, or nil if the push succeeded although its response was lost.
func (c *Client) unlessStored(ctx context.Context, repository, digest string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	if size, resolveErr := c.ResolveBlob(ctx, repository, digest); resolveErr == nil && size >= 0 {
		return nil
	}
	return err
}

// created checks and closes the response to a push of a blob or a manifest.
func created(resp *http.Response) error {
	if resp.StatusCode != http.StatusCreated {
		return refused(resp)
	}
	drain(resp)
	return nil
}

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}
