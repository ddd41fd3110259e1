package udist_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

// programs are what this program can be as well, by its name or its one argument.
var programs = map[string]func(){
	"fake-plugin":  func() { fakePlugin(os.Stdin, os.Stdout) },
	"udist-plugin": func() { fakePlugin(os.Stdin, os.Stdout) }, // what embedded starts
}

// TestMain lets this program be another one, and finds the real one in the repository's own
// environment when UDIST_PLUGIN does not name one.
func TestMain(m *testing.M) {
	for _, name := range []string{filepath.Base(os.Args[0]), os.Args[len(os.Args)-1]} {
		if program := programs[name]; program != nil {
			program()
			return
		}
	}
	_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // of the fake plugin
	repository, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	if os.Getenv("UDIST_PLUGIN") == "" {
		python := filepath.Join(repository, ".venv", "bin", "python")
		if _, err := os.Stat(python); err != nil {
			python = "python3"
		}
		_ = os.Setenv("UDIST_PLUGIN", python+" -m udist_plugin")
		_ = os.Setenv("PYTHONPATH", repository)
	}
	os.Exit(m.Run())
}

// python is a command that runs a module where the plugin's is.
func python(module string, arguments ...string) []string {
	interpreter, _, _ := strings.Cut(os.Getenv("UDIST_PLUGIN"), " ")
	return append([]string{interpreter, "-m", module}, arguments...)
}

func fake(t testing.TB) []string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{program, "fake-plugin"}
}

// spawn is a plugin for the time of the test, after which no goroutine of this library may be left.
func spawn(t testing.TB, config udist.Config) *udist.Plugin {
	t.Helper()
	t.Cleanup(func() { noGoroutineIsLeft(t) })
	plugin, err := udist.Spawn(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plugin.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return plugin
}

// answers sends a request to a fake plugin.
func answers(t *testing.T, plugin *udist.Plugin) {
	t.Helper()
	response, err := plugin.Client().Get("http://registry/ping")
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusNoContent {
		t.Errorf("%s", response.Status)
	}
}

// inFolder configures a registry in a folder of its own.
func inFolder(t testing.TB) udist.Config {
	return udist.Config{Env: []string{"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=" + t.TempDir()}}
}

// within bounds a wait that must not last.
func within(t testing.TB, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: not within 20 s; goroutines:\n%s", what, strings.Join(ourGoroutines(), "\n\n"))
	}
}

func noGoroutineIsLeft(t testing.TB) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); len(ourGoroutines()) > 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Errorf("goroutines left:\n%s", strings.Join(ourGoroutines(), "\n\n"))
			return
		}
	}
}

func ourGoroutines() (ours []string) {
	buffer := make([]byte, 1<<20)
	buffer = buffer[:runtime.Stack(buffer, true)]
	for stack := range strings.SplitSeq(string(buffer), "\n\n") {
		if strings.Contains(stack, "udist.dev/plugin/udist.") || strings.Contains(stack, "udist/internal/") {
			ours = append(ours, stack)
		}
	}
	return ours
}

// deadline is a context for one call that must end before it.
func deadline(t testing.TB, after time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), after)
	t.Cleanup(cancel)
	return ctx
}

func output(t testing.TB, command []string) string {
	t.Helper()
	text, err := exec.Command(command[0], command[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// pattern is content that differs from block to block.
func pattern(seed, length int) []byte {
	content := make([]byte, length)
	state := uint32(seed)*2654435761 + 1
	for i := range content {
		if i%64 == 0 {
			state = state*1664525 + 1013904223
		}
		content[i] = byte(state>>24) + byte(i)
	}
	return content
}

// blocking is a body that gives content, says when it has no more, and then waits to be closed.
type blocking struct {
	io.Reader
	empty  func()
	closed chan struct{}
}

func newBlocking(content string) *blocking {
	return &blocking{strings.NewReader(content), func() {}, make(chan struct{})}
}

func (b *blocking) Read(p []byte) (int, error) {
	if n, _ := b.Reader.Read(p); n > 0 {
		return n, nil
	}
	b.empty()
	<-b.closed
	return 0, fmt.Errorf("the body was closed")
}

func (b *blocking) Close() error {
	close(b.closed)
	return nil
}

func writeProgram(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
