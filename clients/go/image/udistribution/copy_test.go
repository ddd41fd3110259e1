package udistribution_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/manifest"
	"go.podman.io/image/v5/types"
	"udist.dev/plugin/udist/image/internal/testimage"
	"udist.dev/plugin/udist/image/udistribution"
)

// threeLayers is an OCI image whose last layer is larger than one piece of an upload.
func threeLayers(t *testing.T) string {
	layout := testimage.NewLayout(t.TempDir())
	return layout.Tag("v1", layout.Image("amd64", testimage.Layer(1, 1000), testimage.Layer(2, 300_000), testimage.Layer(3, 9<<20)))
}

// TestEndToEnd is udistribution's: two transports at once, a copy into one, the copy read as Velero does, a copy from
// one plugin to the other.
func TestEndToEnd(t *testing.T) {
	first, requests := newTransport(t, filesystem(t), "filesystem")
	second, _ := newTransport(t, inmemory, "inmemory")
	from := parse(t, threeLayers(t))
	to := parse(t, first.Name()+"://ns/plugin:latest")

	copied := copyImage(t, to, from, copy.Options{})
	if uploads := requests.take("POST "); len(uploads) != 4 {
		t.Errorf("3 layers and a configuration were pushed with %q", uploads)
	}
	copyImage(t, to, from, copy.Options{})
	if uploads := requests.take("/blobs/uploads/"); len(uploads) != 0 {
		t.Errorf("the second copy pushed blobs: %q", uploads)
	}

	img, err := to.NewImage(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	blob, err := img.ConfigBlob(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var config struct{ Architecture string }
	if err := json.Unmarshal(blob, &config); err != nil || config.Architecture != "amd64" {
		t.Errorf("configuration %s: %v", blob, err)
	}
	if name := img.(*udistribution.Image).SourceRefFullName(); name != "docker.io/ns/plugin" {
		t.Error(name)
	}

	moved := parse(t, second.Name()+"://elsewhere/plugin:moved")
	if again := copyImage(t, moved, to, copy.Options{}); !bytes.Equal(again, copied) {
		t.Error("the manifest changed from plugin to plugin")
	}
	expected, err := manifest.Digest(copied)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []types.ImageReference{to, moved} {
		if got, err := udistribution.GetDigest(t.Context(), nil, ref); err != nil || got != expected {
			t.Errorf("digest %s, expected %s (%v)", got, expected, err)
		}
	}
	back := t.TempDir()
	copyImage(t, parse(t, "oci:"+back+":v1"), moved, copy.Options{})
	compareSources(t, parse(t, "oci:"+back+":v1"), from)
}

// compareSources compares two images byte for byte.
func compareSources(t *testing.T, got, expected types.ImageReference) {
	t.Helper()
	contents, layers := describe(t, expected)
	gotContents, gotLayers := describe(t, got)
	if !bytes.Equal(contents, gotContents) {
		t.Errorf("manifest\n%s\nexpected\n%s", gotContents, contents)
	}
	if !slices.Equal(layers, gotLayers) {
		t.Errorf("layers %q, expected %q", gotLayers, layers)
	}
}

func describe(t *testing.T, ref types.ImageReference) ([]byte, []string) {
	t.Helper()
	img, err := ref.NewImage(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	contents, _, err := img.Manifest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var layers []string
	for _, layer := range img.LayerInfos() {
		layers = append(layers, layer.Digest.String())
	}
	return contents, layers
}

// TestList copies all of an index, then the image for one platform out of it.
func TestList(t *testing.T) {
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	layout := testimage.NewLayout(t.TempDir())
	shared := testimage.Layer(1, 2000)
	arm := layout.Image("arm64", shared, testimage.Layer(2, 3000))
	from := layout.Tag("all", layout.Index(layout.Image("amd64", shared), arm))

	to := parse(t, ut.Name()+"://ns/list:all")
	list := copyImage(t, to, parse(t, from), copy.Options{ImageListSelection: copy.CopyAllImages})
	if manifest.GuessMIMEType(list) != "application/vnd.oci.image.index.v1+json" {
		t.Fatalf("copied %s", list)
	}
	sys := system(t)
	sys.ArchitectureChoice = "arm64"
	one := copyImage(t, parse(t, "dir:"+t.TempDir()), to, copy.Options{SourceCtx: sys})
	if got, err := manifest.Digest(one); err != nil || got != arm.Digest {
		t.Errorf("for arm64 came %s, expected %s (%v)", got, arm.Digest, err)
	}
}

// TestCompressedOnTheWay copies layers that are not compressed yet, so that their digests are not known beforehand.
func TestCompressedOnTheWay(t *testing.T) {
	ut, requests := newTransport(t, filesystem(t), "filesystem")
	small, large := testimage.Layer(1, 5000), testimage.Layer(2, 9<<20)
	from := testimage.Schema2(t.TempDir(), testimage.Config("amd64", small, large),
		testimage.Schema2Layer{MediaType: manifest.DockerV2SchemaLayerMediaTypeUncompressed, Content: small},
		testimage.Schema2Layer{MediaType: manifest.DockerV2SchemaLayerMediaTypeUncompressed, Content: large},
	)
	to := parse(t, ut.Name()+"://ns/docker:v2")
	progress := make(chan types.ProgressProperties, 10_000)
	copied := copyImage(t, to, parse(t, from), copy.Options{Progress: progress, ProgressInterval: time.Nanosecond})
	close(progress)
	reads := 0
	for event := range progress {
		if event.Event == types.ProgressEventRead && event.Offset < 9<<20 {
			reads++
		}
	}
	if reads < 3 {
		t.Errorf("%d reports of progress on the way", reads)
	}
	if manifest.GuessMIMEType(copied) != manifest.DockerV2Schema2MediaType {
		t.Fatalf("copied %s", copied)
	}
	if chunks := requests.take("PATCH "); len(chunks) != 3 {
		t.Errorf("9 MiB went up in %d chunks, expected 3 of 4 MiB", len(chunks))
	}
	img, err := to.NewImage(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer img.Close()
	for _, layer := range img.LayerInfos() {
		if !strings.HasSuffix(layer.MediaType, "tar.gzip") {
			t.Errorf("layer %s is %s", layer.Digest, layer.MediaType)
		}
	}
	copyImage(t, parse(t, "dir:"+t.TempDir()), to, copy.Options{}) // it verifies every digest
}

// TestDelete deletes an image with its tags, and then there is nothing left to delete.
func TestDelete(t *testing.T) {
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	sys := system(t)
	from := parse(t, threeLayers(t))
	for _, tag := range []string{"a", "b"} {
		copyImage(t, parse(t, ut.Name()+"://ns/gone:"+tag), from, copy.Options{SourceCtx: sys})
	}
	ref := parse(t, ut.Name()+"://ns/gone:a")
	if tags, err := udistribution.GetRepositoryTags(t.Context(), sys, ref); err != nil || !slices.Equal(tags, []string{"a", "b"}) {
		t.Fatalf("tags %q: %v", tags, err)
	}
	if err := ref.DeleteImage(t.Context(), sys); err != nil {
		t.Fatal(err)
	}
	if _, err := ref.NewImageSource(t.Context(), sys); err == nil || !strings.Contains(err.Error(), "manifest unknown") {
		t.Errorf("reading it: %v", err)
	}
	if tags, err := udistribution.GetRepositoryTags(t.Context(), sys, ref); err == nil && len(tags) != 0 {
		t.Errorf("tags %q are left", tags)
	}
	if err := ref.DeleteImage(t.Context(), sys); err == nil || !strings.Contains(err.Error(), "deleting docker.io/ns/gone:a: GET /v2/ns/gone/manifests/a: 404") {
		t.Errorf("deleting it again: %v", err)
	}
}

// TestManyTags reads a list of tags that comes in pages.
func TestManyTags(t *testing.T) {
	ut, requests := newTransport(t, inmemory, "inmemory")
	contents := copyImage(t, parse(t, ut.Name()+"://ns/tags:t000"), parse(t, threeLayers(t)), copy.Options{})
	expected := []string{"t000"}
	for n := 1; n <= 1000; n++ {
		expected = append(expected, fmt.Sprintf("t%03d", n))
		d := destination(t, ut, "ns/tags:"+expected[n])
		if err := d.PutManifest(t.Context(), contents, nil); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(expected)
	requests.take()
	tags, err := udistribution.GetRepositoryTags(t.Context(), nil, parse(t, ut.Name()+"://ns/tags"))
	if err != nil || !slices.Equal(tags, expected) {
		t.Errorf("%d tags, expected %d: %v", len(tags), len(expected), err)
	}
	if pages := requests.take("/tags/list"); len(pages) < 2 {
		t.Errorf("read with %q", pages)
	}
}
