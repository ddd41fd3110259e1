package examples_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/regclient/regclient"
	"github.com/regclient/regclient/scheme/reg"
	"github.com/regclient/regclient/types/descriptor"
	"github.com/regclient/regclient/types/manifest"
	"github.com/regclient/regclient/types/mediatype"
	v1 "github.com/regclient/regclient/types/oci/v1"
	"github.com/regclient/regclient/types/ref"
	"udist.dev/plugin/udist"
)

// This example uses regclient to push an artifact with one file, and to copy it from the plugin to an OCI layout.
func Example_regclient() {
	ctx := context.Background()
	plugin, err := udist.Spawn(ctx, udist.Config{YAML: "version: 0.1\nstorage: {inmemory: {}}"})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()
	client := regclient.New(regclient.WithRegOpts(reg.WithHTTPClient(plugin.Client())))
	stored, err := ref.New("localhost/demo/notes:v1")
	if err != nil {
		log.Fatal(err)
	}

	var parts []descriptor.Descriptor
	for _, text := range []string{"{}", "important\n"} {
		part, err := client.BlobPut(ctx, stored, descriptor.Descriptor{}, bytes.NewReader([]byte(text)))
		if err != nil {
			log.Fatal(err)
		}
		parts = append(parts, part)
	}
	parts[0].MediaType, parts[1].MediaType = mediatype.OCI1Empty, "text/plain"
	artifact, err := manifest.New(manifest.WithOrig(v1.Manifest{
		Versioned:    v1.ManifestSchemaVersion,
		MediaType:    mediatype.OCI1Manifest,
		ArtifactType: "application/vnd.example.notes",
		Config:       parts[0],
		Layers:       parts[1:],
	}))
	if err != nil {
		log.Fatal(err)
	}
	if err := client.ManifestPut(ctx, stored, artifact); err != nil {
		log.Fatal(err)
	}

	folder, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	layout, err := ref.New("ocidir://" + folder + ":v1")
	if err != nil {
		log.Fatal(err)
	}
	if err := client.ImageCopy(ctx, stored, layout); err != nil {
		log.Fatal(err)
	}
	text, err := os.ReadFile(folder + "/blobs/sha256/" + parts[1].Digest.Encoded())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(text))
	// Output: important
}
