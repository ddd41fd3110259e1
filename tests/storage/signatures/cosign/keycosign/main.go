// Keycosign does what the tests need of cosign: the commands generate-key-pair, sign and verify, for key pairs, with
// cosign's flags and defaults. A key's password is that of COSIGN_PASSWORD. It is made of cosign's packages and talks to
// nobody but the registry. cosign itself takes minutes to compile; tests/campaigns/cosign.py uses it.
package main

import (
	"context"
	"crypto"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/sigstore/cosign/v3/pkg/cosign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
)

var commands = map[string]func([]string) error{
	"generate-key-pair": generate,
	"sign":              sign,
	"verify":            verify,
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("Error: ")
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		log.Fatal("usage: keycosign generate-key-pair | sign [flags] IMAGE | verify [flags] IMAGE")
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func password(bool) ([]byte, error) {
	return []byte(os.Getenv("COSIGN_PASSWORD")), nil
}

func generate([]string) error {
	keys, err := cosign.GenerateKeyPair(password)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile("cosign.key", keys.PrivateBytes, 0o600),
		os.WriteFile("cosign.pub", keys.PublicBytes, 0o644),
	)
}

func sign(arguments []string) error {
	flags := flag.NewFlagSet("sign", flag.ExitOnError)
	path := flags.String("key", "", "the private key")
	bundle := flags.Bool("new-bundle-format", true, "attach a bundle as a referrer")
	mode := flags.String("registry-referrers-mode", "legacy", "how to attach a signature of the old format: legacy or oci-1-1")
	_ = flags.Parse(arguments)
	digest, err := name.NewDigest(flags.Arg(0))
	if err != nil {
		return err
	}
	key, err := privateKey(*path)
	if err != nil {
		return err
	}
	switch {
	case *bundle:
		return attachBundle(digest, key)
	case *mode == "oci-1-1":
		return attachSignature(digest, key, asReferrer)
	default:
		return attachSignature(digest, key, asTag)
	}
}

func verify(arguments []string) error {
	flags := flag.NewFlagSet("verify", flag.ExitOnError)
	path := flags.String("key", "", "the public key")
	referrers := flags.Bool("experimental-oci11", false, "look for referrers in the old format")
	_ = flags.Parse(arguments)
	image, err := name.ParseReference(flags.Arg(0))
	if err != nil {
		return err
	}
	key, err := publicKey(*path)
	if err != nil {
		return err
	}
	options := cosign.CheckOpts{SigVerifier: key, IgnoreTlog: true, ExperimentalOCI11: *referrers}
	verified, err := check(context.Background(), image, &options)
	if err != nil {
		return err
	}
	fmt.Println("verified:", verified)
	return nil
}

func privateKey(path string) (signature.SignerVerifier, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	secret, err := password(false)
	if err != nil {
		return nil, err
	}
	return cosign.LoadPrivateKey(content, secret, nil)
}

func publicKey(path string) (signature.Verifier, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := cryptoutils.UnmarshalPEMToPublicKey(content)
	if err != nil {
		return nil, err
	}
	return signature.LoadVerifier(key, crypto.SHA256)
}

// check returns the number of good signatures. As in cosign, the old format counts only if there is no bundle.
func check(ctx context.Context, image name.Reference, options *cosign.CheckOpts) (int, error) {
	bundles, _, err := cosign.GetBundles(ctx, image, nil)
	if err == nil && len(bundles) > 0 {
		options.NewBundleFormat = true
		options.ClaimVerifier = cosign.IntotoSubjectClaimVerifier
		verified, _, err := cosign.VerifyImageAttestations(ctx, image, options)
		return len(verified), err
	}
	options.ClaimVerifier = cosign.SimpleClaimVerifier
	verified, _, err := cosign.VerifyImageSignatures(ctx, image, options)
	return len(verified), err
}
