package udistribution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/types"
)

// maxSignatures and maxSignature (in bytes) are containers/image's own limits.
const (
	maxSignatures = 128
	maxSignature  = 4 << 20
)

// lookaside is a store of signatures outside the registry: <base>@<algorithm>=<hex>/signature-<n>, with n from 1
// (containers/image, docs/signature-protocols.md).
type lookaside struct {
	base *url.URL
	sys  *types.SystemContext
}

// lookasideOf returns the store that registries.d configures for ref, by the rules of docker://.
func lookasideOf(sys *types.SystemContext, ref imageReference, write bool) (*lookaside, error) {
	base, err := SignatureStorageBaseURL(sys, ref, write)
	if err != nil {
		return nil, err
	}
	return &lookaside{base: base, sys: sys}, nil
}

func (l *lookaside) location(manifest digest.Digest, n int) *url.URL {
	u := *l.base
	u.Path = fmt.Sprintf("%s@%s=%s/signature-%d", u.Path, manifest.Algorithm(), manifest.Encoded(), n)
	return &u
}

// read returns the signatures of a manifest, up to the first missing one.
func (l *lookaside) read(ctx context.Context, manifest digest.Digest) ([][]byte, error) {
	signatures := [][]byte{}
	for n := 1; n <= maxSignatures; n++ {
		u := l.location(manifest, n)
		signature, err := l.readOne(ctx, u)
		if errors.Is(err, fs.ErrNotExist) {
			return signatures, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading signature %s: %w", u.Redacted(), err)
		}
		signatures = append(signatures, signature)
	}
	return nil, fmt.Errorf("manifest %s has more than %d signatures", manifest, maxSignatures)
}

// readOne returns a signature, or fs.ErrNotExist.
func (l *lookaside) readOne(ctx context.Context, u *url.URL) ([]byte, error) {
	var content io.ReadCloser
	switch u.Scheme {
	case "file":
		file, err := os.Open(u.Path)
		if err != nil {
			return nil, err
		}
		content = file
	case "http", "https":
		resp, err := get(ctx, l.sys, u.String())
		if err != nil {
			return nil, err
		}
		content = resp.Body
		if resp.StatusCode != http.StatusOK {
			resp.Body.Close()
			if resp.StatusCode == http.StatusNotFound {
				return nil, fs.ErrNotExist
			}
			return nil, errors.New(resp.Status)
		}
	default:
		return nil, fmt.Errorf("unknown scheme %q: expected file, http or https", u.Scheme)
	}
	defer content.Close()
	signature, err := io.ReadAll(io.LimitReader(content, maxSignature+1))
	if err == nil && len(signature) > maxSignature {
		err = fmt.Errorf("it is larger than %d bytes", maxSignature)
	}
	return signature, err
}

// writable returns an error if the store is not a folder.
func (l *lookaside) writable() error {
	if l.base.Scheme != "file" {
		return fmt.Errorf("lookaside store %s is not writable: configure lookaside-staging with a file: URL", l.base.Redacted())
	}
	return nil
}

// replace replaces all signatures of a manifest. Readers stop at the first missing signature, so it removes older ones
// only up to there.
func (l *lookaside) replace(manifest digest.Digest, signatures [][]byte) error {
	if err := l.writable(); err != nil {
		if len(signatures) == 0 {
			return nil // there is nothing to remove
		}
		return err
	}
	for i, signature := range signatures {
		path := l.location(manifest, i+1).Path
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, signature, 0o644); err != nil {
			return err
		}
	}
	for n := len(signatures) + 1; ; n++ {
		err := os.Remove(l.location(manifest, n).Path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
