//go:build unix

package udist_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

// withGrandchild is the fake plugin beside a process of a shell's, which holds the plugin's standard streams and runs
// until the end of the test.
func withGrandchild(t *testing.T, program string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pid")
	t.Cleanup(func() {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		process, err := os.FindProcess(pid)
		if err == nil {
			err = process.Kill()
		}
		if err != nil && !errors.Is(err, os.ErrProcessDone) { // writing to a pipe without a reader ends it too
			t.Error(err)
		}
	})
	script := program + ` & echo $! >"$1"; shift; exec "$@"`
	return append([]string{"sh", "-c", script, "sh", file}, fake(t)...)
}

// TestDeathBesideGrandchild has a plugin die whose standard streams are held open by another process: requests fail at
// once, and closing takes no time.
func TestDeathBesideGrandchild(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: withGrandchild(t, "sleep 600")})
	response, err := do(t.Context(), t, plugin, http.MethodPost, "/echo", newBlocking("some"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := response.Body.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	kill(t, plugin.PID())
	if _, err := response.Body.Read(make([]byte, 4)); !errors.Is(err, udist.ErrDied) {
		t.Errorf("%v, want ErrDied", err)
	}
	if err := plugin.Wait(); !errors.Is(err, udist.ErrDied) {
		t.Errorf("%v, want ErrDied", err)
	}
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 900*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

// TestCloseBesideGrandchild closes a plugin whose standard streams are held open by another process. One that writes on
// and on has nothing more read of it after a while.
func TestCloseBesideGrandchild(t *testing.T) {
	for program, bound := range map[string]time.Duration{
		"sleep 600": 900 * time.Millisecond,
		"exec sh -c 'while :; do echo x >&2; done'": 5 * time.Second,
	} {
		t.Run(program, func(t *testing.T) {
			plugin := spawn(t, udist.Config{Command: withGrandchild(t, program)})
			if _, err := do(t.Context(), t, plugin, http.MethodGet, "/fields", nil); err != nil {
				t.Error(err)
			}
			begin := time.Now()
			if err := plugin.Close(); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > bound {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestLastWordsBesideGrandchild has a plugin say why it ends, which is read to its end.
func TestLastWordsBesideGrandchild(t *testing.T) {
	command := withGrandchild(t, "sleep 600")[:5]
	command[2] = strings.Replace(command[2], `exec "$@"`, `i=0; while [ $i -lt 5000 ]; do echo $i; i=$((i+1)); done >&2; exit 3`, 1)
	_, err := udist.Spawn(t.Context(), udist.Config{Command: command})
	var told *udist.Error
	if !errors.As(err, &told) || told.ExitCode() != 3 || !strings.HasSuffix(told.Stderr, "\n4999") {
		t.Errorf("%v, want what was said last", err)
	}
}
