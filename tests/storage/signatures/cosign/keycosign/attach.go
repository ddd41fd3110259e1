package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/sigstore/cosign/v3/pkg/oci"
	"github.com/sigstore/cosign/v3/pkg/oci/mutate"
	"github.com/sigstore/cosign/v3/pkg/oci/remote"
	"github.com/sigstore/cosign/v3/pkg/oci/static"
	"github.com/sigstore/cosign/v3/pkg/types"
	sigstore "github.com/sigstore/sigstore-go/pkg/sign"
	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/payload"
	"google.golang.org/protobuf/encoding/protojson"
)

// attachBundle attaches an in-toto statement in a bundle, as a referrer.
func attachBundle(digest name.Digest, key signature.SignerVerifier) error {
	keys, err := newKeypair(key)
	if err != nil {
		return err
	}
	algorithm, encoded, _ := strings.Cut(digest.DigestStr(), ":")
	statement := fmt.Sprintf(
		`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{%q:%q}}],"predicateType":%q,"predicate":{}}`,
		algorithm, encoded, types.CosignSignPredicateType,
	)
	content := &sigstore.DSSEData{Data: []byte(statement), PayloadType: types.IntotoPayloadType}
	bundle, err := sigstore.Bundle(content, keys, sigstore.BundleOptions{})
	if err != nil {
		return err
	}
	document, err := protojson.Marshal(bundle)
	if err != nil {
		return err
	}
	return remote.WriteAttestationNewBundleFormat(digest, document, types.CosignSignPredicateType)
}

// attachSignature attaches a signature in the old format.
func attachSignature(digest name.Digest, key signature.SignerVerifier, write func(name.Digest, oci.SignedEntity) error) error {
	claim, err := payload.Cosign{Image: digest}.MarshalJSON()
	if err != nil {
		return err
	}
	raw, err := key.SignMessage(bytes.NewReader(claim))
	if err != nil {
		return err
	}
	signed, err := static.NewSignature(claim, base64.StdEncoding.EncodeToString(raw))
	if err != nil {
		return err
	}
	image, err := remote.SignedEntity(digest)
	if err != nil {
		return err
	}
	image, err = mutate.AttachSignatureToEntity(image, signed)
	if err != nil {
		return err
	}
	return write(digest, image)
}

func asReferrer(digest name.Digest, image oci.SignedEntity) error {
	return remote.WriteSignaturesExperimentalOCI(digest, image)
}

// asTag writes the tag sha256-<hex>.sig.
func asTag(digest name.Digest, image oci.SignedEntity) error {
	return remote.WriteSignatures(digest.Repository, image)
}

// keypair is a key of cosign's as sigstore-go wants it. An ephemeral key pair says what the algorithm alone decides.
type keypair struct {
	*sigstore.EphemeralKeypair
	signature.SignerVerifier
	public crypto.PublicKey
	pem    []byte
}

func newKeypair(key signature.SignerVerifier) (*keypair, error) {
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	pem, err := cryptoutils.MarshalPublicKeyToPEM(public)
	if err != nil {
		return nil, err
	}
	ephemeral, err := sigstore.NewEphemeralKeypair(nil)
	if err != nil {
		return nil, err
	}
	return &keypair{ephemeral, key, public, pem}, nil
}

func (k *keypair) GetPublicKey() crypto.PublicKey {
	return k.public
}

func (k *keypair) GetPublicKeyPem() (string, error) {
	return string(k.pem), nil
}

func (k *keypair) SignData(_ context.Context, data []byte) ([]byte, []byte, error) {
	digest := sha256.Sum256(data)
	signed, err := k.SignMessage(bytes.NewReader(data))
	return signed, digest[:], err
}
