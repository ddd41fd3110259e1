// Policyjudge does what the tests need of go.podman.io/image, the library of podman and skopeo.
//
//	policyjudge judge [LOOKASIDE]         answers questions about policies, JSON from stdin to stdout
//	policyjudge sign KEY IMAGE IDENTITY   signs IMAGE, host:port/name:tag, with a key without a password
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/image"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/transports"
	"go.podman.io/image/v5/types"

	// All that can be built without C libraries; containers-storage cannot.
	_ "go.podman.io/image/v5/directory"
	_ "go.podman.io/image/v5/docker"
	_ "go.podman.io/image/v5/docker/archive"
	_ "go.podman.io/image/v5/docker/daemon"
	_ "go.podman.io/image/v5/oci/archive"
	_ "go.podman.io/image/v5/oci/layout"
	_ "go.podman.io/image/v5/openshift"
	_ "go.podman.io/image/v5/sif"
	_ "go.podman.io/image/v5/tarball"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("Error: ")
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "judge":
		err = judgeAll("")
	case len(os.Args) == 3 && os.Args[1] == "judge":
		err = judgeAll(os.Args[2])
	case len(os.Args) == 5 && os.Args[1] == "sign":
		err = sign(os.Args[2], os.Args[3], os.Args[4])
	default:
		log.Fatal("usage: policyjudge judge [LOOKASIDE] | sign KEY IMAGE IDENTITY")
	}
	if err != nil {
		log.Fatal(err)
	}
}

// question asks whether a policy loads, and, if Image is given, whether it allows that image. Signatures are looked
// for only if it is Attached to a registry.
type question struct {
	Policy   string `json:"policy"`
	Image    string `json:"image"`
	Attached bool   `json:"attached"`
}

type answer struct {
	Loads   bool   `json:"loads"`
	Allowed bool   `json:"allowed"`
	Problem string `json:"problem"`
}

func judgeAll(lookaside string) error {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		return err
	}
	system, remove, err := newSystem(lookaside)
	if err != nil {
		return err
	}
	defer remove()
	answers := make([]answer, len(questions))
	for i, each := range questions {
		if answers[i], err = judge(system, each); err != nil {
			return fmt.Errorf("%s: %w", each.Image, err)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// judge returns an error if the image cannot be read; a policy that says no is an answer.
func judge(system *types.SystemContext, asked question) (answer, error) {
	policy, err := signature.NewPolicyFromBytes([]byte(asked.Policy))
	if err != nil {
		return answer{Problem: err.Error()}, nil
	}
	if asked.Image == "" {
		return answer{Loads: true}, nil
	}
	ref, err := parse(asked.Image)
	if err != nil {
		return answer{}, err
	}
	ctx := context.Background()
	var unparsed types.UnparsedImage = unsigned{ref}
	if asked.Attached {
		source, err := ref.NewImageSource(ctx, system)
		if err != nil {
			return answer{}, err
		}
		defer source.Close()
		unparsed = image.UnparsedInstance(source, nil)
	}
	evaluation, err := signature.NewPolicyContext(policy)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = evaluation.Destroy() }()
	if _, err := evaluation.IsRunningImageAllowed(ctx, unparsed); err != nil {
		return answer{Loads: true, Problem: err.Error()}, nil
	}
	return answer{Loads: true, Allowed: true}, nil
}

// parse is alltransports.ParseImageName for the transports that are here.
func parse(name string) (types.ImageReference, error) {
	transport, within, _ := strings.Cut(name, ":")
	known := transports.Get(transport)
	if known == nil {
		return nil, fmt.Errorf("unknown transport %q", transport)
	}
	return known.ParseReference(within)
}

// unsigned is an image that nobody looks at.
type unsigned struct{ ref types.ImageReference }

func (u unsigned) Reference() types.ImageReference                             { return u.ref }
func (u unsigned) Manifest(context.Context) ([]byte, string, error)            { return []byte("{}"), "", nil }
func (u unsigned) Signatures(context.Context) ([][]byte, error)                { return nil, nil }
func (u unsigned) LayerInfosForCopy(context.Context) ([]types.BlobInfo, error) { return nil, nil }

func sign(key, target, identity string) error {
	ref, err := parse("docker://" + target)
	if err != nil {
		return err
	}
	named, err := reference.ParseNormalizedNamed(identity)
	if err != nil {
		return err
	}
	system, remove, err := newSystem("")
	if err != nil {
		return err
	}
	defer remove()
	policy := &signature.Policy{Default: signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()}}
	evaluation, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	defer func() { _ = evaluation.Destroy() }()
	_, err = copy.Image(context.Background(), evaluation, ref, ref, &copy.Options{
		SourceCtx:                        system,
		DestinationCtx:                   system,
		ImageListSelection:               copy.CopyAllImages,
		PreserveDigests:                  true,
		SignBySigstorePrivateKeyFile:     key,
		SignSigstorePrivateKeyPassphrase: []byte{},
		SignIdentity:                     named,
	})
	return err
}

// newSystem returns a context in which signatures are attached in the registry, and read from the URL lookaside if one
// is given, as podman can be configured to have it; and a function that removes its files.
func newSystem(lookaside string) (*types.SystemContext, func(), error) {
	folder, err := os.MkdirTemp("", "policyjudge")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = os.RemoveAll(folder) }
	setting := "default-docker:\n  use-sigstore-attachments: true\n"
	if lookaside != "" {
		setting += "  lookaside: " + lookaside + "\n"
	}
	for name, content := range map[string]string{
		"default.yaml":    setting,
		"registries.conf": "",
		"auth.json":       "{}",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			remove()
			return nil, nil, err
		}
	}
	return &types.SystemContext{
		RegistriesDirPath:           folder,
		SystemRegistriesConfPath:    filepath.Join(folder, "registries.conf"),
		AuthFilePath:                filepath.Join(folder, "auth.json"),
		DockerInsecureSkipTLSVerify: types.OptionalBoolTrue,
	}, remove, nil
}
