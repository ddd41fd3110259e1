package udistribution_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/manifest"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/transports/alltransports"
	"udist.dev/plugin/udist/image/internal/testimage"
	"udist.dev/plugin/udist/image/udistribution"
)

// An image goes into a folder's registry and comes out again, with no registry server.
func ExampleNewTransportFromNewConfig() {
	ut, err := udistribution.NewTransportFromNewConfig("", append(os.Environ(), "REGISTRY_STORAGE=inmemory"))
	if err != nil {
		log.Fatal(err)
	}
	defer ut.Close()
	dir, err := os.MkdirTemp("", "hello")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	hello := testimage.Schema2(dir, testimage.Config("amd64")) // an image on disk, as dir:<folder>

	to, err := alltransports.ParseImageName(ut.Name() + "://ns/hello")
	if err != nil {
		log.Fatal(err)
	}
	from, err := alltransports.ParseImageName(hello)
	if err != nil {
		log.Fatal(err)
	}
	policy, err := signature.NewPolicyContext(&signature.Policy{
		Default: []signature.PolicyRequirement{signature.NewPRInsecureAcceptAnything()},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer policy.Destroy()
	copied, err := copy.Image(context.Background(), policy, to, from, nil)
	if err != nil {
		log.Fatal(err)
	}
	expected, err := manifest.Digest(copied)
	if err != nil {
		log.Fatal(err)
	}
	stored, err := udistribution.GetDigest(context.Background(), nil, to)
	fmt.Println(to.DockerReference(), stored == expected, err)
	// Output: docker.io/ns/hello:latest true <nil>
}
