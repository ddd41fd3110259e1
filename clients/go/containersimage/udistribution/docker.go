// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution

import (
	"context"
	"fmt"
	"net/url"

	"github.com/containers/image/v5/docker"
	"github.com/containers/image/v5/types"
)

// These are the errors of containers/image's docker transport, under the names that udistribution has for them.
var (
	// ErrV1NotSupported is the error for a registry that has only version 1 of the API.
	ErrV1NotSupported = docker.ErrV1NotSupported
	// ErrTooManyRequests is the error for the status 429.
	ErrTooManyRequests = docker.ErrTooManyRequests
)

// ErrUnauthorizedForCredentials is the error for the status 401.
type ErrUnauthorizedForCredentials = docker.ErrUnauthorizedForCredentials

// SearchResult is one result of SearchRegistry.
type SearchResult = docker.SearchResult

// CheckAuth checks whether a registry on the network accepts a user name and password. A plugin has no logins.
func CheckAuth(ctx context.Context, sys *types.SystemContext, username, password, registry string) error {
	return docker.CheckAuth(ctx, sys, username, password, registry)
}

// SearchRegistry returns up to limit repositories of a registry on the network whose name contains image.
func SearchRegistry(ctx context.Context, sys *types.SystemContext, registry, image string, limit int) ([]SearchResult, error) {
	return docker.SearchRegistry(ctx, sys, registry, image, limit)
}

// SignatureStorageBaseURL returns the place of the signatures of ref, which registries.d configures, for reading or
// writing.
func SignatureStorageBaseURL(sys *types.SystemContext, ref types.ImageReference, write bool) (*url.URL, error) {
	r, err := ours(ref)
	if err != nil {
		return nil, err
	}
	dockerRef, err := docker.NewReference(r.ref)
	if err != nil {
		return nil, err
	}
	base, err := docker.SignatureStorageBaseURL(sys, dockerRef, write)
	if err != nil {
		return nil, fmt.Errorf("finding the lookaside store of %s: %w", r.ref, err)
	}
	return base, nil
}
