package udistribution_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.podman.io/image/v5/copy"
	"go.podman.io/image/v5/manifest"
	"udist.dev/plugin/udist/image/internal/testimage"
)

// dockerRegistry runs Debian's docker-registry on loopback until the test's end and returns host and port.
func dockerRegistry(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	config := filepath.Join(t.TempDir(), "config.yml")
	text := fmt.Sprintf("%slog:\n  level: error\nhttp:\n  addr: %s\n", filesystem(t), address)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	registry := exec.Command(program, "serve", config)
	registry.Stdout, registry.Stderr = &output, &output
	if err := registry.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = registry.Process.Kill()
		_ = registry.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; {
		resp, err := http.Get("http://" + address + "/v2/")
		if err == nil {
			resp.Body.Close()
			return address
		}
		if time.Now().After(deadline) {
			t.Fatalf("docker-registry does not answer: %v\n%s", err, output.String())
		}
		time.Sleep(20 * time.Millisecond) // between polls of a program that tells nobody when it is ready
	}
}

// TestBackupAndRestore is the round trip of openshift-velero-plugin: images of a cluster's registry go by digest into
// the store, under a tag or by digest, and by digest into another registry, the same bytes.
func TestBackupAndRestore(t *testing.T) {
	cluster, restored := dockerRegistry(t), dockerRegistry(t)
	ut, _ := newTransport(t, filesystem(t), "filesystem")

	layer := testimage.Layer(7, 100_000)
	schema2 := testimage.Schema2(t.TempDir(), testimage.Config("amd64", layer), testimage.Schema2Layer{
		MediaType: manifest.DockerV2Schema2LayerMediaType, Content: testimage.Gzip(layer),
	})
	for kind, from := range map[string]string{"oci": threeLayers(t), "docker": schema2} {
		t.Run(kind, func(t *testing.T) {
			sys := system(t)
			image := "/ns/" + kind
			pushed := copyImage(t, parse(t, "docker://"+cluster+image+":v1"), parse(t, from), copy.Options{SourceCtx: sys})
			expected, err := manifest.Digest(pushed)
			if err != nil {
				t.Fatal(err)
			}
			byDigest := image + "@" + expected.String()
			for _, stored := range []string{image + ":v1", byDigest} {
				hops := []struct{ to, from string }{
					{ut.Name() + ":/" + stored, "docker://" + cluster + byDigest},
					{"docker://" + restored + image + ":v1", ut.Name() + ":/" + byDigest},
				}
				for _, hop := range hops {
					got, err := manifest.Digest(copyImage(t, parse(t, hop.to), parse(t, hop.from), copy.Options{SourceCtx: sys}))
					if err != nil || got != expected {
						t.Errorf("%s -> %s: digest %s, expected %s (%v)", hop.from, hop.to, got, expected, err)
					}
				}
			}
			compareSources(t, parse(t, "dir:"+pull(t, restored+byDigest)), parse(t, "dir:"+pull(t, cluster+byDigest)))
		})
	}
}

// pull copies an image of a loopback registry into a folder and returns the folder.
func pull(t *testing.T, name string) string {
	dir := t.TempDir()
	copyImage(t, parse(t, "dir:"+dir), parse(t, "docker://"+name), copy.Options{})
	return dir
}
