package udist_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

// TestKilled kills the plugin in the midst of a push; on a new one the same push succeeds.
func TestKilled(t *testing.T) {
	config := inFolder(t)
	config.Restart = &udist.RestartPolicy{Max: 1, Interval: time.Minute}
	plugin := spawn(t, config)
	first := plugin.PID()
	content := pattern(4, 8<<20)
	digest := digestOf(content)
	exited := plugin.Exited()
	body := &fatal{content: bytes.NewReader(content), kill: func() {
		kill(t, first)
		within(t, exited, "the plugin's end")
	}}
	err := push(plugin, "killed", digest, body, int64(len(content)))
	var told *udist.Error
	if !errors.As(err, &told) || !errors.Is(err, udist.ErrDied) || !told.Retryable || told.ExitCode() != -1 {
		t.Fatalf("%v, want a retryable death", err)
	}
	if err := push(plugin, "killed", digest, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	if got, err := pull(plugin, "killed", digest, readers["WriteTo"]); err != nil || got != digest {
		t.Errorf("%s, %v, want %s", got, err, digest)
	}
	second := plugin.PID()
	kill(t, second)
	within(t, plugin.Exited(), "the plugin's end")
	if _, err := do(t.Context(), t, plugin, http.MethodGet, "/v2/", nil); !errors.Is(err, udist.ErrDied) {
		t.Errorf("%v, want no second restart", err)
	}
	if err := plugin.Wait(); !errors.Is(err, udist.ErrDied) {
		t.Errorf("%v, want how it ended", err)
	}
}

func kill(t testing.TB, pid int) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err == nil {
		err = process.Kill()
	}
	if err != nil {
		t.Error(err)
	}
}

// fatal kills the plugin once half of it was read.
type fatal struct {
	content *bytes.Reader
	kill    func()
}

func (f *fatal) Read(p []byte) (int, error) {
	if f.kill != nil && f.content.Len() < int(f.content.Size()/2) {
		f.kill()
		f.kill = nil
	}
	return f.content.Read(p[:min(len(p), 64<<10)])
}

func TestClosed(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	if _, err := do(t.Context(), t, plugin, http.MethodGet, "/v2/", nil); !errors.Is(err, udist.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
	if err := errors.Join(plugin.Wait(), plugin.Close()); err != nil {
		t.Error(err)
	}
}

// TestCloseBesideReading lets a response be read to its end, and gives up one that nobody reads.
func TestCloseBesideReading(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(5, 12<<20)
	digest := digestOf(content)
	if err := push(plugin, "close", digest, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	read, err := do(t.Context(), t, plugin, http.MethodGet, "/v2/close/blobs/"+digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	unread, err := do(t.Context(), t, plugin, http.MethodGet, "/v2/close/blobs/"+digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		slow := unhurried{read.Body}
		if n, err := io.Copy(io.Discard, slow); err != nil || n != int64(len(content)) {
			t.Errorf("%d bytes, %v", n, err)
		}
	}()
	begin := time.Now()
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 9*time.Second {
		t.Errorf("took %v", took)
	}
	within(t, done, "reading")
	if _, err := io.Copy(io.Discard, unread.Body); !errors.Is(err, udist.ErrClosed) {
		t.Errorf("%v, want ErrClosed", err)
	}
}

// unhurried takes its time: for what a window grants at once, more than draining waits for a frame.
type unhurried struct{ io.Reader }

func (s unhurried) Read(p []byte) (int, error) {
	time.Sleep(1500 * time.Microsecond)
	return s.Reader.Read(p[:min(len(p), 8<<10)])
}
