// Code generated from ../image by internal/twin; DO NOT EDIT.

package udistribution_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containers/image/v5/copy"
	"github.com/containers/image/v5/types"
	"udist.dev/plugin/udist/containersimage/client"
	def "udist.dev/plugin/udist/containersimage/client/default"
	"udist.dev/plugin/udist/containersimage/constants"
	"udist.dev/plugin/udist/containersimage/udistribution"
)

// What programs that were written for udistribution name, by the types they rely on.
var (
	_ types.ImageTransport = udistribution.UdistributionTransport{}
	_ types.ImageTransport = &udistribution.UdistributionTransport{}

	_ func(string, []string) (*client.Client, error)                                                         = client.NewClient
	_ func(*client.Configuration) (context.Context, error)                                                   = client.GetContext
	_ func(*client.Client, string) *udistribution.UdistributionTransport                                     = udistribution.NewTransport
	_ func(string, []string) (*udistribution.UdistributionTransport, error)                                  = udistribution.NewTransportFromNewConfig
	_ func(string, *udistribution.UdistributionTransport) (types.ImageReference, error)                      = udistribution.ParseReference
	_ func(context.Context, *types.SystemContext, types.ImageReference) ([]string, error)                    = udistribution.GetRepositoryTags
	_ func(context.Context, *types.SystemContext, string, string, string) error                              = udistribution.CheckAuth
	_ func(context.Context, *types.SystemContext, string, string, int) ([]udistribution.SearchResult, error) = udistribution.SearchRegistry

	_ error  = udistribution.ErrUnauthorizedForCredentials{Err: errors.New("no")}
	_ string = def.Config + def.DefaultConfig
)

func TestApp(t *testing.T) {
	root := t.TempDir()
	ut, err := udistribution.NewTransportFromNewConfig(def.Config, []string{
		"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=" + root, "REGISTRY_STORAGE_DELETE_ENABLED=true",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ut.Close()
	app := ut.GetApp()
	storage := app.Config.Storage
	if storage.Type() != "filesystem" || storage.Parameters()["rootdirectory"] != root || storage["delete"]["enabled"] != true {
		t.Errorf("storage: %v", storage)
	}
	if prefix := constants.TransportPrefix + storage.Type() + "-"; !strings.HasPrefix(ut.Name(), prefix) {
		t.Errorf("%s does not begin with %s", ut.Name(), prefix)
	}
	ctx, err := client.GetContext(app.Config)
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	app.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/", nil).WithContext(ctx))
	if answer.Code != http.StatusOK {
		t.Errorf("GET /v2/: %d", answer.Code)
	}
}

// registry answers as a registry on the network: one that knows a password, and has repositories.
func registry(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/v2/_catalog":
			_, _ = w.Write([]byte(`{"repositories": ["ns/app", "other"]}`))
		case strings.HasPrefix(r.URL.Path, "/v1/"):
			w.WriteHeader(http.StatusNotFound)
		case password != "right":
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func TestRegistryOnTheNetwork(t *testing.T) {
	host, sys := registry(t), system(t)
	sys.AuthFilePath = filepath.Join(t.TempDir(), "auth.json")
	if err := udistribution.CheckAuth(t.Context(), sys, "user", "right", host); err != nil {
		t.Error(err)
	}
	var refused udistribution.ErrUnauthorizedForCredentials
	if err := udistribution.CheckAuth(t.Context(), sys, "user", "wrong", host); !errors.As(err, &refused) {
		t.Errorf("with a wrong password: %v", err)
	}
	results, err := udistribution.SearchRegistry(t.Context(), sys, host, "app", 5)
	if err != nil || len(results) != 1 || results[0].Name != "ns/app" {
		t.Errorf("%v, %v", results, err)
	}
	for _, err := range []error{udistribution.ErrV1NotSupported, udistribution.ErrTooManyRequests} {
		if err.Error() == "" {
			t.Errorf("%#v says nothing", err)
		}
	}
}

func TestSignatureStorageBaseURL(t *testing.T) {
	ut, _ := newTransport(t, inmemory, "inmemory")
	sys := system(t)
	text := "docker:\n  example.com:\n    lookaside: file:///read\n    lookaside-staging: file:///write\n"
	if err := os.WriteFile(filepath.Join(sys.RegistriesDirPath, "d.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ref := parse(t, ut.Name()+"://example.com/ns/app:v1")
	for write, want := range map[bool]string{false: "file:///read/ns/app", true: "file:///write/ns/app"} {
		if base, err := udistribution.SignatureStorageBaseURL(sys, ref, write); err != nil || base.String() != want {
			t.Errorf("%v, %v, want %s", base, err, want)
		}
	}
	if _, err := udistribution.SignatureStorageBaseURL(sys, parse(t, "docker://alpine"), false); err == nil {
		t.Error("a reference of another transport was accepted")
	}
}

// TestRegistriesConf reads images by the names that registries.conf gives them, and no image of a blocked registry.
func TestRegistriesConf(t *testing.T) {
	ut, _ := newTransport(t, inmemory, "inmemory")
	sys := system(t)
	sys.SystemRegistriesConfPath = filepath.Join(t.TempDir(), "registries.conf")
	sys.SystemRegistriesConfDirPath = t.TempDir()
	text := `
[[registry]]
prefix = "example.com/moved"
location = "example.com/ns"

[[registry]]
location = "example.com/main"
[[registry.mirror]]
location = "example.com/empty"
[[registry.mirror]]
location = "example.com/ns"

[[registry]]
location = "blocked.example.com"
blocked = true
`
	if err := os.WriteFile(sys.SystemRegistriesConfPath, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	pushed := copyImage(t, parse(t, ut.Name()+"://example.com/ns/app:v1"), parse(t, threeLayers(t)), copy.Options{})
	for _, name := range []string{"ns", "moved", "main"} {
		from := parse(t, ut.Name()+"://example.com/"+name+"/app:v1")
		to := parse(t, "dir:"+t.TempDir())
		if copied := copyImage(t, to, from, copy.Options{SourceCtx: sys}); string(copied) != string(pushed) {
			t.Errorf("%s: another manifest", name)
		}
	}
	_, err := parse(t, ut.Name()+"://example.com/main/none:v1").NewImageSource(t.Context(), sys)
	for _, repository := range []string{"empty/none", "ns/none", "main/none"} {
		if err == nil || !strings.Contains(err.Error(), "example.com/"+repository) {
			t.Errorf("the error does not name %s: %v", repository, err)
		}
	}
	blocked := parse(t, ut.Name()+"://blocked.example.com/app:v1")
	if _, err := blocked.NewImageSource(t.Context(), sys); err == nil || !strings.Contains(err.Error(), "is blocked in") {
		t.Errorf("source: %v", err)
	}
	if _, err := blocked.NewImageDestination(t.Context(), sys); err == nil || !strings.Contains(err.Error(), "is blocked in") {
		t.Errorf("destination: %v", err)
	}
}
