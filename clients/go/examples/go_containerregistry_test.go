package examples_test

import (
	"context"
	"fmt"
	"log"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"udist.dev/plugin/udist"
)

// This example uses the packages remote and crane of go-containerregistry, like ko and cosign.
func Example_goContainerregistry() {
	plugin, err := udist.Spawn(context.Background(), udist.Config{YAML: "version: 0.1\nstorage: {inmemory: {}}"})
	if err != nil {
		log.Fatal(err)
	}
	defer plugin.Close()
	transport := plugin.RoundTripper()

	image, err := random.Image(1<<20, 3)
	if err != nil {
		log.Fatal(err)
	}
	reference, err := name.ParseReference("localhost/demo/app:v1")
	if err != nil {
		log.Fatal(err)
	}
	if err := remote.Write(reference, image, remote.WithTransport(transport)); err != nil {
		log.Fatal(err)
	}

	pulled, err := crane.Pull("localhost/demo/app:v1", crane.WithTransport(transport))
	if err != nil {
		log.Fatal(err)
	}
	layers, err := pulled.Layers()
	if err != nil {
		log.Fatal(err)
	}
	for _, layer := range layers {
		content, err := layer.Uncompressed() // checked against its digest
		if err != nil {
			log.Fatal(err)
		}
		if err := content.Close(); err != nil {
			log.Fatal(err)
		}
	}
	tags, err := crane.ListTags("localhost/demo/app", crane.WithTransport(transport))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(layers), "layers, tags", tags)
	// Output: 3 layers, tags [v1]
}
