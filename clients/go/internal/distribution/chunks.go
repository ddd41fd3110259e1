package distribution

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// chunkSize is how much of a blob with unknown digest is sent at a time, and kept until it is acknowledged.
const chunkSize = 4 << 20

// cancelTimeout limits how long canceling an upload may take.
const cancelTimeout = 10 * time.Second

// pushChunks pushes a blob with unknown digest through an upload session (distribution-spec, "Pushing a blob in
// chunks") and returns its digest.
func (c *Client) pushChunks(ctx context.Context, repository string, chunk []byte, rest *source) (string, error) {
	u, err := c.startUpload(ctx, repository)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for len(chunk) > 0 {
		hash.Write(chunk)
		if err = u.write(ctx, chunk); err != nil {
			break
		}
		if chunk, err = rest.chunk(); err != nil {
			break
		}
	}
	digest := "sha256:" + hex.EncodeToString(hash.Sum(nil))
	if err == nil {
		err = u.commit(ctx, repository, digest)
	}
	if err != nil {
		c.cancel(ctx, u.location)
		return "", err
	}
	return digest, nil
}

// upload is an upload session: its location, and how many bytes the registry has acknowledged.
type upload struct {
	client   *Client
	location string
	offset   int64
}

// startUpload opens a session. It repeats a POST without a response, because unused sessions expire.
func (c *Client) startUpload(ctx context.Context, repository string) (*upload, error) {
	resp, _, err := c.repeat(ctx, request{method: http.MethodPost, target: uploadsTarget(repository)})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusAccepted {
		return nil, refused(resp)
	}
	drain(resp)
	where, err := location(resp)
	if err != nil {
		return nil, err
	}
	return &upload{client: c, location: where}, nil
}

// write sends the next chunk. If there is no response, the session's status says how much of it arrived.
func (u *upload) write(ctx context.Context, chunk []byte) error {
	end := u.offset + int64(len(chunk))
	for sent := 1; u.offset < end; sent++ {
		left := chunk[int64(len(chunk))-(end-u.offset):]
		resp, err := u.client.send(ctx, request{
			method: http.MethodPatch,
			target: u.location,
			header: http.Header{
				"Content-Type":  {"application/octet-stream"},
				"Content-Range": {fmt.Sprintf("%d-%d", u.offset, end-1)},
			},
			content: left,
		})
		if err == nil && resp.StatusCode != http.StatusAccepted {
			return refused(resp)
		}
		if err == nil {
			drain(resp)
			return u.advance(resp, end)
		}
		if sent == attempts || ctx.Err() != nil {
			return err
		}
		if err := u.resolve(ctx, u.offset, end); err != nil {
			return err
		}
	}
	return nil
}

// resolve sets the offset to the number of bytes that the registry has, which is between start and end.
func (u *upload) resolve(ctx context.Context, start, end int64) error {
	resp, _, err := u.client.repeat(ctx, request{method: http.MethodGet, target: u.location})
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		return refused(resp)
	}
	drain(resp)
	offset, ok := receivedBytes(resp.Header.Get("Range"))
	if !ok || offset < start || offset > end {
		return fmt.Errorf("GET %s: invalid Range %q: expected 0-<last byte>, for %d to %d bytes",
			u.location, resp.Header.Get("Range"), start, end)
	}
	return u.advance(resp, offset)
}

// advance continues at offset, and at the location given in the response.
func (u *upload) advance(resp *http.Response, offset int64) error {
	where, err := location(resp)
	if err != nil {
		return err
	}
	u.location, u.offset = where, offset
	return nil
}

// receivedBytes parses a session's Range. A session without any bytes can only say 0-0, so that is taken to mean none;
// a chunk that begins at 0 is then sent again from there.
func receivedBytes(field string) (int64, bool) {
	last, found := strings.CutPrefix(field, "0-")
	n, err := strconv.ParseInt(last, 10, 64)
	if n == 0 {
		return 0, found && err == nil
	}
	return n + 1, found && err == nil
}

// commit turns the session's bytes into the blob. If the response is lost, commit checks whether the blob exists.
func (u *upload) commit(ctx context.Context, repository, digest string) error {
	target, err := withQuery(u.location, "digest", digest)
	if err != nil {
		return err
	}
	resp, sent, err := u.client.repeat(ctx, request{method: http.MethodPut, target: target})
	if err == nil {
		err = created(resp)
	}
	if err != nil && sent > 1 {
		return u.client.unlessStored(ctx, repository, digest, err)
	}
	return err
}

// cancel cancels an upload. It continues for a while after ctx has ended, and ignores errors, because sessions expire
// anyway.
func (c *Client) cancel(ctx context.Context, location string) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), cancelTimeout)
	defer stop()
	if resp, err := c.send(ctx, request{method: http.MethodDelete, target: location}); err == nil {
		drain(resp)
	}
}
