// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/containers/image/v5/copy"
	"github.com/containers/image/v5/signature"
	"github.com/containers/image/v5/transports/alltransports"
	"github.com/containers/image/v5/types"
	"udist.dev/plugin/udist"
	"udist.dev/plugin/udist/containersimage/client"
	"udist.dev/plugin/udist/containersimage/udistribution"
)

// counted is a plugin whose requests are written down.
type counted struct {
	client.Plugin
	next     http.RoundTripper
	mu       sync.Mutex
	requests []string
}

func (c *counted) RoundTripper() http.RoundTripper {
	return c
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.requests = append(c.requests, r.Method+" "+r.URL.RequestURI())
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

// take returns the requests since the last call that have all of parts.
func (c *counted) take(parts ...string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []string
requests:
	for _, request := range c.requests {
		for _, part := range parts {
			if !strings.Contains(request, part) {
				continue requests
			}
		}
		found = append(found, request)
	}
	c.requests = nil
	return found
}

// filesystem is a configuration with its store in a folder of the test's.
func filesystem(t *testing.T) string {
	return fmt.Sprintf("version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: %s\n  delete:\n    enabled: true\n", t.TempDir())
}

const inmemory = "version: 0.1\nstorage:\n  inmemory: {}\n  delete:\n    enabled: true\n"

// newTransport spawns a plugin and registers a transport for it, both until the test's end.
func newTransport(t *testing.T, config, name string) (*udistribution.UdistributionTransport, *counted) {
	t.Helper()
	return spawned(t, udist.Config{YAML: config}, name)
}

// spawned is newTransport for any configuration.
func spawned(t *testing.T, config udist.Config, name string) (*udistribution.UdistributionTransport, *counted) {
	t.Helper()
	plugin, err := udist.Spawn(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	requests := &counted{Plugin: plugin, next: plugin.RoundTripper()}
	ut := udistribution.NewTransport(client.New(requests), name)
	t.Cleanup(func() {
		if err := ut.Close(); err != nil {
			t.Error(err)
		}
	})
	return ut, requests
}

// parse reads an image name of any transport.
func parse(t *testing.T, name string) types.ImageReference {
	t.Helper()
	ref, err := alltransports.ParseImageName(name)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// system keeps what a copy writes beside the images in a folder of the test's.
func system(t *testing.T) *types.SystemContext {
	return &types.SystemContext{
		RegistriesDirPath:           t.TempDir(),
		BlobInfoCacheDir:            t.TempDir(),
		DockerInsecureSkipTLSVerify: types.OptionalBoolTrue,
		OSChoice:                    "linux",
		ArchitectureChoice:          "amd64",
	}
}

// copyImage copies an image as openshift-velero-plugin does and returns its manifest.
func copyImage(t *testing.T, to, from types.ImageReference, options copy.Options) []byte {
	t.Helper()
	policy, err := signature.NewPolicyContext(&signature.Policy{
		Default: []signature.PolicyRequirement{signature.NewPRInsecureAcceptAnything()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer policy.Destroy()
	if options.SourceCtx == nil {
		options.SourceCtx = system(t)
	}
	if options.DestinationCtx == nil {
		options.DestinationCtx = options.SourceCtx
	}
	manifest, err := copy.Image(context.Background(), policy, to, from, &options)
	if err != nil {
		t.Fatal(err)
	}
	return manifest
}
