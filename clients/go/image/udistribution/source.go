package udistribution

import (
	"context"
	"fmt"
	"io"
	"mime"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/manifest"
	"go.podman.io/image/v5/types"
)

// imageSource reads one image.
type imageSource struct {
	ref       imageReference
	stored    imageReference // where the image is, which may be another name
	sys       *types.SystemContext
	manifest  []byte // read only once, so that the signatures match the returned manifest
	mediaType string
}

// newImageSource reads the manifest, so that it fails if the image does not exist.
func newImageSource(ctx context.Context, sys *types.SystemContext, ref imageReference) (*imageSource, error) {
	return openSource(ctx, sys, ref)
}

// Reference returns the reference of the source.
func (s *imageSource) Reference() types.ImageReference {
	return s.ref
}

// Close does nothing.
func (s *imageSource) Close() error {
	return nil
}

// GetManifest returns the image's manifest and its media type, or with instanceDigest, those of one image in a list.
func (s *imageSource) GetManifest(ctx context.Context, instanceDigest *digest.Digest) ([]byte, string, error) {
	if instanceDigest == nil {
		return s.manifest, s.mediaType, nil
	}
	if err := instanceDigest.Validate(); err != nil {
		return nil, "", fmt.Errorf("invalid digest %q of an instance of %s: %w", *instanceDigest, s.ref.ref, err)
	}
	return s.fetchManifest(ctx, instanceDigest.String())
}

func (s *imageSource) fetchManifest(ctx context.Context, tagOrDigest string) ([]byte, string, error) {
	contents, contentType, err := s.stored.transport.registry.GetManifest(
		ctx, s.stored.repository(), tagOrDigest, manifest.DefaultRequestedManifestMIMETypes)
	if err != nil {
		return nil, "", fmt.Errorf("reading manifest %s in %s: %w", tagOrDigest, s.stored.ref.Name(), err)
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		mediaType = "" // then the caller inspects the manifest
	}
	return contents, mediaType, nil
}

// GetBlob returns a blob and its size in bytes, or -1 if unknown. It reads a foreign layer from its URLs.
func (s *imageSource) GetBlob(ctx context.Context, info types.BlobInfo, cache types.BlobInfoCache) (io.ReadCloser, int64, error) {
	if external := externalURLs(info.URLs); len(external) > 0 {
		return openExternal(ctx, s.sys, external)
	}
	if err := info.Digest.Validate(); err != nil {
		return nil, -1, fmt.Errorf("invalid digest %q of a blob of %s: %w", info.Digest, s.ref.ref, err)
	}
	blob, size, err := s.stored.transport.registry.OpenBlob(ctx, s.stored.repository(), info.Digest.String())
	if err != nil {
		return nil, -1, fmt.Errorf("reading blob %s in %s: %w", info.Digest, s.stored.ref.Name(), err)
	}
	s.stored.recordBlob(cache, info.Digest)
	return blob, size, nil
}

// HasThreadSafeGetBlob reports that blobs can be read concurrently.
func (s *imageSource) HasThreadSafeGetBlob() bool {
	return true
}

// GetSignatures returns the image's signatures from the lookaside store, or with instanceDigest, those of one image
// in a list.
func (s *imageSource) GetSignatures(ctx context.Context, instanceDigest *digest.Digest) ([][]byte, error) {
	signed, err := digestLike(s.ref, s.manifest)
	if instanceDigest != nil {
		signed, err = *instanceDigest, instanceDigest.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("signatures of %s: %w", s.ref.ref, err)
	}
	signatures, err := lookasideOf(s.sys, s.stored, false)
	if err != nil {
		return nil, err
	}
	return signatures.read(ctx, signed)
}

// LayerInfosForCopy returns nil, so that the layers in the manifest are copied.
func (s *imageSource) LayerInfosForCopy(context.Context, *digest.Digest) ([]types.BlobInfo, error) {
	return nil, nil
}
