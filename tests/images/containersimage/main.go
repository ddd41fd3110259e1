// Containersimage does what containers/image does, for comparison: it parses references, and copies images.
//
//	containersimage parse            JSON strings in, one a line; what each is, as JSON, out
//	containersimage copy FROM TO     copies an image, with all that an index lists
//	containersimage sources CONF     JSON strings in, names of images; where that registries.conf has each, out
//	containersimage lookaside FOLDER JSON strings in, names of images; where that registries.d has signatures, out
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/docker"
	"go.podman.io/image/v5/docker/reference"
	"go.podman.io/image/v5/pkg/sysregistriesv2"
	"go.podman.io/image/v5/signature"
	"go.podman.io/image/v5/transports"
	"go.podman.io/image/v5/transports/alltransports"
	"go.podman.io/image/v5/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(words []string) error {
	switch {
	case len(words) == 1 && words[0] == "parse":
		return each(func(text string) any { return judge(text) })
	case len(words) == 2 && words[0] == "sources":
		return each(func(text string) any { return sources(text, words[1]) })
	case len(words) == 2 && words[0] == "lookaside":
		return each(func(text string) any { return lookaside(text, words[1]) })
	case len(words) == 3 && words[0] == "copy":
		return copyImage(words[1], words[2])
	}
	return fmt.Errorf("expected parse, copy FROM TO, sources CONF, or lookaside FOLDER")
}

// verdict is what the library makes of a text: the name it prints, and the name that Docker would use, if any.
type verdict struct {
	Name   string `json:"name"`
	Docker string `json:"docker"`
	Error  string `json:"error"`
}

// each writes what answer makes of each JSON string on standard input.
func each(answer func(string) any) error {
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			return err
		}
		if err := out.Encode(answer(text)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// found is what a registries.conf says of an image: whether it is blocked, and where it is looked for, each place with
// whether it needs no TLS.
type found struct {
	Blocked bool     `json:"blocked"`
	Sources [][2]any `json:"sources"`
	Error   string   `json:"error,omitempty"`
}

func sources(text, conf string) any {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return found{Error: err.Error()}
	}
	named = reference.TagNameOnly(named)
	system := &types.SystemContext{SystemRegistriesConfPath: conf, SystemRegistriesConfDirPath: conf + ".d"}
	registry, err := sysregistriesv2.FindRegistry(system, named.String())
	if err != nil {
		return found{Error: err.Error()}
	}
	if registry == nil {
		return nil
	}
	places, err := registry.PullSourcesFromReference(named)
	if err != nil {
		return found{Error: err.Error()}
	}
	all := found{Blocked: registry.Blocked}
	for _, place := range places {
		all.Sources = append(all.Sources, [2]any{place.Reference.String(), place.Endpoint.Insecure})
	}
	return all
}

// stored is where a registries.d has the signatures of an image, to read them and to write them.
type stored struct {
	Read  string `json:"read"`
	Write string `json:"write"`
	Error string `json:"error,omitempty"`
}

func lookaside(text, folder string) any {
	ref, err := docker.ParseReference("//" + text)
	if err != nil {
		return stored{Error: err.Error()}
	}
	system := &types.SystemContext{RegistriesDirPath: folder}
	read, err := docker.SignatureStorageBaseURL(system, ref, false)
	if err != nil {
		return stored{Error: err.Error()}
	}
	write, err := docker.SignatureStorageBaseURL(system, ref, true)
	if err != nil {
		return stored{Error: err.Error()}
	}
	return stored{Read: read.String(), Write: write.String()}
}

func judge(text string) verdict {
	ref, err := alltransports.ParseImageName(text)
	if err != nil {
		return verdict{Error: err.Error()}
	}
	found := verdict{Name: transports.ImageName(ref)}
	if named := ref.DockerReference(); named != nil {
		found.Docker = named.String()
	}
	return found
}

func copyImage(from, to string) error {
	source, err := alltransports.ParseImageName(from)
	if err != nil {
		return err
	}
	destination, err := alltransports.ParseImageName(to)
	if err != nil {
		return err
	}
	policy, err := signature.NewPolicyContext(&signature.Policy{
		Default: signature.PolicyRequirements{signature.NewPRInsecureAcceptAnything()},
	})
	if err != nil {
		return err
	}
	insecure := &types.SystemContext{DockerInsecureSkipTLSVerify: types.OptionalBoolTrue}
	_, err = copy.Image(context.Background(), policy, destination, source, &copy.Options{
		SourceCtx:          insecure,
		DestinationCtx:     insecure,
		ImageListSelection: copy.CopyAllImages,
		PreserveDigests:    true,
	})
	return err
}
