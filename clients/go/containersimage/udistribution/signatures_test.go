// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containers/image/v5/copy"
	"github.com/containers/image/v5/types"
	"github.com/opencontainers/go-digest"
	"udist.dev/plugin/udist/containersimage/internal/testimage"
)

// lookasideAt makes a registries.d whose lookaside store is at url.
func lookasideAt(t *testing.T, url string) *types.SystemContext {
	sys := system(t)
	text := fmt.Sprintf("default-docker:\n  lookaside: %s\n", url)
	if err := os.WriteFile(filepath.Join(sys.RegistriesDirPath, "default.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return sys
}

// TestSignatures copies a signed image in and out, reads its signatures over HTTP, and deletes it with them.
func TestSignatures(t *testing.T) {
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	dir := t.TempDir()
	from := testimage.Schema2(dir, testimage.Config("amd64"))
	for i, text := range []string{"first", "second"} {
		// What the dir: transport has no format for is a simple signature.
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("signature-%d", i+1)), []byte("\xa3"+text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	store := t.TempDir()
	sys := lookasideAt(t, "file://"+store)
	to := parse(t, ut.Name()+"://ns/signed")
	copyImage(t, to, parse(t, from), copy.Options{SourceCtx: sys})

	out := t.TempDir()
	copyImage(t, parse(t, "dir:"+out), to, copy.Options{SourceCtx: sys})
	for _, name := range []string{"signature-1", "signature-2"} {
		expected, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || !bytes.Equal(got, expected) {
			t.Errorf("%s: %q, expected %q: %v", name, got, expected, err)
		}
	}

	server := httptest.NewServer(http.FileServer(http.Dir(store)))
	defer server.Close()
	remote := lookasideAt(t, server.URL)
	source, err := to.NewImageSource(t.Context(), remote)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if got, err := source.GetSignatures(t.Context(), nil); err != nil || len(got) != 2 {
		t.Errorf("over HTTP: %q, %v", got, err)
	}
	d, err := to.NewImageDestination(t.Context(), remote)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.SupportsSignatures(t.Context()); err == nil || !strings.Contains(err.Error(), "lookaside-staging") {
		t.Errorf("writing over HTTP: %v", err)
	}

	if err := to.DeleteImage(t.Context(), sys); err != nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(store, "ns", "*", "signature-*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
}

// TestSignaturesOfInstances keeps the signatures of a list and of its images apart.
func TestSignaturesOfInstances(t *testing.T) {
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	sys := lookasideAt(t, "file://"+t.TempDir())
	layout := testimage.NewLayout(t.TempDir())
	one := layout.Image("amd64", testimage.Layer(1, 100))
	to := parse(t, ut.Name()+"://ns/list")
	list := copyImage(t, to, parse(t, layout.Tag("all", layout.Index(one))), copy.Options{
		SourceCtx: sys, ImageListSelection: copy.CopyAllImages,
	})
	d, err := to.NewImageDestination(t.Context(), sys)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.PutSignatures(t.Context(), [][]byte{[]byte("early")}, nil); err == nil {
		t.Error("signatures were taken of a manifest that is not there yet")
	}
	if err := d.PutManifest(t.Context(), list, nil); err != nil {
		t.Fatal(err)
	}
	source, err := to.NewImageSource(t.Context(), sys)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for text, instance := range map[string]*digest.Digest{"of the list": nil, "of the image": &one.Digest} {
		if err := d.PutSignatures(t.Context(), [][]byte{[]byte(text)}, instance); err != nil {
			t.Fatal(err)
		}
	}
	for text, instance := range map[string]*digest.Digest{"of the list": nil, "of the image": &one.Digest} {
		if got, err := source.GetSignatures(t.Context(), instance); err != nil || len(got) != 1 || string(got[0]) != text {
			t.Errorf("%q, expected one %s: %v", got, text, err)
		}
	}
}

// TestSigstoreAttachment copies a sigstore attachment as the image that it is, into the store and out of it.
func TestSigstoreAttachment(t *testing.T) {
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	layout := testimage.NewLayout(t.TempDir())
	attachment := layout.Attachment([]byte(`{"critical":{}}`), "c2lnbmVk")
	tag := strings.Replace(digest.FromString("a manifest").String(), ":", "-", 1) + ".sig"
	from := parse(t, layout.Tag(tag, attachment))
	to := parse(t, ut.Name()+"://ns/signed:"+tag)
	copyImage(t, to, from, copy.Options{PreserveDigests: true})
	back := parse(t, "oci:"+t.TempDir()+":"+tag)
	copyImage(t, back, to, copy.Options{PreserveDigests: true})
	compareSources(t, back, from)
}
