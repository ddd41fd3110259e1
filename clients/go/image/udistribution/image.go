package udistribution

import (
	"context"
	"errors"
	"fmt"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/manifest"
	"go.podman.io/image/v5/types"
)

// Image is a [types.ImageCloser] that also knows its repository.
type Image struct {
	types.ImageCloser
	ref imageReference
}

func newImage(ctx context.Context, sys *types.SystemContext, ref imageReference) (types.ImageCloser, error) {
	source, err := newImageSource(ctx, sys, ref)
	if err != nil {
		return nil, err
	}
	img, err := image.FromSource(ctx, sys, source)
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	return &Image{ImageCloser: img, ref: ref}, nil
}

// SourceRefFullName returns the normalized name of the image's repository, with its domain.
func (i *Image) SourceRefFullName() string {
	return i.ref.ref.Name()
}

// GetRepositoryTags lists all tags of the image's repository.
func (i *Image) GetRepositoryTags(ctx context.Context) ([]string, error) {
	return GetRepositoryTags(ctx, nil, i.ref)
}

// GetRepositoryTags lists all tags of ref's repository. The tag or digest of ref does not matter.
func GetRepositoryTags(ctx context.Context, _ *types.SystemContext, ref types.ImageReference) ([]string, error) {
	r, err := ours(ref)
	if err != nil {
		return nil, err
	}
	tags, err := r.transport.registry.ListTags(ctx, r.repository())
	if err != nil {
		return nil, fmt.Errorf("listing the tags of %s: %w", r.ref.Name(), err)
	}
	return tags, nil
}

// GetDigest returns the digest of ref's manifest without reading the manifest.
func GetDigest(ctx context.Context, _ *types.SystemContext, ref types.ImageReference) (digest.Digest, error) {
	r, err := ours(ref)
	if err != nil {
		return "", err
	}
	given, err := r.transport.registry.ResolveManifest(ctx, r.repository(), r.tagOrDigest(), manifest.DefaultRequestedManifestMIMETypes)
	if err != nil {
		return "", fmt.Errorf("reading the digest of %s: %w", r.ref, err)
	}
	return digest.Parse(given)
}

func ours(ref types.ImageReference) (imageReference, error) {
	r, ok := ref.(imageReference)
	if !ok {
		return r, fmt.Errorf("reference %s belongs to transport %s: expected a udistribution transport",
			ref.StringWithinTransport(), ref.Transport().Name())
	}
	return r, nil
}

// deleteImage deletes the image by digest, as the registry requires, and therefore with all its tags.
func deleteImage(ctx context.Context, sys *types.SystemContext, ref imageReference) error {
	registry := ref.transport.registry
	contents, _, err := registry.GetManifest(ctx, ref.repository(), ref.tagOrDigest(), manifest.DefaultRequestedManifestMIMETypes)
	if err != nil {
		return fmt.Errorf("deleting %s: %w", ref.ref, err)
	}
	found, err := digestLike(ref, contents)
	if err != nil {
		return fmt.Errorf("deleting %s: %w", ref.ref, err)
	}
	if err := registry.DeleteManifest(ctx, ref.repository(), found.String()); err != nil {
		return fmt.Errorf("deleting %s: %w", ref.ref, err)
	}
	signatures, err := lookasideOf(sys, ref, true)
	if err != nil {
		return err
	}
	return signatures.replace(found, nil)
}

// digestLike returns the digest of a manifest: the one in the reference, or the computed one if it was read by tag.
func digestLike(ref imageReference, contents []byte) (digest.Digest, error) {
	if digested, ok := ref.ref.(reference.Canonical); ok {
		return digested.Digest(), nil
	}
	return manifest.Digest(contents)
}
