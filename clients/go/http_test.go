package udist_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

// TestFields says how a request travels.
func TestFields(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	request, err := http.NewRequestWithContext(deadline(t, time.Minute), http.MethodPut, "https://registry.example/a%2Fb/fields?x=%20&y", strings.NewReader("123"))
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Path, request.URL.RawPath = "/fields/a/b", "/fields/a%2Fb"
	request.Header = http.Header{
		"Accept":          {"a", "b"},
		"Connection":      {"keep-alive, X-Hop"},
		"Expect":          {"100-continue"},
		"Host":            {"other.example"},
		"Keep-Alive":      {"timeout=5"},
		"Te":              {"trailers"},
		"User-Agent":      {"me/1"},
		"X-Hop":           {"dropped"},
		"X-Latin":         {"gr\xfc\xdfe"},
		"Content-Length":  {"99"},
		"X-Empty":         {""},
		"Accept-Encoding": nil,
	}
	response, err := plugin.RoundTripper().RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	want := http.Header{
		"X-Method": {"PUT"}, "X-Scheme": {"https"}, "X-Authority": {"registry.example"},
		"X-Target": {"/fields/a%2Fb?x=%20&y"}, "X-Timeout": {"some"},
		"Got-Accept": {"a", "b"}, "Got-Content-Length": {"3"}, "Got-User-Agent": {"me/1"},
		"Got-X-Latin": {"gr\xfc\xdfe"}, "Got-X-Empty": {""},
	}
	if !maps.EqualFunc(response.Header, want, slices.Equal) {
		t.Errorf("%q, want %q", response.Header, want)
	}
	if response.ContentLength != -1 || response.Proto != "HTTP/1.1" || response.Status != "200 OK" || response.Request != request {
		t.Errorf("%+v", response)
	}
}

