// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution

import (
	"context"
	"fmt"
	"strings"

	"github.com/containers/image/v5/docker/policyconfiguration"
	"github.com/containers/image/v5/docker/reference"
	"github.com/containers/image/v5/types"
)

// accepted is the form of references, for error messages.
const accepted = "//name[:tag] or //name@digest"

// imageReference is an image in one transport. Its reference has either a tag or a digest.
type imageReference struct {
	ref       reference.Named
	transport *UdistributionTransport
}

// ParseReference parses "//name[:tag|@digest]" as a reference of ut. The default tag is latest.
func ParseReference(refString string, ut *UdistributionTransport) (types.ImageReference, error) {
	name, found := strings.CutPrefix(refString, "//")
	if !found {
		return nil, fmt.Errorf("image reference %q does not start with //: expected %s", refString, accepted)
	}
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, fmt.Errorf("image reference %q: %w: expected %s", refString, err, accepted)
	}
	return NewReference(reference.TagNameOnly(ref), ut)
}

// NewReference returns a reference of ut for ref, which must have either a tag or a digest.
func NewReference(ref reference.Named, ut *UdistributionTransport) (types.ImageReference, error) {
	if ut == nil {
		return nil, errNoTransport
	}
	if reference.IsNameOnly(ref) {
		return nil, fmt.Errorf("image reference %s has neither a tag nor a digest: expected %s", reference.FamiliarString(ref), accepted)
	}
	_, tagged := ref.(reference.NamedTagged)
	_, digested := ref.(reference.Canonical)
	if tagged && digested {
		return nil, fmt.Errorf("image reference %s has both a tag and a digest: expected %s", reference.FamiliarString(ref), accepted)
	}
	return imageReference{ref: ref, transport: ut}, nil
}

// GetRef returns the Docker reference of ir, or nil if ir does not belong to this package.
func GetRef(ir types.ImageReference) reference.Named {
	if r, ok := ir.(imageReference); ok {
		return r.ref
	}
	return nil
}

// Transport returns the transport of the reference.
func (r imageReference) Transport() types.ImageTransport {
	return r.transport
}

// StringWithinTransport returns the reference in its shortest form, which ParseReference accepts.
func (r imageReference) StringWithinTransport() string {
	return "//" + reference.FamiliarString(r.ref)
}

// DockerReference returns the normalized reference, with its tag or digest.
func (r imageReference) DockerReference() reference.Named {
	return r.ref
}

// PolicyConfigurationIdentity returns the whole normalized reference.
func (r imageReference) PolicyConfigurationIdentity() string {
	identity, err := policyconfiguration.DockerReferenceIdentity(r.ref)
	if err != nil { // NewReference rejects all references that could cause it
		panic(err)
	}
	return identity
}

// PolicyConfigurationNamespaces returns the name and its parents, longest first, and then the wildcards for the domain.
func (r imageReference) PolicyConfigurationNamespaces() []string {
	return policyconfiguration.DockerReferenceNamespaces(r.ref)
}

// NewImage returns the image, or from a list, the one that matches sys. The caller must close it.
func (r imageReference) NewImage(ctx context.Context, sys *types.SystemContext) (types.ImageCloser, error) {
	return newImage(ctx, sys, r)
}

// NewImageSource returns a source for reading the image. The caller must close it.
func (r imageReference) NewImageSource(ctx context.Context, sys *types.SystemContext) (types.ImageSource, error) {
	return newImageSource(ctx, sys, r)
}

// NewImageDestination returns a destination for writing the image. The caller must close it.
func (r imageReference) NewImageDestination(_ context.Context, sys *types.SystemContext) (types.ImageDestination, error) {
	if _, err := findRegistry(sys, r); err != nil {
		return nil, err
	}
	return newImageDestination(sys, r), nil
}

// DeleteImage deletes the image's manifest with all its tags and signatures. Its blobs remain until garbage collection.
func (r imageReference) DeleteImage(ctx context.Context, sys *types.SystemContext) error {
	return deleteImage(ctx, sys, r)
}

// repository returns the name without its domain, because a plugin is a single registry.
func (r imageReference) repository() string {
	return reference.Path(r.ref)
}

// tagOrDigest returns the last part of the manifest's URL.
func (r imageReference) tagOrDigest() string {
	if digested, ok := r.ref.(reference.Canonical); ok {
		return digested.Digest().String()
	}
	return r.ref.(reference.NamedTagged).Tag()
}
