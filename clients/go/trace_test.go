package udist_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"udist.dev/plugin/udist"
)

// TestTrace records a push, in which no secret must show, and has the trace printed and replayed.
func TestTrace(t *testing.T) {
	const secret = "hunter2"
	folder := t.TempDir()
	path := filepath.Join(folder, "trace.jsonl")
	content := bytes.Repeat([]byte(secret), 100_000)
	t.Setenv("UDIST_TRACE", path)
	plugin, err := udist.Spawn(t.Context(), udist.Config{
		YAML: "version: 0.1\nstorage: {inmemory: {}}\n" + secret + ": " + secret,
		Env:  []string{"REGISTRY_HTTP_SECRET=" + secret},
	})
	if err != nil {
		t.Fatal(err)
	}
	begun := exchange(t, plugin, "POST", "/v2/a/blobs/uploads/?token="+secret, nil)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	exchange(t, plugin, "PUT", begun.Header.Get("Location")+"?digest="+digest, content)
	exchange(t, plugin, "GET", "/v2/a/blobs/"+digest, nil)
	if err := plugin.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.Contains(text, []byte(secret)) {
		t.Fatalf("%v, %s", err, text)
	}

	shown := output(t, python("udist_plugin.testing.trace", path))
	if !strings.Contains(shown, "GET /v2/a/blobs/"+digest) || !strings.HasSuffix(shown, "The connection was closed.") {
		t.Errorf("printed:\n%s", shown)
	}
	config := filepath.Join(folder, "udist.yml")
	if err := os.WriteFile(config, []byte("version: 0.1\nstorage: {inmemory: {}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	replay := append([]string{"--replay", path, "--"}, python("udist_plugin", "--config", config)...)
	replayed := output(t, python("udist_plugin.testing.trace", replay...))
	if !strings.HasSuffix(replayed, "3 exchanges: 1 the same, 2 different as expected, 0 different") {
		t.Errorf("replayed:\n%s", replayed)
	}
}

// TestTraceOption goes before the environment, and a trace that cannot be written is a warning.
func TestTraceOption(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("UDIST_TRACE", filepath.Join(folder, "of the environment"))
	var lines lockedBuffer
	plugin := spawn(t, udist.Config{YAML: "{version: 0.1, storage: inmemory}", Trace: filepath.Join(folder, "a", "b"), Stderr: &lines})
	exchange(t, plugin, "GET", "/v2/", nil)
	if !strings.HasPrefix(lines.String(), "udist: cannot write a trace: open ") {
		t.Errorf("%q", lines.String())
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

func exchange(t *testing.T, plugin *udist.Plugin, method, target string, content []byte) *http.Response {
	t.Helper()
	request, err := http.NewRequest(method, "http://localhost"+target, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("me", "hunter2")
	request.Header.Set("Cookie", "hunter2")
	response, err := plugin.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := bytes.NewBuffer(nil).ReadFrom(response.Body); err != nil || response.StatusCode >= 300 {
		t.Fatalf("%s %s: %v, %v", method, target, response.Status, err)
	}
	return response
}
