// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution

import (
	"context"
	"errors"
	"fmt"

	"github.com/containers/image/v5/docker/reference"
	"github.com/containers/image/v5/pkg/sysregistriesv2"
	"github.com/containers/image/v5/types"
)

// pullSources returns the references to read ref from, in order, as registries.conf says for its name. Only their paths
// matter, because a plugin is a single registry.
func pullSources(sys *types.SystemContext, ref imageReference) ([]imageReference, error) {
	registry, err := findRegistry(sys, ref)
	if err != nil || registry == nil {
		return []imageReference{ref}, err
	}
	found, err := registry.PullSourcesFromReference(ref.ref)
	if err != nil {
		return nil, fmt.Errorf("registries.conf for %s: %w", ref.ref, err)
	}
	var sources []imageReference
	for _, source := range found {
		if n := len(sources); n == 0 || sources[n-1].repository() != reference.Path(source.Reference) {
			sources = append(sources, imageReference{ref: source.Reference, transport: ref.transport})
		}
	}
	return sources, nil
}

// findRegistry returns what registries.conf says for the name of ref, or nil if it says nothing. It returns an error if
// the registry is blocked.
func findRegistry(sys *types.SystemContext, ref imageReference) (*sysregistriesv2.Registry, error) {
	registry, err := sysregistriesv2.FindRegistry(sys, ref.ref.Name())
	if err != nil {
		return nil, fmt.Errorf("reading registries.conf: %w", err)
	}
	if registry != nil && registry.Blocked {
		return nil, fmt.Errorf("registry %s is blocked in %s or %s",
			registry.Prefix, sysregistriesv2.ConfigPath(sys), sysregistriesv2.ConfigDirPath(sys))
	}
	return registry, nil
}

// openSource reads the manifest of the first source that has one.
func openSource(ctx context.Context, sys *types.SystemContext, ref imageReference) (*imageSource, error) {
	sources, err := pullSources(sys, ref)
	if err != nil {
		return nil, err
	}
	var failures []error
	for _, stored := range sources {
		s := &imageSource{ref: ref, stored: stored, sys: sys}
		s.manifest, s.mediaType, err = s.fetchManifest(ctx, ref.tagOrDigest())
		if err == nil {
			return s, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}
