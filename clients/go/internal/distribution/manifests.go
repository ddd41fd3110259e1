package distribution

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// maxManifest is the largest manifest that is read, in bytes. It is distribution's own limit.
const maxManifest = 4 << 20

func manifestTarget(repository, reference string) string {
	return "/v2/" + repository + "/manifests/" + reference
}

// GetManifest returns a manifest's bytes and its media type. reference is a tag or a digest, and accept lists the
// acceptable media types.
func (c *Client) GetManifest(ctx context.Context, repository, reference string, accept []string) ([]byte, string, error) {
	r := request{
		method: http.MethodGet,
		target: manifestTarget(repository, reference),
		header: http.Header{"Accept": accept},
	}
	resp, _, err := c.repeat(ctx, r)
	if err != nil {
		return nil, "", err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, "", refused(resp)
	}
	defer resp.Body.Close()
	manifest, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	if err != nil {
		return nil, "", fmt.Errorf("GET %s: %w", r.target, err)
	}
	if len(manifest) > maxManifest {
		return nil, "", fmt.Errorf("GET %s: the manifest is larger than %d bytes", r.target, maxManifest)
	}
	return manifest, resp.Header.Get("Content-Type"), nil
}

// ResolveManifest returns the digest of a manifest that the registry reports.
func (c *Client) ResolveManifest(ctx context.Context, repository, reference string, accept []string) (string, error) {
	resp, _, err := c.repeat(ctx, request{
		method: http.MethodHead,
		target: manifestTarget(repository, reference),
		header: http.Header{"Accept": accept},
	})
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", refused(resp)
	}
	drain(resp)
	return resp.Header.Get("Docker-Content-Digest"), nil
}

// PushManifest stores a manifest under a tag or its digest.
func (c *Client) PushManifest(ctx context.Context, repository, reference, mediaType string, manifest []byte) error {
	r := request{method: http.MethodPut, target: manifestTarget(repository, reference), content: manifest}
	if mediaType != "" {
		r.header = http.Header{"Content-Type": {mediaType}}
	}
	resp, _, err := c.repeat(ctx, r)
	if err != nil {
		return err
	}
	return created(resp)
}

// DeleteManifest deletes a manifest and all its tags from the repository.
func (c *Client) DeleteManifest(ctx context.Context, repository, digest string) error {
	resp, sent, err := c.repeat(ctx, request{method: http.MethodDelete, target: manifestTarget(repository, digest)})
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusNotFound && sent > 1 {
		drain(resp) // an earlier request did it, but its response was lost
		return nil
	}
	if resp.StatusCode != http.StatusAccepted {
		return refused(resp)
	}
	drain(resp)
	return nil
}
