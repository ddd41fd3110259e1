package udistribution

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/types"
)

// scope is where blobs can be mounted from: every repository of the plugin. The cache keeps transports apart by
// their names; an empty scope is one that not every cache can store.
var scope = types.BICTransportScope{Opaque: "registry"}

// recordBlob remembers that the reference's repository has a blob.
func (r imageReference) recordBlob(cache types.BlobInfoCache, blob digest.Digest) {
	cache.RecordKnownLocation(r.transport, scope, blob, types.BICLocationReference{Opaque: r.repository()})
}

// TryReusingBlob looks for the blob in the repository, and then mounts it from a repository that the cache knows to
// have it.
//
// It never offers another blob with the same content, though canSubstitute allows it: how such a blob is compressed,
// which the manifest must say, is known to the caches' internal interface only.
func (d *imageDestination) TryReusingBlob(ctx context.Context, info types.BlobInfo, cache types.BlobInfoCache, _ bool) (bool, types.BlobInfo, error) {
	if info.Digest == "" {
		return false, types.BlobInfo{}, errors.New("reusing a blob: its digest is unknown")
	}
	if err := info.Digest.Validate(); err != nil {
		return false, types.BlobInfo{}, fmt.Errorf("reusing blob %q: %w", info.Digest, err)
	}
	registry, repository := d.ref.transport.registry, d.ref.repository()
	size, err := registry.ResolveBlob(ctx, repository, info.Digest.String())
	if err != nil {
		return false, types.BlobInfo{}, fmt.Errorf("looking for blob %s in %s: %w", info.Digest, d.ref.ref.Name(), err)
	}
	if size < 0 {
		size = d.mount(ctx, info.Digest, cache)
	}
	if size < 0 {
		return false, types.BlobInfo{}, nil
	}
	d.ref.recordBlob(cache, info.Digest)
	return true, types.BlobInfo{Digest: info.Digest, Size: size}, nil
}

// mount returns the size of the blob it mounted, or -1: then the blob is written, which says what is wrong, if
// anything is.
func (d *imageDestination) mount(ctx context.Context, blob digest.Digest, cache types.BlobInfoCache) int64 {
	registry, repository := d.ref.transport.registry, d.ref.repository()
	for _, candidate := range cache.CandidateLocations(d.ref.transport, scope, blob, false) {
		from := candidate.Location.Opaque
		if from == repository || candidate.Digest != blob {
			continue
		}
		// Asking first saves an upload session that a failed mount would leave behind.
		size, err := registry.ResolveBlob(ctx, from, blob.String())
		if err != nil || size < 0 {
			continue
		}
		if mounted, err := registry.MountBlob(ctx, repository, blob.String(), from); err == nil && mounted {
			return size
		}
	}
	return -1
}
