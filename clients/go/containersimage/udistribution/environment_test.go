// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/containers/image/v5/copy"
	"udist.dev/plugin/udist"
	"udist.dev/plugin/udist/containersimage/udistribution"
)

// stores are those that variables alone can name, as a backup's environment does. UDIST_TEST_STORES adds more, as
// driver and variables, one store a line: tests/clients/test_go_image.py starts their servers.
func stores(t *testing.T) map[string][]string {
	found := map[string][]string{
		"filesystem": {"REGISTRY_STORAGE=filesystem", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=" + t.TempDir()},
	}
	for line := range strings.Lines(os.Getenv("UDIST_TEST_STORES")) {
		driver, variables, _ := strings.Cut(strings.TrimSpace(line), " ")
		found[driver] = append(strings.Fields(variables), "REGISTRY_STORAGE="+driver)
	}
	return found
}

// TestEnvironment copies an image into a store that only the environment names, finds all of it there through another
// plugin, and deletes it.
func TestEnvironment(t *testing.T) {
	for driver, variables := range stores(t) {
		t.Run(driver, func(t *testing.T) {
			ut, err := udistribution.NewTransportFromNewConfig("", append(variables, "PATH=/nowhere"))
			if err != nil {
				t.Fatal(err)
			}
			defer ut.Close()
			if !strings.HasPrefix(ut.Name(), "udistribution-"+driver+"-") {
				t.Error(ut.Name())
			}
			answer := httptest.NewRecorder()
			ut.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/", nil))
			if answer.Code != http.StatusOK {
				t.Errorf("GET /v2/: %d %s", answer.Code, answer.Body)
			}
			from, to := parse(t, threeLayers(t)), parse(t, ut.Name()+"://ns/backup:v1")
			copied := copyImage(t, to, from, copy.Options{})
			compareSources(t, to, from)

			other, requests := spawned(t, udist.Config{Env: variables}, driver)
			seen := parse(t, other.Name()+"://ns/backup:v1")
			if again := copyImage(t, seen, from, copy.Options{}); !bytes.Equal(again, copied) {
				t.Error("the second copy is another")
			}
			if uploads := requests.take("/blobs/uploads/"); len(uploads) != 0 {
				t.Errorf("the second copy pushed blobs: %q", uploads)
			}
			copyImage(t, parse(t, "dir:"+t.TempDir()), seen, copy.Options{}) // it verifies every digest

			if err := to.DeleteImage(t.Context(), system(t)); err != nil {
				t.Fatal(err)
			}
			if _, err := seen.NewImageSource(t.Context(), system(t)); err == nil || !strings.Contains(err.Error(), "manifest unknown") {
				t.Errorf("after it was deleted: %v", err)
			}
		})
	}
}
