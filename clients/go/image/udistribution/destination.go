package udistribution

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	imgspecv1 "github.com/opencontainers/image-spec/specs-go/v1"
	"go.podman.io/image/v5/manifest"
	"go.podman.io/image/v5/types"
	"udist.dev/plugin/udist/internal/distribution"
)

// manifestTypes are the types of manifests that a plugin stores. Schema 1 is not among them.
var manifestTypes = []string{
	imgspecv1.MediaTypeImageManifest,
	manifest.DockerV2Schema2MediaType,
	imgspecv1.MediaTypeImageIndex,
	manifest.DockerV2ListMediaType,
}

// imageDestination writes one image.
type imageDestination struct {
	ref    imageReference
	sys    *types.SystemContext
	stored digest.Digest // the digest of the image's own manifest, "" before PutManifest
}

func newImageDestination(sys *types.SystemContext, ref imageReference) *imageDestination {
	return &imageDestination{ref: ref, sys: sys}
}

// Reference returns the reference of the destination.
func (d *imageDestination) Reference() types.ImageReference {
	return d.ref
}

// Close does nothing.
func (d *imageDestination) Close() error {
	return nil
}

// SupportedManifestMIMETypes lists the types of manifests that a plugin stores, with the preferred type first.
func (d *imageDestination) SupportedManifestMIMETypes() []string {
	return manifestTypes
}

// SupportsSignatures returns an error if the lookaside store is not writable.
func (d *imageDestination) SupportsSignatures(context.Context) error {
	signatures, err := lookasideOf(d.sys, d.ref, true)
	if err != nil {
		return err
	}
	return signatures.writable()
}

// DesiredLayerCompression asks for compressed layers, which are usual in registries.
func (d *imageDestination) DesiredLayerCompression() types.LayerCompression {
	return types.Compress
}

// AcceptsForeignLayerURLs reports that foreign layers need not be written. The registry accepts manifests with any
// layer URLs, unless its configuration says otherwise (validation.manifests.urls).
func (d *imageDestination) AcceptsForeignLayerURLs() bool {
	return true
}

// MustMatchRuntimeOS reports that images for any operating system can be stored.
func (d *imageDestination) MustMatchRuntimeOS() bool {
	return false
}

// IgnoresEmbeddedDockerReference reports that manifests need not be changed for their new name, because only schema 1
// contains a name.
func (d *imageDestination) IgnoresEmbeddedDockerReference() bool {
	return true
}

// HasThreadSafePutBlob reports that blobs can be written concurrently.
func (d *imageDestination) HasThreadSafePutBlob() bool {
	return true
}

// PutBlob writes a blob while reading it from stream, and returns its digest and size. If stream fails, nothing is
// stored.
func (d *imageDestination) PutBlob(ctx context.Context, stream io.Reader, info types.BlobInfo, cache types.BlobInfoCache, isConfig bool) (types.BlobInfo, error) {
	if isConfig && info.Digest != "" { // copy.Image tries to reuse layers, but not the config
		if reused, blob, err := d.TryReusingBlob(ctx, info, cache, false); reused || err != nil {
			return blob, err
		}
	}
	pushed, size, err := d.ref.transport.registry.PushBlob(ctx, d.ref.repository(), stream, info.Digest.String())
	if err != nil {
		return types.BlobInfo{}, fmt.Errorf("writing blob to %s: %w", d.ref.ref.Name(), err)
	}
	written := digest.Digest(pushed)
	d.ref.recordBlob(cache, written)
	return types.BlobInfo{Digest: written, Size: size}, nil
}

// PutManifest writes the image's manifest, or with instanceDigest, the manifest of one image in a list.
func (d *imageDestination) PutManifest(ctx context.Context, contents []byte, instanceDigest *digest.Digest) error {
	reference := d.ref.tagOrDigest()
	if instanceDigest != nil {
		if err := matches(contents, *instanceDigest); err != nil {
			return err
		}
		reference = instanceDigest.String()
	} else {
		stored, err := digestLike(d.ref, contents)
		if err != nil {
			return err
		}
		d.stored = stored
	}
	err := d.ref.transport.registry.PushManifest(ctx, d.ref.repository(), reference, manifest.GuessMIMEType(contents), contents)
	if err == nil {
		return nil
	}
	err = fmt.Errorf("writing manifest %s to %s: %w", reference, d.ref.ref.Name(), err)
	var refusal *distribution.Error
	if errors.As(err, &refusal) && refusal.Has("MANIFEST_INVALID") {
		return types.ManifestTypeRejectedError{Err: err} // another type may be accepted
	}
	return err
}

func matches(contents []byte, expected digest.Digest) error {
	same, err := manifest.MatchesDigest(contents, expected)
	if err == nil && !same {
		err = fmt.Errorf("the manifest has another digest, %s", digest.FromBytes(contents))
	}
	if err != nil {
		return fmt.Errorf("instance %q: %w", expected, err)
	}
	return nil
}

// PutSignatures writes the signatures of the image's manifest, or with instanceDigest, those of one image in a list, to
// the lookaside store. Call it after PutManifest.
func (d *imageDestination) PutSignatures(_ context.Context, signatures [][]byte, instanceDigest *digest.Digest) error {
	if len(signatures) == 0 {
		return nil
	}
	signed := d.stored
	if instanceDigest != nil {
		signed = *instanceDigest
	}
	if err := signed.Validate(); err != nil {
		return fmt.Errorf("signatures of %s: manifest digest %q: %w", d.ref.ref, signed, err)
	}
	store, err := lookasideOf(d.sys, d.ref, true)
	if err != nil {
		return err
	}
	return store.replace(signed, signatures)
}

// Commit does nothing: the manifest is already stored and visible.
func (d *imageDestination) Commit(context.Context, types.UnparsedImage) error {
	return nil
}
