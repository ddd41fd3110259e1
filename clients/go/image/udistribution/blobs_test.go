package udistribution_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/manifest"
	"go.podman.io/image/v5/pkg/blobinfocache"
	"go.podman.io/image/v5/pkg/blobinfocache/memory"
	"go.podman.io/image/v5/pkg/blobinfocache/none"
	"go.podman.io/image/v5/types"
	"udist.dev/plugin/udist/image/internal/testimage"
	"udist.dev/plugin/udist/image/udistribution"
)

func destination(t *testing.T, ut *udistribution.UdistributionTransport, name string) types.ImageDestination {
	t.Helper()
	d, err := parse(t, ut.Name()+"://"+name).NewImageDestination(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func known(content []byte) types.BlobInfo {
	return types.BlobInfo{Digest: digest.FromBytes(content), Size: int64(len(content))}
}

// TestMount reuses a blob of another repository that the cache knows of: nothing is sent.
func TestMount(t *testing.T) {
	for name, cache := range map[string]types.BlobInfoCache{
		"memory": memory.New(),
		"file":   blobinfocache.DefaultCache(system(t)),
	} {
		t.Run(name, func(t *testing.T) { testMount(t, cache) })
	}
}

func testMount(t *testing.T, cache types.BlobInfoCache) {
	ut, requests := newTransport(t, filesystem(t), "filesystem")
	blob := testimage.Layer(1, 5<<20)
	info := known(blob)
	if _, err := destination(t, ut, "ns/one").PutBlob(t.Context(), bytes.NewReader(blob), info, cache, false); err != nil {
		t.Fatal(err)
	}
	two := destination(t, ut, "ns/two")
	if reused, _, err := two.TryReusingBlob(t.Context(), info, none.NoCache, false); reused || err != nil {
		t.Errorf("reused without knowing from where: %v %v", reused, err)
	}
	requests.take()
	reused, got, err := two.TryReusingBlob(t.Context(), info, cache, false)
	if !reused || err != nil || got.Digest != info.Digest || got.Size != info.Size {
		t.Errorf("%v %v: %v", reused, got, err)
	}
	if mounts := requests.take("POST ", "from=ns%2Fone"); len(mounts) != 1 {
		t.Errorf("mounted with %q", mounts)
	}
}

// TestMountOfNothing shows that a cache may be wrong.
func TestMountOfNothing(t *testing.T) {
	ut, requests := newTransport(t, inmemory, "inmemory")
	cache, lost := memory.New(), known([]byte("never stored"))
	d := destination(t, ut, "ns/two")
	cache.RecordKnownLocation(ut, types.BICTransportScope{Opaque: "registry"}, lost.Digest, types.BICLocationReference{Opaque: "ns/one"})
	if reused, _, err := d.TryReusingBlob(t.Context(), lost, cache, true); reused || err != nil {
		t.Errorf("a blob that is no more was reused: %v %v", reused, err)
	}
	if asked := requests.take("HEAD /v2/ns/one/blobs/"); len(asked) != 1 {
		t.Errorf("ns/one was asked with %q", asked)
	}
}

// TestFailingStream shows that a push whose content fails returns that failure and stores nothing.
func TestFailingStream(t *testing.T) {
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	d := destination(t, ut, "ns/cut")
	cut := errors.New("the layer ended early")
	for name, size := range map[string]int{"small": 10_000, "large": 9 << 20} {
		blob := testimage.Layer(1, size)
		for _, info := range []types.BlobInfo{known(blob), {Size: -1}} {
			stream := io.MultiReader(bytes.NewReader(blob), iotest.ErrReader(cut))
			if _, err := d.PutBlob(t.Context(), stream, info, none.NoCache, false); !errors.Is(err, cut) {
				t.Errorf("%s, digest %q: %v", name, info.Digest, err)
			}
		}
		if stored, _, err := d.TryReusingBlob(t.Context(), known(blob), none.NoCache, false); stored || err != nil {
			t.Errorf("%s: the blob is there: %v %v", name, stored, err)
		}
	}
}

// TestWrongDigest shows the registry's own words for content that is not what was announced.
func TestWrongDigest(t *testing.T) {
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	d := destination(t, ut, "ns/wrong")
	for _, size := range []int{10_000, 9 << 20} {
		info := known([]byte("something else"))
		info.Size = -1
		_, err := d.PutBlob(t.Context(), bytes.NewReader(testimage.Layer(1, size)), info, none.NoCache, false)
		if err == nil || !strings.Contains(err.Error(), "digest invalid") {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if _, _, err := d.TryReusingBlob(t.Context(), types.BlobInfo{Digest: "sha256:../../x"}, none.NoCache, false); err == nil || !strings.Contains(err.Error(), "invalid checksum digest") {
		t.Errorf("a digest that is none: %v", err)
	}
}

// TestWrongInstance gives a manifest for the digest of another.
func TestWrongInstance(t *testing.T) {
	ut, requests := newTransport(t, inmemory, "inmemory")
	other := digest.FromString("another")
	err := destination(t, ut, "ns/wrong").PutManifest(t.Context(), []byte(`{"schemaVersion":2}`), &other)
	if err == nil || !strings.Contains(err.Error(), "the manifest has another digest") || len(requests.take()) != 0 {
		t.Error(err)
	}
}

// TestForeignLayer copies an image with a layer that lives elsewhere: it stays there, and is read from there.
func TestForeignLayer(t *testing.T) {
	layer := testimage.Layer(1, 4000)
	elsewhere := testimage.Gzip(layer)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/layer" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(elsewhere)
	}))
	defer server.Close()
	ut, _ := newTransport(t, filesystem(t), "filesystem")
	from := testimage.Schema2(t.TempDir(), testimage.Config("amd64", layer), testimage.Schema2Layer{
		MediaType: manifest.DockerV2Schema2ForeignLayerMediaTypeGzip,
		Content:   elsewhere,
		URLs:      []string{server.URL + "/gone", server.URL + "/layer"},
	})
	to := parse(t, ut.Name()+"://ns/foreign")
	copyImage(t, to, parse(t, from), copy.Options{})

	if stored, _, err := destination(t, ut, "ns/foreign").TryReusingBlob(t.Context(), known(elsewhere), none.NoCache, false); stored || err != nil {
		t.Errorf("the foreign layer was pushed: %v %v", stored, err)
	}
	source, err := to.NewImageSource(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	info := known(elsewhere)
	info.URLs = []string{"ftp://127.0.0.1/layer", server.URL + "/gone", server.URL + "/layer"}
	blob, _, err := source.GetBlob(t.Context(), info, none.NoCache)
	if err != nil {
		t.Fatal(err)
	}
	defer blob.Close()
	if got, err := io.ReadAll(blob); err != nil || !bytes.Equal(got, elsewhere) {
		t.Errorf("%d bytes, expected %d: %v", len(got), len(elsewhere), err)
	}
	info.URLs = info.URLs[:2]
	if _, _, err := source.GetBlob(t.Context(), info, none.NoCache); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a layer that is nowhere: %v", err)
	}
	info.URLs = info.URLs[:1] // of a scheme that nobody reads: then the registry is asked
	if _, _, err := source.GetBlob(t.Context(), info, none.NoCache); err == nil || !strings.Contains(err.Error(), "blob unknown to registry") {
		t.Errorf("a layer without a usable URL: %v", err)
	}
}

// TestForbiddenURLs shows the registry's refusal of a foreign layer whose URL its configuration forbids.
func TestForbiddenURLs(t *testing.T) {
	mirror := "validation:\n  manifests:\n    urls:\n      allow: ['^https://mirror\\.example/']\n"
	ut, _ := newTransport(t, filesystem(t)+mirror, "filesystem")
	d := destination(t, ut, "ns/forbidden")
	config, layer := testimage.Config("amd64", []byte("a layer")), known([]byte("elsewhere"))
	image := known(config)
	if _, err := d.PutBlob(t.Context(), bytes.NewReader(config), image, none.NoCache, true); err != nil {
		t.Fatal(err)
	}
	for url, taken := range map[string]bool{"https://mirror.example/layer": true, "https://elsewhere.example/layer": false} {
		content, err := manifest.Schema2FromComponents(
			manifest.Schema2Descriptor{MediaType: manifest.DockerV2Schema2ConfigMediaType, Size: image.Size, Digest: image.Digest},
			[]manifest.Schema2Descriptor{{
				MediaType: manifest.DockerV2Schema2ForeignLayerMediaTypeGzip, Size: layer.Size, Digest: layer.Digest, URLs: []string{url},
			}},
		).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.PutManifest(t.Context(), content, nil); (err == nil) != taken {
			t.Errorf("a layer at %s: %v", url, err)
		}
	}
}
