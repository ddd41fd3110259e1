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

// accepted is what a reference looks like, for errors.
const accepted = "//name[:tag] or //name@digest"

// imageReference is an image of one transport. Its reference has a tag or a digest and not both.
type imageReference struct {
	ref       reference.Named
	transport *UdistributionTransport
}

// ParseReference parses "//name[:tag|@digest]" as a reference of ut. Without tag and digest the tag is latest.
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

// NewReference returns a reference of ut for ref, which must have a tag or a digest, and not both.
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

// GetRef returns the Docker reference of ir, or nil if ir is not a reference of this package.
func GetRef(ir types.ImageReference) reference.Named {
	if r, ok := ir.(imageReference); ok {
		return r.ref
	}
	return nil
}

// Transport returns the transport the reference was made by.
func (r imageReference) Transport() types.ImageTransport {
	return r.transport
}

// StringWithinTransport is the reference in its shortest form, as ParseReference takes it.
func (r imageReference) StringWithinTransport() string {
	return "//" + reference.FamiliarString(r.ref)
}

// DockerReference is the normalised reference, with its tag or digest.
func (r imageReference) DockerReference() reference.Named {
	return r.ref
}

// PolicyConfigurationIdentity is the whole normalised reference.
func (r imageReference) PolicyConfigurationIdentity() string {
	identity, err := policyconfiguration.DockerReferenceIdentity(r.ref)
	if err != nil { // NewReference refuses what could cause it
		panic(err)
	}
	return identity
}

// PolicyConfigurationNamespaces are the name and its parents, longest first, then the domain's wildcards.
func (r imageReference) PolicyConfigurationNamespaces() []string {
	return policyconfiguration.DockerReferenceNamespaces(r.ref)
}

// NewImage returns the image, of a list the one for sys. The caller closes it.
func (r imageReference) NewImage(ctx context.Context, sys *types.SystemContext) (types.ImageCloser, error) {
	return newImage(ctx, sys, r)
}

// NewImageSource returns a source to read the image from. The caller closes it.
func (r imageReference) NewImageSource(ctx context.Context, sys *types.SystemContext) (types.ImageSource, error) {
	return newImageSource(ctx, sys, r)
}

// NewImageDestination returns a destination to write the image to. The caller closes it.
func (r imageReference) NewImageDestination(_ context.Context, sys *types.SystemContext) (types.ImageDestination, error) {
	return newImageDestination(sys, r), nil
}

// DeleteImage removes the image's manifest with all its tags and signatures. Its blobs stay until they are collected.
func (r imageReference) DeleteImage(ctx context.Context, sys *types.SystemContext) error {
	return deleteImage(ctx, sys, r)
}

// repository is the name without its domain: a plugin has one registry.
func (r imageReference) repository() string {
	return reference.Path(r.ref)
}

// tagOrDigest is the last part of a manifest's URL.
func (r imageReference) tagOrDigest() string {
	if digested, ok := r.ref.(reference.Canonical); ok {
		return digested.Digest().String()
	}
	return r.ref.(reference.NamedTagged).Tag()
}