// TestBadHeads never sends what may not travel.
func TestBadHeads(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	for name, spoil := range map[string]func(*http.Request){
		"method":       func(r *http.Request) { r.Method = "G E T" },
		"a field name": func(r *http.Request) { r.Header["Bad Name"] = []string{"x"} },
		"field":        func(r *http.Request) { r.Header["X-Bad"] = []string{"a\nb"} },
		"authority":    func(r *http.Request) { r.Host = "a/b" },
		"exceeds":      func(r *http.Request) { r.Header.Set("X-Long", strings.Repeat("x", 70000)) },
	} {
		request := httptest.NewRequest(http.MethodGet, "/fields", nil)
		spoil(request)
		_, err := plugin.RoundTripper().RoundTrip(request)
		var told *udist.Error
		if !errors.As(err, &told) || told.Code != "INVALID_ARGUMENT" || told.Retryable || !strings.Contains(err.Error(), strings.TrimPrefix(name, "a ")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if response, err := do(t, plugin, t.Context(), http.MethodGet, "/fields", nil); err != nil || response.StatusCode != 200 {
		t.Errorf("%v, %v afterwards", response, err)
	}
}

func TestTrailers(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	for _, content := range []string{"", "some content", string(pattern(1, 1<<20))} {
		request, err := http.NewRequest(http.MethodPost, "http://localhost/echo", strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		request.Trailer = http.Header{"X-Checksum": {digestOf([]byte(content))}}
		if content == "" {
			request.Body = io.NopCloser(strings.NewReader(""))
		}
		response, err := plugin.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if values, ok := response.Trailer["X-Checksum"]; !ok || values != nil {
			t.Errorf("%v announced", response.Trailer)
		}
		got, err := io.ReadAll(response.Body)
		if err != nil || string(got) != content {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if response.Trailer.Get("X-Checksum") != digestOf([]byte(content)) {
			t.Errorf("%v", response.Trailer)
		}
	}
}

func TestResets(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	for _, test := range []struct {
		path, code, method string
		retryable          bool
	}{
		{"/reset/unprocessed", "UNAVAILABLE", http.MethodPost, true},
		{"/reset/unprocessed", "INVALID_ARGUMENT", http.MethodPost, false},
		{"/reset/after", "INTERNAL", http.MethodGet, false},
		{"/reset/after", "UNAVAILABLE", http.MethodPost, false},
		{"/reset/content", "DATA_LOSS", http.MethodGet, false},
		{"/reset/content", "DEADLINE_EXCEEDED", http.MethodGet, false},
	} {
		request, err := http.NewRequest(test.method, "http://localhost"+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Code", "CODE_"+test.code)
		response, err := plugin.RoundTripper().RoundTrip(request)
		if err == nil {
			var content []byte
			content, err = io.ReadAll(response.Body)
			if string(content) != "some" {
				t.Errorf("%q before the reset", content)
			}
			_ = response.Body.Close()
		}
		var told *udist.Error
		if !errors.As(err, &told) || told.Kind != udist.ErrReset || told.Code != test.code || told.Retryable != test.retryable {
			t.Errorf("%+v: %#v", test, err)
		}
		if timeout := told != nil && told.Timeout(); timeout != (test.code == "DEADLINE_EXCEEDED") {
			t.Errorf("%+v: a timeout: %v", test, timeout)
		}
	}
}

func TestGoAway(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	for range 2 {
		_, err := do(t, plugin, deadline(t, 10*time.Second), http.MethodPost, "/go-away", nil)
		var told *udist.Error
		if !errors.As(err, &told) || !told.Retryable || !strings.Contains(err.Error(), "enough") {
			t.Errorf("%v", err)
		}
	}
}

// TestPing answers while an exchange goes on.
func TestPing(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	response, err := do(t, plugin, deadline(t, 10*time.Second), http.MethodGet, "/ping", nil)
	if err != nil || response.StatusCode != http.StatusNoContent {
		t.Errorf("%v, %v", response, err)
	}
}

// TestRegistry tries what is special in answers: no content, though a length is told.
func TestRegistry(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(6, 10000)
	digest := digestOf(content)
	if err := push(plugin, "http", digest, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, path string
		header       http.Header
		status       int
		length       int64
		content      string
	}{
		{http.MethodHead, "/v2/http/blobs/" + digest, nil, 200, 10000, ""},
		{http.MethodGet, "/v2/http/blobs/" + digest, http.Header{"If-None-Match": {`"` + digest + `"`}}, 304, -1, ""},
		{http.MethodGet, "/v2/http/blobs/" + digest, http.Header{"Range": {"bytes=10-19"}}, 206, 10, string(content[10:20])},
		{http.MethodGet, "/v2/", http.Header{"Expect": {"100-continue"}}, 200, 2, "{}"},
		{http.MethodGet, "/v2/http/blobs/sha256:" + strings.Repeat("0", 64), nil, 404, 0, "BLOB_UNKNOWN"},
		{http.MethodDelete, "/v2/http/blobs/" + digest, nil, 202, 0, ""},
	} {
		request, err := http.NewRequest(test.method, "http://localhost"+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(request.Header, test.header)
		response, err := plugin.RoundTripper().RoundTrip(request)
		if err != nil {
			t.Errorf("%s %s: %v", test.method, test.path, err)
			continue
		}
		got, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != test.status || !strings.Contains(string(got), test.content) || test.content == "" && len(got) > 0 {
			t.Errorf("%s %s: %s, %q, %v", test.method, test.path, response.Status, got, err)
		}
		if test.length > 0 && response.ContentLength != test.length {
			t.Errorf("%s %s: length %d, want %d", test.method, test.path, response.ContentLength, test.length)
		}
	}
}

func TestServeHTTP(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(7, 1<<20)
	digest := digestOf(content)
	recorder := httptest.NewRecorder()
	plugin.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/v2/served/blobs/uploads/?digest="+digest, bytes.NewReader(content)))
	if recorder.Code != http.StatusCreated {
		t.Fatalf("%d: %s", recorder.Code, recorder.Body)
	}
	// As a client would make it, with an absolute URL.
	request, err := http.NewRequest(http.MethodGet, "http://localhost"+recorder.Header().Get("Location"), nil)
	if err != nil {
		t.Fatal(err)
	}
	recorder = httptest.NewRecorder()
	plugin.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusOK || digestOf(recorder.Body.Bytes()) != digest {
		t.Errorf("%d: %d bytes", recorder.Code, recorder.Body.Len())
	}
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	recorder = httptest.NewRecorder()
	plugin.ServeHTTP(recorder, request)
	if recorder.Code != http.StatusBadGateway || !strings.Contains(recorder.Body.String(), `{"errors":[{"code":"UNAVAILABLE"`) {
		t.Errorf("%d: %s", recorder.Code, recorder.Body)
	}
}

// TestServer puts the plugin behind a real server: flushing, trailers, both directions at once (which takes
// HTTP/2), and a cut response.
func TestServer(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	server := httptest.NewUnstartedServer(plugin)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	reader, writer := io.Pipe()
	request, err := http.NewRequestWithContext(deadline(t, 20*time.Second), http.MethodPost, server.URL+"/echo", reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Trailer = http.Header{"X-Checksum": nil}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(response.Body)
	for i := range 3 { // each must come back before the next is sent
		if _, err := fmt.Fprintf(writer, "line %d\n", i); err != nil {
			t.Fatal(err)
		}
		if line, err := lines.ReadString('\n'); err != nil || line != fmt.Sprintf("line %d\n", i) {
			t.Fatalf("%q, %v", line, err)
		}
	}
	request.Trailer.Set("X-Checksum", "sum")
	_ = writer.Close()
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 || response.Trailer.Get("X-Checksum") != "sum" {
		t.Errorf("%q, %v, %v", rest, err, response.Trailer)
	}
	request, err = http.NewRequest(http.MethodGet, server.URL+"/reset/content", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Code", "CODE_INTERNAL")
	if response, err = server.Client().Do(request); err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("%q is said to be whole", content)
	}
	_ = response.Body.Close()
}
