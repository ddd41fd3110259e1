package udist_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"udist.dev/plugin/udist"
)

// sharing is a fake plugin that shares files.
func sharing(t *testing.T) *udist.Plugin {
	return spawn(t, udist.Config{Command: fake(t), Files: udist.FilesAlways})
}

// text returns the content of the answer to a request.
func text(t *testing.T, plugin *udist.Plugin, method, path string, body io.Reader) string {
	t.Helper()
	response, err := do(t.Context(), t, plugin, method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// lastReset returns the code of the last reset that the fake plugin has received.
func lastReset(t *testing.T, plugin *udist.Plugin) string {
	t.Helper()
	return strings.TrimPrefix(text(t, plugin, http.MethodGet, "/file/last-reset", nil), "CODE_")
}

func TestPullOfAFile(t *testing.T) {
	plugin := sharing(t)
	for range 100 { // more than there are slots
		if got := text(t, plugin, http.MethodGet, "/file/right", nil); got != string(shared) {
			t.Fatalf("%d bytes, want %d", len(got), len(shared))
		}
	}
	if code := lastReset(t, plugin); code != "OK_UNSPECIFIED" {
		t.Errorf("reset with %s, want OK", code)
	}
}

// TestFilesThatAreNot are asked for again, once, and no others after them.
func TestFilesThatAreNot(t *testing.T) {
	for _, how := range []string{
		"other-descriptor", "closed", "other-size", "beyond-its-end", "overflow", "pipe", "device", "folder",
	} {
		t.Run(how, func(t *testing.T) {
			plugin := sharing(t)
			if got := text(t, plugin, http.MethodGet, "/file/"+how, nil); got != "sent" {
				t.Errorf("%.40q, want what is sent", got)
			}
			if code := lastReset(t, plugin); code != "FAILED_PRECONDITION" {
				t.Errorf("reset with %s", code)
			}
			if got := text(t, plugin, http.MethodGet, "/file/right", nil); got != "sent" {
				t.Errorf("%.40q, want no more files", got)
			}
			if got := text(t, plugin, http.MethodPut, "/file/open", fileOf(t, shared, 0)); got != "sent" {
				t.Errorf("%.40q, want no more files", got)
			}
		})
	}
}

// TestFilesNotAgreedOn are neither offered nor asked for.
func TestFilesNotAgreedOn(t *testing.T) {
	for name, config := range map[string]udist.Config{
		"a command":       {},
		"never":           {Files: udist.FilesNever},
		"another process": {Files: udist.FilesAlways, YAML: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			config.Command = fake(t)
			plugin := spawn(t, config)
			if got := text(t, plugin, http.MethodGet, "/file/right", nil); got != "sent" {
				t.Errorf("%.40q, want what is sent", got)
			}
			if got := text(t, plugin, http.MethodPut, "/file/open", fileOf(t, shared, 0)); got != "sent" {
				t.Errorf("%.40q, want what is sent", got)
			}
		})
	}
}

// TestFilesOfAPluginFound are shared without being asked.
func TestFilesOfAPluginFound(t *testing.T) {
	folder := t.TempDir()
	writeProgram(t, folder+"/udist-plugin", "#!/bin/sh\nexec "+strings.Join(fake(t), " ")+"\n")
	t.Setenv("UDIST_PLUGIN", "")
	t.Setenv("PATH", folder)
	plugin := spawn(t, udist.Config{})
	if got := text(t, plugin, http.MethodGet, "/file/right", nil); got != string(shared) {
		t.Errorf("%.40q, want the file", got)
	}
}

// TestCutFile must not pass for the whole.
func TestCutFile(t *testing.T) {
	for name, read := range readers {
		t.Run(name, func(t *testing.T) {
			plugin := sharing(t)
			response, err := do(t.Context(), t, plugin, http.MethodGet, "/file/cut", nil)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			lastReset(t, plugin) // then the file has been truncated
			var content bytes.Buffer
			n, err := io.Copy(&content, read(response.Body))
			var told *udist.Error
			if n != 10 || !errors.As(err, &told) || told.Code != "DATA_LOSS" {
				t.Errorf("%d bytes, %v, want DATA_LOSS after 10", n, err)
			}
		})
	}
}

// TestPushOfAFile hands over the rest of a file, and leaves it where reading would have left it.
func TestPushOfAFile(t *testing.T) {
	plugin := sharing(t)
	for _, how := range []string{"open", "refuse"} { // refusing is last: then no more is offered
		file := fileOf(t, shared, 1000)
		if err := file.Truncate(1000 + int64(len(shared))); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"open": "150000 of " + digestOf(shared) + ", <nil>", "refuse": "sent"}[how]
		if got := text(t, plugin, http.MethodPut, "/file/"+how, io.NopCloser(file)); got != want {
			t.Errorf("%s: %q, want %q", how, got, want)
		}
		if at, err := file.Seek(0, io.SeekCurrent); err != nil || at != 1000+int64(len(shared)) {
			t.Errorf("%s: left at %d, %v", how, at, err)
		}
	}
	if got := text(t, plugin, http.MethodPut, "/file/open", fileOf(t, shared, 0)); got != "sent" {
		t.Errorf("%q, want no more files", got)
	}
}

// TestFileThatCannotBeRead is not offered, and others still are.
func TestFileThatCannotBeRead(t *testing.T) {
	plugin := sharing(t)
	file, err := os.OpenFile(fileOf(t, shared, 0).Name(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := do(t.Context(), t, plugin, http.MethodPut, "/file/open", file); err == nil {
		content, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if string(content) != "sent" {
			t.Errorf("%q, want that nothing is shared", content)
		}
	} else if !errors.Is(err, syscall.EBADF) {
		t.Error(err)
	}
	if got := text(t, plugin, http.MethodGet, "/file/right", nil); got != string(shared) {
		t.Errorf("%.40q, want the file", got)
	}
}

// TestClosedFile ends like every other body.
func TestClosedFile(t *testing.T) {
	plugin := sharing(t)
	response, err := do(t.Context(), t, plugin, http.MethodGet, "/file/right", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if _, err := response.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("%v, want that it is closed", err)
	}
}

// TestRealFiles copies a blob from the store's own file, also after the blob was deleted.
func TestRealFiles(t *testing.T) {
	config := inFolder(t)
	config.Files = udist.FilesAlways
	config.Trace = filepath.Join(t.TempDir(), "trace.jsonl")
	plugin := spawn(t, config)
	content := pattern(3, 1<<20)
	digest := digestOf(content)
	if err := push(plugin, "real", digest, fileOf(t, content, 0), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	response, err := plugin.Client().Get("http://localhost/v2/real/blobs/" + digest)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	deleted, err := do(t.Context(), t, plugin, http.MethodDelete, "/v2/real/blobs/"+digest, nil)
	if err != nil || deleted.StatusCode != http.StatusAccepted {
		t.Fatalf("%v, %v", deleted, err)
	}
	_ = deleted.Body.Close()
	if err := plugin.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "pulled")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, response.Body); err != nil || file.Close() != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || digestOf(got) != digest {
		t.Errorf("%d bytes, %v, want %d", len(got), err, len(content))
	}
	trace, err := os.ReadFile(config.Trace)
	if files := strings.Count(string(trace), `"file":{`); err != nil || files != 2 {
		t.Errorf("%d files, %v, want one each way", files, err)
	}
}
