package udist_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"udist.dev/plugin/udist"
)

// TestStderr hands on the plugin's log, with its levels.
func TestStderr(t *testing.T) {
	var lines, records lockedBuffer
	config := inFolder(t)
	config.Env = append(config.Env, "REGISTRY_NONSENSE=1")
	config.Stderr = &lines
	config.Logger = slog.New(slog.NewTextHandler(&records, nil))
	plugin := spawn(t, config)
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(lines.String(), "REGISTRY_NONSENSE") || !strings.HasSuffix(lines.String(), "\n") {
		t.Errorf("%q", lines.String())
	}
	if !strings.Contains(records.String(), "level=WARN") {
		t.Errorf("%q", records.String())
	}
}

func init() {
	programs["told-nothing-about-logs"] = func() {
		for _, config := range []udist.Config{{}, {Stderr: io.Discard}, {Logger: slog.New(slog.DiscardHandler)}} {
			config.Env = []string{"REGISTRY_STORAGE=inmemory", "REGISTRY_NONSENSE=1", "REGISTRY_HTTP_ADDR=:5000"}
			plugin, err := udist.Spawn(context.Background(), config)
			if err == nil {
				err = plugin.Close()
			}
			if err != nil {
				fmt.Println(err)
			}
		}
	}
}

// TestWarnings go to the program's own standard error unless it is told otherwise, and nothing else does.
func TestWarnings(t *testing.T) {
	text, err := exec.Command(fake(t)[0], "told-nothing-about-logs").CombinedOutput()
	if lines := strings.Split(string(text), "\n"); err != nil || len(lines) != 2 ||
		!strings.Contains(lines[0], "level=warning") || !strings.Contains(lines[0], "REGISTRY_NONSENSE") {
		t.Errorf("%v: %s", err, text)
	}
}

type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

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

// TestLevels takes a record's level from where it stands, whatever its message says.
func TestLevels(t *testing.T) {
	var records lockedBuffer
	logged := `time="2026-01-02T03:04:05Z" level=info msg="GET /v2/?a=1 level=error level=debug level=warning"`
	script := `for i in 1 2 3 4 5 6 7 8; do printf '%s\n' "$1"; done >&2; shift; exec "$@"`
	plugin := spawn(t, udist.Config{
		Command: append([]string{"sh", "-c", script, "sh", logged}, fake(t)...),
		Logger:  slog.New(slog.NewTextHandler(&records, nil)),
	})
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	if text := records.String(); strings.Count(text, " level=INFO ") != 8 {
		t.Errorf("%s", text)
	}
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
