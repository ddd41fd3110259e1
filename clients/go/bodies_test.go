package udist_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"udist.dev/plugin/udist"
)

var errBody = errors.New("the disk is on fire")

// outcome is what became of a request.
type outcome struct {
	failed bool
	cause  bool // it failed with errBody
}

var (
	fine   = outcome{}
	failed = outcome{failed: true}
	caused = outcome{failed: true, cause: true}
)

// oddBodies are bodies whose length or end may not be as declared.
var oddBodies = map[string]struct {
	want   outcome
	length func(size int64) int64
	body   func(t *testing.T, content []byte) io.Reader
}{
	"exact": {fine, exactly, inMemory},
	"exact, its end told with the last bytes": {fine, exactly, func(_ *testing.T, content []byte) io.Reader {
		return iotest.DataErrReader(bytes.NewReader(content))
	}},
	"longer by one": {failed, oneLess, inMemory},
	"longer by one, told bit by bit": {failed, oneLess, func(_ *testing.T, content []byte) io.Reader {
		return iotest.HalfReader(bytes.NewReader(content))
	}},
	"longer by much": {failed, exactly, func(_ *testing.T, content []byte) io.Reader {
		return io.MultiReader(bytes.NewReader(content), bytes.NewReader(make([]byte, 3<<20)))
	}},
	"shorter by one":        {failed, oneMore, inMemory},
	"a file":                {fine, exactly, inFile},
	"a file longer by one":  {failed, oneLess, inFile},
	"a file shorter by one": {failed, oneMore, inFile},
	"part of a file longer by one": {failed, oneLess, func(t *testing.T, content []byte) io.Reader {
		return io.LimitReader(fileOf(t, content, 10), int64(len(content)))
	}},
	"section of a file longer by one": {failed, oneLess, func(t *testing.T, content []byte) io.Reader {
		return io.NewSectionReader(fileOf(t, content, 10), 10, int64(len(content)))
	}},
	"section that reaches beyond its file": {fine, exactly, func(t *testing.T, content []byte) io.Reader {
		return io.NewSectionReader(fileOf(t, content, 0), 0, int64(len(content))+100)
	}},
	"error in the middle": {caused, exactly, func(_ *testing.T, content []byte) io.Reader {
		return io.MultiReader(bytes.NewReader(content[:len(content)/2]), iotest.ErrReader(errBody))
	}},
	"error instead of the end": {caused, exactly, func(_ *testing.T, content []byte) io.Reader {
		return io.MultiReader(bytes.NewReader(content), iotest.ErrReader(errBody))
	}},
	"error with the last bytes":                 {caused, exactly, failingAtLast},
	"error with the last bytes, length unknown": {caused, unknown, failingAtLast},
	"closing fails":                             {caused, exactly, notClosing},
	"closing fails, length unknown":             {caused, unknown, notClosing},
	"no body, but a length":                     {failed, exactly, func(*testing.T, []byte) io.Reader { return nil }},
	"no content, but a length":                  {fine, exactly, func(*testing.T, []byte) io.Reader { return http.NoBody }},
	"ends when answered": {fine, exactly, func(_ *testing.T, content []byte) io.Reader {
		return newBlocking(string(content))
	}},
}

func exactly(size int64) int64 { return size }
func oneLess(size int64) int64 { return size - 1 }
func oneMore(size int64) int64 { return size + 1 }
func unknown(int64) int64      { return -1 }

func inMemory(_ *testing.T, content []byte) io.Reader   { return bytes.NewReader(content) }
func inFile(t *testing.T, content []byte) io.Reader     { return fileOf(t, content, 0) }
func notClosing(_ *testing.T, content []byte) io.Reader { return unclosable{bytes.NewReader(content)} }

// failingAtLast gives an error together with its last bytes.
func failingAtLast(_ *testing.T, content []byte) io.Reader {
	return iotest.DataErrReader(io.MultiReader(bytes.NewReader(content), iotest.ErrReader(errBody)))
}

// unclosable cannot be closed well.
type unclosable struct{ io.Reader }

func (unclosable) Close() error { return errBody }

// TestOddBodies has what net/http's own client makes of a body for what is right.
func TestOddBodies(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		if strings.HasSuffix(r.URL.Path, "/faulty") && err == nil {
			<-r.Context().Done() // the client has all sent before it knows: let it come to that
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	network := &http.Transport{}
	t.Cleanup(network.CloseIdleConnections)
	for name, odd := range oddBodies {
		for _, size := range []int{100, 70_000, 3 << 20} {
			content := pattern(len(name), size)
			length := odd.length(int64(size))
			url := server.URL + "/sink"
			if odd.want.failed {
				url += "/faulty"
			}
			over := sent(t, network, url, odd.body(t, content), length)
			if over != odd.want {
				t.Errorf("%s of %d bytes over a network: %+v", name, size, over)
			}
			if got := sent(t, plugin.RoundTripper(), url, odd.body(t, content), length); got != over {
				t.Errorf("%s of %d bytes: %+v, over a network %+v", name, size, got, over)
			}
		}
	}
	noGoroutineButThePluginsIsLeft(t)
}

// sent tells what becomes of a request with a body.
func sent(t *testing.T, transport http.RoundTripper, url string, body io.Reader, length int64) outcome {
	t.Helper()
	request, err := http.NewRequestWithContext(deadline(t, 20*time.Second), http.MethodPut, url, body)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = length
	response, err := transport.RoundTrip(request)
	if err == nil {
		err = response.Body.Close()
	}
	return outcome{err != nil, errors.Is(err, errBody)}
}

// TestLateFailure has a body wait at its end until all that it gave has reached the plugin, and then fail.
func TestLateFailure(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	const content = "content"
	reader, writer := io.Pipe()
	go func() { _, _ = io.WriteString(writer, content) }()
	url := "http://localhost/echo/endless"
	request, err := http.NewRequestWithContext(deadline(t, 20*time.Second), http.MethodPost, url, reader)
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = int64(len(content))
	response, err := plugin.RoundTripper().RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(response.Body, make([]byte, len(content))); err != nil {
		t.Fatal(err)
	}
	_ = writer.CloseWithError(errBody)
	if _, err := response.Body.Read(make([]byte, 1)); !errors.Is(err, errBody) {
		t.Errorf("%v, want what the body said", err)
	}
}
