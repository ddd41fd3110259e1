package examples_test

import (
	"context"
	"fmt"
	"log"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"udist.dev/plugin/udist"
)

// This example uses oras-go to push and pull an artifact with one file.
func Example_oras() {
	ctx := context.Background()
	plugin, err := udist.Spawn(ctx, udist.Config{YAML: "version: 0.1\nstorage: {inmemory: {}}"})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()
	repository, err := remote.NewRepository("localhost/demo/notes")
	if err != nil {
		log.Fatal(err)
	}
	repository.Client = &auth.Client{Client: plugin.Client()}

	file, err := oras.PushBytes(ctx, repository, "text/plain", []byte("important\n"))
	if err != nil {
		log.Fatal(err)
	}
	artifact, err := oras.PackManifest(ctx, repository, oras.PackManifestVersion1_1, "application/vnd.example.notes",
		oras.PackManifestOptions{Layers: []ocispec.Descriptor{file}})
	if err != nil {
		log.Fatal(err)
	}
	if err := repository.Tag(ctx, artifact, "v1"); err != nil {
		log.Fatal(err)
	}

	pulled := memory.New()
	if _, err := oras.Copy(ctx, repository, "v1", pulled, "", oras.DefaultCopyOptions); err != nil {
		log.Fatal(err)
	}
	text, err := content.FetchAll(ctx, pulled, file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output: important
}
