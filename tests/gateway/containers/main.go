// Copies an image as skopeo does: imagecopy SOURCE DESTINATION.
package main

import (
	"context"
	"log"
	"os"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/transports/alltransports"
	"go.podman.io/image/v5/types"
)

func main() {
	source, err := alltransports.ParseImageName(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	target, err := alltransports.ParseImageName(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	policy, err := signature.NewPolicyContext(&signature.Policy{Default: signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()}})
	if err != nil {
		log.Fatal(err)
	}
	system := &types.SystemContext{AuthFilePath: os.Getenv("REGISTRY_AUTH_FILE")}
	_, err = copy.Image(context.Background(), policy, target, source, &copy.Options{SourceCtx: system, DestinationCtx: system, PreserveDigests: true})
	if err != nil {
		log.Fatal(err)
	}
}
