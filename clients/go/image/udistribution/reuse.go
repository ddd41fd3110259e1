package udistribution

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/types"
)

// scope covers every repository of the plugin, because blobs can be mounted from all of them. The cache distinguishes
// transports by their names. Not every cache can store an empty scope.
var scope = types.BICTransportScope{Opaque: "registry"}

// recordBlob records that the reference's repository has a blob.
func (r imageReference) recordBlob(cache types.BlobInfoCache, blob digest.Digest) {
	cache.RecordKnownLocation(r.transport, scope, blob, types.BICLocationReference{Opaque: r.repository()})
}

// TryReusingBlob looks for the blob in the repository, and otherwise mounts it from another repository that has it
// according to the cache.
//
// It never substitutes another blob with the same uncompressed content, even if canSubstitute is true. The manifest
// would have to state how that blob is compressed, which only the internal interface of the caches provides.
func (d *imageDestination) TryReusingBlob(ctx context.Context, info types.BlobInfo, cache types.BlobInfoCache, _ bool) (bool, types.BlobInfo, error) {
	if info.Digest == "" {
		return false, types.BlobInfo{}, errors.New("cannot reuse a blob with an unknown digest")
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

// mount mounts a blob and returns its size, or -1 if that is not possible. Then the caller writes the blob, which
// reports any errors.
func (d *imageDestination) mount(ctx context.Context, blob digest.Digest, cache types.BlobInfoCache) int64 {
	registry, repository := d.ref.transport.registry, d.ref.repository()
	for _, candidate := range cache.CandidateLocations(d.ref.transport, scope, blob, false) {
		from := candidate.Location.Opaque
		if from == repository || candidate.Digest != blob {
			continue
		}
		// A failed mount would leave an upload session behind, so check first.
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
