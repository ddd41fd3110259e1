// Containersimage does what containers/image does, for comparison: it parses references, and copies images.
//
//	containersimage parse            JSON strings in, one a line; what each is, as JSON, out
//	containersimage copy FROM TO     copies an image, with all that an index lists
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"go.podman.io/image/v5/copy"
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
		return parse()
	case len(words) == 3 && words[0] == "copy":
		return copyImage(words[1], words[2])
	}
	return fmt.Errorf("expected parse, or copy FROM TO")
}

// verdict is what the library makes of a text: the name it prints, and the name that Docker would use, if any.
type verdict struct {
	Name   string `json:"name"`
	Docker string `json:"docker"`
	Error  string `json:"error"`
}

func parse() error {
	lines, out := bufio.NewScanner(os.Stdin), json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			return err
		}
		if err := out.Encode(judge(text)); err != nil {
			return err
		}
	}
	return lines.Err()
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
