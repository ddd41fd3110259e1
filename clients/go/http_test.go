package udist_test

import (
	"bytes"
	"errors"
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
	ctx, content := deadline(t, time.Minute), strings.NewReader("123")
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "https://registry.example/?x=%20&y", content)
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
	if response.ContentLength != -1 || response.Proto != "HTTP/1.1" || response.Status != "200 OK" ||
		response.Request != request {
		t.Errorf("%+v", response)
	}
}

// TestBadHeads never sends what may not travel.
func TestBadHeads(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	for name, spoil := range map[string]func(*http.Request){
		"method":     func(r *http.Request) { r.Method = "G E T" },
		"field name": func(r *http.Request) { r.Header["Bad Name"] = []string{"x"} },
		"field":      func(r *http.Request) { r.Header["X-Bad"] = []string{"a\nb"} },
		"authority":  func(r *http.Request) { r.Host = "a/b" },
		"exceeds":    func(r *http.Request) { r.Header.Set("X-Long", strings.Repeat("x", 70000)) },
	} {
		request := httptest.NewRequest(http.MethodGet, "/fields", nil)
		spoil(request)
		_, err := plugin.RoundTripper().RoundTrip(request)
		var told *udist.Error
		if !errors.As(err, &told) || told.Code != "INVALID_ARGUMENT" || told.Retryable ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	response, err := do(t.Context(), t, plugin, http.MethodGet, "/fields", nil)
	if err != nil || response.StatusCode != http.StatusOK {
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
		if !errors.As(err, &told) || told.Kind != udist.ErrReset || told.Code != test.code ||
			told.Retryable != test.retryable {
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
		_, err := do(deadline(t, 10*time.Second), t, plugin, http.MethodPost, "/go-away", nil)
		var told *udist.Error
		if !errors.As(err, &told) || !told.Retryable || !strings.Contains(err.Error(), "enough") {
			t.Errorf("%v", err)
		}
	}
}

// TestPing answers while an exchange goes on.
func TestPing(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	response, err := do(deadline(t, 10*time.Second), t, plugin, http.MethodGet, "/ping", nil)
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
		if err != nil || response.StatusCode != test.status || !strings.Contains(string(got), test.content) ||
			test.content == "" && len(got) > 0 {
			t.Errorf("%s %s: %s, %q, %v", test.method, test.path, response.Status, got, err)
		}
		if test.length > 0 && response.ContentLength != test.length {
			t.Errorf("%s %s: length %d, want %d", test.method, test.path, response.ContentLength, test.length)
		}
	}
}
