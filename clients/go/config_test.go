package udist_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"udist.dev/plugin/udist"
)

// TestEnvironment takes a whole environment, and replaces the one of this process.
func TestEnvironment(t *testing.T) {
	t.Setenv("REGISTRY_STORAGE", "nonsense")
	plugin := spawn(t, udist.Config{Env: append(os.Environ(), "REGISTRY_STORAGE=inmemory")})
	response, err := do(t.Context(), t, plugin, http.MethodGet, "/v2/", nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", response, err)
	}
	_, err = udist.Spawn(t.Context(), udist.Config{})
	check(t, err, misbehaviour{udist.ErrHandshake, "nonsense"})
	_, err = udist.Spawn(t.Context(), udist.Config{YAML: strings.Repeat("# comment\n", 7000)})
	check(t, err, misbehaviour{udist.ErrHandshake, "cannot send the configuration: a frame of 70"})
}

// TestOtherEnvironments takes what an environment may hold on other systems: Windows keeps the folder of each drive
// in it.
func TestOtherEnvironments(t *testing.T) {
	plugin := spawn(t, udist.Config{Env: []string{`=C:=C:\work`, "REGISTRY_STORAGE=inmemory"}})
	response, err := do(t.Context(), t, plugin, http.MethodGet, "/v2/", nil)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%v, %v", response, err)
	}
}
