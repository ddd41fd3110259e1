package examples_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"udist.dev/plugin/udist"
)

// This example uses containerd's resolver, like nerdctl and BuildKit. It pushes blobs, and then a manifest that refers
// to them.
func Example_containerd() {
	ctx := context.Background()
	plugin, err := udist.Spawn(ctx, udist.Config{YAML: "version: 0.1\nstorage: {inmemory: {}}"})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()
	resolver := docker.NewResolver(docker.ResolverOptions{
		Hosts: docker.ConfigureDefaultRegistries(docker.WithClient(plugin.Client())),
	})
	pusher, err := resolver.Pusher(ctx, "localhost/demo/notes:v1")
	if err != nil {
		log.Fatal(err)
	}
	layer, err := push(ctx, pusher, "text/plain", []byte("important"))
	if err != nil {
		log.Fatal(err)
	}
	config, err := push(ctx, pusher, ocispec.MediaTypeEmptyJSON, []byte("{}"))
	if err != nil {
		log.Fatal(err)
	}
	manifest, err := json.Marshal(ocispec.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    ocispec.MediaTypeImageManifest,
		ArtifactType: "application/vnd.example.notes",
		Config:       config,
		Layers:       []ocispec.Descriptor{layer},
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := push(ctx, pusher, ocispec.MediaTypeImageManifest, manifest); err != nil {
		log.Fatal(err)
	}

	name, resolved, err := resolver.Resolve(ctx, "localhost/demo/notes:v1")
	if err != nil {
		log.Fatal(err)
	}
	fetcher, err := resolver.Fetcher(ctx, name)
	if err != nil {
		log.Fatal(err)
	}
	content, err := fetcher.Fetch(ctx, layer)
	if err != nil {
		log.Fatal(err)
	}
	defer content.Close()
	text, err := io.ReadAll(content)
	fmt.Println(resolved.Digest == digest.FromBytes(manifest), string(text), err)
	// Output: true important <nil>
}

// push pushes a blob or a manifest, depending on the media type.
func push(ctx context.Context, pusher remotes.Pusher, mediaType string, text []byte) (ocispec.Descriptor, error) {
	descriptor := ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(text), Size: int64(len(text))}
	writer, err := pusher.Push(ctx, descriptor)
	if err != nil {
		return descriptor, err
	}
	defer writer.Close()
	return descriptor, content.Copy(ctx, writer, bytes.NewReader(text), descriptor.Size, descriptor.Digest)
}
