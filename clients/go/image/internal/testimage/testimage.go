// Package testimage creates real images for tests: OCI layouts, and folders for the dir: transport. It panics on
// errors.
package testimage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	imgspecv1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Layer is an uncompressed layer of one file with size random bytes, the same for the same seed.
func Layer(seed uint8, size int) []byte {
	content := make([]byte, size)
	_, err := rand.NewChaCha8([32]byte{seed}).Read(content)
	must(err)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	must(w.WriteHeader(&tar.Header{Name: fmt.Sprintf("file-%d", seed), Mode: 0o644, Size: int64(size)}))
	_, err = w.Write(content)
	must(err)
	must(w.Close())
	return layer.Bytes()
}

// Gzip is content compressed.
func Gzip(content []byte) []byte {
	var compressed bytes.Buffer
	w := gzip.NewWriter(&compressed)
	_, err := w.Write(content)
	must(err)
	must(w.Close())
	return compressed.Bytes()
}

// Config is an image configuration for layers.
func Config(architecture string, layers ...[]byte) []byte {
	config := imgspecv1.Image{Platform: imgspecv1.Platform{Architecture: architecture, OS: "linux"}}
	config.RootFS.Type = "layers"
	for _, layer := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(layer))
		config.History = append(config.History, imgspecv1.History{CreatedBy: "a test"})
	}
	return encode(config)
}

// Layout is an OCI layout that is being made.
type Layout struct {
	Dir string
}

// NewLayout begins a layout in an empty folder.
func NewLayout(dir string) *Layout {
	write(filepath.Join(dir, imgspecv1.ImageLayoutFile), []byte(`{"imageLayoutVersion":"1.0.0"}`))
	return &Layout{Dir: dir}
}

// Image adds an OCI image with gzip layers to the blobs and returns its descriptor.
func (l *Layout) Image(architecture string, layers ...[]byte) imgspecv1.Descriptor {
	manifest := imgspecv1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: imgspecv1.MediaTypeImageManifest,
		Config:    l.blob(imgspecv1.MediaTypeImageConfig, Config(architecture, layers...)),
	}
	for _, layer := range layers {
		manifest.Layers = append(manifest.Layers, l.blob(imgspecv1.MediaTypeImageLayerGzip, Gzip(layer)))
	}
	descriptor := l.blob(imgspecv1.MediaTypeImageManifest, encode(manifest))
	descriptor.Platform = &imgspecv1.Platform{Architecture: architecture, OS: "linux"}
	return descriptor
}

// Attachment adds a sigstore attachment with one payload and its signature to the blobs (cosign's SIGNATURE_SPEC) and
// returns its descriptor.
func (l *Layout) Attachment(payload []byte, signature string) imgspecv1.Descriptor {
	layer := l.blob("application/vnd.dev.cosign.simplesigning.v1+json", payload)
	layer.Annotations = map[string]string{"dev.cosignproject.cosign/signature": signature}
	return l.blob(imgspecv1.MediaTypeImageManifest, encode(imgspecv1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: imgspecv1.MediaTypeImageManifest,
		Config:    l.blob(imgspecv1.MediaTypeImageConfig, Config("", payload)),
		Layers:    []imgspecv1.Descriptor{layer},
	}))
}

// Index adds an index of images to the blobs and returns its descriptor.
func (l *Layout) Index(images ...imgspecv1.Descriptor) imgspecv1.Descriptor {
	return l.blob(imgspecv1.MediaTypeImageIndex, encode(imgspecv1.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: imgspecv1.MediaTypeImageIndex,
		Manifests: images,
	}))
}

// Tag names an image or index, ends the layout and returns the reference "oci:<dir>:<tag>".
func (l *Layout) Tag(tag string, image imgspecv1.Descriptor) string {
	image.Annotations = map[string]string{imgspecv1.AnnotationRefName: tag}
	image.Platform = nil
	write(filepath.Join(l.Dir, imgspecv1.ImageIndexFile), encode(imgspecv1.Index{
		Versioned: specs.Versioned{SchemaVersion: 2},
		Manifests: []imgspecv1.Descriptor{image},
	}))
	return "oci:" + l.Dir + ":" + tag
}

func (l *Layout) blob(mediaType string, content []byte) imgspecv1.Descriptor {
	d := digest.FromBytes(content)
	write(filepath.Join(l.Dir, imgspecv1.ImageBlobsDir, d.Algorithm().String(), d.Encoded()), content)
	return imgspecv1.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(content))}
}

// Schema2Layer is a layer of a Docker image: its content, or where it lives.
type Schema2Layer struct {
	MediaType string
	Content   []byte
	URLs      []string
}

// Schema2 makes an empty folder one of the dir: transport, with a Docker schema 2 image, and returns the reference
// "dir:<dir>". A layer with URLs is not in the folder.
func Schema2(dir string, config []byte, layers ...Schema2Layer) string {
	blob := func(mediaType string, content []byte) map[string]any {
		return map[string]any{"mediaType": mediaType, "size": len(content), "digest": digest.FromBytes(content)}
	}
	keep := func(content []byte) {
		write(filepath.Join(dir, digest.FromBytes(content).Encoded()), content)
	}
	entries := []map[string]any{}
	for _, layer := range layers {
		entry := blob(layer.MediaType, layer.Content)
		if layer.URLs != nil {
			entry["urls"] = layer.URLs
		} else {
			keep(layer.Content)
		}
		entries = append(entries, entry)
	}
	keep(config)
	write(filepath.Join(dir, "version"), []byte("Directory Transport Version: 1.1\n"))
	write(filepath.Join(dir, "manifest.json"), encode(map[string]any{
		"schemaVersion": 2,
		"mediaType":     "application/vnd.docker.distribution.manifest.v2+json",
		"config":        blob("application/vnd.docker.container.image.v1+json", config),
		"layers":        entries,
	}))
	return "dir:" + dir
}

func write(path string, content []byte) {
	must(os.MkdirAll(filepath.Dir(path), 0o755))
	must(os.WriteFile(path, content, 0o644))
}

func encode(value any) []byte {
	text, err := json.Marshal(value)
	must(err)
	return text
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
