package examples_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/manifest"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/transports/alltransports"
	"go.podman.io/image/v5/types"
	"udist.dev/plugin/udist/image/udistribution"
)

// This example uses copy.Image, like skopeo and plug-ins for Velero, to copy an image from a folder into the plugin and
// back.
func Example_containersImage() {
	folder, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(folder)
	made, err := random.Image(1<<20, 3)
	if err != nil {
		log.Fatal(err)
	}
	images, err := layout.Write(folder+"/made", empty.Index)
	if err != nil {
		log.Fatal(err)
	}
	if err := images.AppendImage(made); err != nil {
		log.Fatal(err)
	}

	plugins, err := udistribution.NewTransportFromNewConfig("version: 0.1\nstorage: {inmemory: {}}", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer plugins.Close()
	stored := plugins.Name() + "://demo/app:v1"
	if err := copyImage(stored, "oci:"+folder+"/made", folder); err != nil {
		log.Fatal(err)
	}
	if err := copyImage("dir:"+folder+"/restored", stored, folder); err != nil {
		log.Fatal(err)
	}

	text, err := os.ReadFile(folder + "/restored/manifest.json")
	if err != nil {
		log.Fatal(err)
	}
	restored, err := manifest.Digest(text)
	if err != nil {
		log.Fatal(err)
	}
	digest, err := made.Digest()
	fmt.Println("restored:", restored.String() == digest.String(), err)
	// Output: restored: true <nil>
}

// copyImage copies an image from one transport to another, without checking signatures.
func copyImage(to, from, cache string) error {
	destination, err := alltransports.ParseImageName(to)
	if err != nil {
		return err
	}
	source, err := alltransports.ParseImageName(from)
	if err != nil {
		return err
	}
	policy, err := signature.NewPolicyContext(&signature.Policy{
		Default: signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()},
	})
	if err != nil {
		return err
	}
	defer policy.Destroy()
	system := &types.SystemContext{BlobInfoCacheDir: cache}
	_, err = copy.Image(context.Background(), policy, destination, source, &copy.Options{
		SourceCtx: system, DestinationCtx: system, PreserveDigests: true,
	})
	return err
}
