package udist_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"udist.dev/plugin/udist"
)

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// push uploads a blob in one request; length is -1 if it is not to be told.
func push(plugin *udist.Plugin, repository, digest string, body io.Reader, length int64) error {
	response, err := plugin.Client().Post("http://localhost/v2/"+repository+"/blobs/uploads/", "", nil)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	location, err := response.Location()
	if err != nil {
		return err
	}
	query := location.Query()
	query.Set("digest", digest)
	location.RawQuery = query.Encode()
	request, err := http.NewRequest(http.MethodPut, location.String(), body)
	if err != nil {
		return err
	}
	if request.ContentLength = length; length < 0 {
		request.ContentLength = 0
	}
	response, err = plugin.Client().Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s", response.Status, text)
	}
	return nil
}

// pull reads a blob by way of read, and tells its digest.
func pull(plugin *udist.Plugin, repository, digest string, read func(io.Reader) io.Reader) (string, error) {
	response, err := plugin.Client().Get("http://localhost/v2/" + repository + "/blobs/" + digest)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s", response.Status)
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, read(response.Body)); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}

// bodies are the ways in which a request's content can be given.
var bodies = map[string]func(t testing.TB, content []byte) (body io.Reader, length int64){
	"memory": func(_ testing.TB, content []byte) (io.Reader, int64) {
		return bytes.NewReader(content), int64(len(content))
	},
	"reader": func(_ testing.TB, content []byte) (io.Reader, int64) {
		return struct{ io.Reader }{bytes.NewReader(content)}, int64(len(content))
	},
	"chunked": func(_ testing.TB, content []byte) (io.Reader, int64) {
		return iotest.HalfReader(bytes.NewReader(content)), -1
	},
	"file": func(t testing.TB, content []byte) (io.Reader, int64) {
		return fileOf(t, content, 0), int64(len(content))
	},
	"file to its end": func(t testing.TB, content []byte) (io.Reader, int64) {
		return fileOf(t, content, 0), -1
	},
	"part of a file": func(t testing.TB, content []byte) (io.Reader, int64) {
		return io.LimitReader(fileOf(t, content, 1000), int64(len(content))), int64(len(content))
	},
	"section of a file": func(t testing.TB, content []byte) (io.Reader, int64) {
		section := io.NewSectionReader(fileOf(t, content, 1000), 500, int64(len(content))+500)
		if _, err := section.Seek(500, io.SeekStart); err != nil {
			t.Error(err)
		}
		return section, int64(len(content))
	},
}

// fileOf is an open file of content, between other bytes, positioned at content.
func fileOf(t testing.TB, content []byte, before int) *os.File {
	file, err := os.Create(filepath.Join(t.TempDir(), "content"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	for _, part := range [][]byte{make([]byte, before), content, make([]byte, before)} {
		if _, err := file.Write(part); err != nil {
			t.Error(err)
		}
	}
	if _, err := file.Seek(int64(before), io.SeekStart); err != nil {
		t.Error(err)
	}
	return file
}

// readers are the ways in which a response's content can be read.
var readers = map[string]func(io.Reader) io.Reader{
	"WriteTo":    func(r io.Reader) io.Reader { return r },
	"32 KiB":     func(r io.Reader) io.Reader { return struct{ io.Reader }{r} },
	"bit by bit": func(r io.Reader) io.Reader { return iotest.HalfReader(r) },
	"ReadFrom":   func(r io.Reader) io.Reader { return buffered{r} },
	"1 MiB":      func(r io.Reader) io.Reader { return large{r} },
}

// large reads with a large buffer.
type large struct{ io.Reader }

func (l large) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(w, struct{ io.Reader }{l.Reader}, make([]byte, 1<<20))
}

// buffered writes to something that reads itself.
type buffered struct{ io.Reader }

func (b buffered) WriteTo(w io.Writer) (int64, error) {
	writer := bufio.NewWriterSize(w, 100_000)
	n, err := io.Copy(writer, b.Reader)
	return n, errors.Join(err, writer.Flush())
}

// TestTransfers pushes and pulls in every way and at the same time, and compares every byte by its digest.
func TestTransfers(t *testing.T) {
	for name, files := range map[string]udist.FileSharing{"sent": udist.FilesNever, "files": udist.FilesAlways} {
		t.Run(name, func(t *testing.T) {
			config := inFolder(t)
			config.Files = files
			transferAll(t, spawn(t, config))
		})
	}
}

func transferAll(t *testing.T, plugin *udist.Plugin) {
	var group sync.WaitGroup
	for name, body := range bodies {
		for i, size := range []int{1, 4096, 65537, 300000, 5<<20 + 7} {
			content := pattern(i+len(name), size)
			digest := digestOf(content)
			repository := strings.ReplaceAll(name, " ", "-") + fmt.Sprint(i)
			group.Go(func() {
				reader, length := body(t, content)
				if err := push(plugin, repository, digest, reader, length); err != nil {
					t.Errorf("%s of %d bytes: %v", name, size, err)
					return
				}
				for way, read := range readers {
					group.Go(func() {
						if got, err := pull(plugin, repository, digest, read); err != nil || got != digest {
							t.Errorf("%s of %d bytes: %s, %v, want %s", way, size, got, err, digest)
						}
					})
				}
			})
		}
	}
	group.Wait()
}

var wrongLength = regexp.MustCompile("than its ContentLength of 99999|after 100000 bytes, but its ContentLength is 100001")

func TestWrongLength(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(1, 100000)
	for name, body := range bodies {
		for _, change := range []int64{-1, 1} {
			reader, length := body(t, content)
			if length < 0 {
				continue
			}
			err := push(plugin, "wrong", digestOf(content), reader, length+change)
			if err == nil || !wrongLength.MatchString(err.Error()) {
				t.Errorf("%s, wrong by %d: %v", name, change, err)
			}
		}
	}
	if err := push(plugin, "wrong", digestOf(content), bytes.NewReader(content), int64(len(content))); err != nil {
		t.Error(err)
	}
}

// TestManyUnreadResponses leaves more responses unread than there are slots before the plugin's settings.
func TestManyUnreadResponses(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(3, 1<<20)
	digest := digestOf(content)
	if err := push(plugin, "many", digest, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	var last io.Reader
	for range 300 {
		response, err := do(deadline(t, 60*time.Second), t, plugin, http.MethodGet, "/v2/many/blobs/"+digest, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		last = response.Body
	}
	for _, size := range []int{0, 10, 16 << 10, 40 << 10, 1 << 20} {
		other := pattern(size, size)
		if err := push(plugin, "many", digestOf(other), bytes.NewReader(other), int64(size)); err != nil {
			t.Errorf("push of %d bytes: %v", size, err)
		}
	}
	if got, err := io.ReadAll(last); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the last response has %d bytes, %v", len(got), err)
	}
}

// TestUnreadResponses leaves responses unread beside others, more of them than the windows' memory.
func TestUnreadResponses(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(2, 3<<20)
	digest := digestOf(content)
	if err := push(plugin, "unread", digest, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	for range 32 {
		response, err := plugin.Client().Get("http://localhost/v2/unread/blobs/" + digest)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
	}
	for name, read := range readers {
		if got, err := pull(plugin, "unread", digest, read); err != nil || got != digest {
			t.Errorf("%s: %s, %v, want %s", name, got, err, digest)
		}
	}
}
