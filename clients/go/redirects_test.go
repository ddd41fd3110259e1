package udist_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

const signed = "/bucket/data?X-Signature=secret"

// storeOf is a store on the network that has content at one signed URL, and some that misbehave.
func storeOf(t testing.TB, content []byte) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/bucket/data", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "X-Signature=secret" {
			http.Error(w, "not signed", http.StatusForbidden)
			return
		}
		w.Header().Set("Etag", `"of the store"`)
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Set-Cookie", "store=1")
		w.Header().Set("X-Asked-With", strings.Join(slices.Sorted(maps.Keys(r.Header)), " "))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", signed)
		w.WriteHeader(http.StatusFound)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusFound)
	})
	mux.HandleFunc("/nowhere", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusFound) })
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/stalls", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "hello")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = io.WriteString(w, "hello")
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// blobAt asks a fake plugin for a blob that a store has at location.
func blobAt(ctx context.Context, t testing.TB, method, location string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, "http://registry/v2/a/blobs/sha256:1234", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Location", location)
	request.Header.Set("Authorization", "Bearer secret")
	request.Header.Set("Cookie", "secret=1")
	return request
}

// following is a plugin whose redirects are followed, by connections of the test's own.
func following(t testing.TB) *udist.Plugin {
	t.Helper()
	network := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(network.CloseIdleConnections)
	return spawn(t, udist.Config{Command: fake(t), FollowRedirects: true, Network: network})
}

// TestRedirect hands back what the store has, as the plugin's answer.
func TestRedirect(t *testing.T) {
	content := pattern(7, 3<<20)
	store, plugin := storeOf(t, content), following(t)
	for name, roundTrip := range map[string]func(*http.Request) (*http.Response, error){
		"RoundTripper": plugin.RoundTripper().RoundTrip,
		"Client":       plugin.Client().Do,
		"Handler": func(r *http.Request) (*http.Response, error) {
			recorder := httptest.NewRecorder()
			plugin.ServeHTTP(recorder, r)
			return recorder.Result(), nil
		},
	} {
		for _, path := range []string{signed, "/elsewhere"} {
			for asked, want := range map[string][]byte{"": content, "bytes=5-9": content[5:10]} {
				request := blobAt(t.Context(), t, http.MethodGet, store.URL+path)
				status := http.StatusOK
				if asked != "" {
					request.Header.Set("Range", asked)
					status = http.StatusPartialContent
				}
				response, err := roundTrip(request)
				if err != nil {
					t.Fatalf("%s, %s: %v", name, path, err)
				}
				got, err := io.ReadAll(response.Body)
				if err != nil || response.StatusCode != status || !bytes.Equal(got, want) {
					t.Errorf("%s, %s: %s, %d bytes: %v", name, path, response.Status, len(got), err)
				}
				if response.ContentLength != int64(len(want)) || response.Header.Get("Content-Type") != "application/octet-stream" {
					t.Errorf("%s: %d bytes announced, %q", name, response.ContentLength, response.Header)
				}
				if response.Header.Get("Docker-Content-Digest") != "sha256:1234" || response.Header.Get("Etag") != `"sha256:1234"` {
					t.Errorf("%s: not the plugin's: %q", name, response.Header)
				}
				if response.Header["Location"] != nil || response.Header["Set-Cookie"] != nil {
					t.Errorf("%s: the store's: %q", name, response.Header)
				}
				_ = response.Body.Close()
			}
		}
	}
}

// TestRedirectIsToldLittle sends the store what content is wanted, and no credentials.
func TestRedirectIsToldLittle(t *testing.T) {
	var told atomic.Value
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		told.Store(r.Header.Clone())
		w.WriteHeader(http.StatusPartialContent)
	}))
	defer store.Close()
	request := blobAt(t.Context(), t, http.MethodHead, store.URL)
	request.Header.Set("Range", "bytes=0-1")
	request.Header.Set("If-Range", `"sha256:1234"`)
	response, err := following(t).RoundTripper().RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	want := http.Header{
		"Accept-Encoding": {"identity"}, "If-Range": {`"sha256:1234"`}, "Range": {"bytes=0-1"},
		"User-Agent": {"udist-go/" + udist.Version},
	}
	if got := told.Load().(http.Header); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestNoRedirect leaves alone what nobody asked for, and what is no redirect of a blob to a store.
func TestNoRedirect(t *testing.T) {
	store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s was asked for", r.URL)
	}))
	defer store.Close()
	t.Run("nobody asked", func(t *testing.T) {
		plugin := spawn(t, udist.Config{Command: fake(t)})
		response, err := plugin.RoundTripper().RoundTrip(blobAt(t.Context(), t, http.MethodGet, store.URL))
		if err != nil || response.Header.Get("X-From") != "the plugin" {
			t.Errorf("%v, %v", response, err)
		}
	})
	plugin := following(t)
	for name, request := range map[string]*http.Request{
		"a push":           blobAt(t.Context(), t, http.MethodPut, store.URL),
		"a path":           blobAt(t.Context(), t, http.MethodGet, "/v2/b"),
		"another scheme":   blobAt(t.Context(), t, http.MethodGet, "ftp"+strings.TrimPrefix(store.URL, "http")),
		"another resource": blobAt(t.Context(), t, http.MethodGet, store.URL),
	} {
		if name == "another resource" {
			request.URL.Path = "/v2/a/manifests/latest"
		}
		response, err := plugin.RoundTripper().RoundTrip(request)
		if err != nil || response.StatusCode != http.StatusTemporaryRedirect || response.Header.Get("Location") == "" {
			t.Errorf("%s: %v, %v", name, response, err)
		}
	}
}

// TestFailedRedirect names the store and the way out, and keeps the URL's secret.
func TestFailedRedirect(t *testing.T) {
	defer udist.SetPatience(200 * time.Millisecond)()
	store, plugin := storeOf(t, nil), following(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, c := range map[string]struct {
		location, says, code string
	}{
		"nobody there":  {gone.URL + signed, "connection refused", "UNAVAILABLE"},
		"refused":       {store.URL + "/bucket/data?X-Signature=expired", "403 Forbidden", "UNAVAILABLE"},
		"round about":   {store.URL + "/loop", "redirected more than 5 times", "UNAVAILABLE"},
		"no location":   {store.URL + "/nowhere", "302 Found, but without a usable Location", "UNAVAILABLE"},
		"no answer":     {store.URL + "/silent", "did not respond in time", "DEADLINE_EXCEEDED"},
		"no more of it": {store.URL + "/stalls", "did not respond in time", "DEADLINE_EXCEEDED"},
		"cut short":     {store.URL + "/cut", "unexpected EOF", "UNAVAILABLE"},
	} {
		response, err := plugin.RoundTripper().RoundTrip(blobAt(deadline(t, 20*time.Second), t, http.MethodGet, c.location))
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		var told *udist.Error
		if !errors.Is(err, udist.ErrRedirect) || !errors.As(err, &told) || told.Code != c.code || !told.Retryable {
			t.Fatalf("%s: %v", name, err)
		}
		where, _, _ := strings.Cut(strings.TrimPrefix(c.location, "http://"), "/")
		for _, part := range []string{c.says, "http://" + where, "FollowRedirects"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, want %q in it", name, err, part)
			}
		}
		if strings.Contains(err.Error(), "Signature") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRedirectKeepsEncryption follows no store that would have the content travel in the clear.
func TestRedirectKeepsEncryption(t *testing.T) {
	plain := storeOf(t, []byte("hello"))
	store := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain.URL+signed, http.StatusFound)
	}))
	defer store.Close()
	plugin := spawn(t, udist.Config{Command: fake(t), FollowRedirects: true, Network: store.Client().Transport})
	_, err := plugin.RoundTripper().RoundTrip(blobAt(t.Context(), t, http.MethodGet, store.URL))
	if !errors.Is(err, udist.ErrRedirect) {
		t.Error(err)
	}
}

// TestCancelledRedirect ends the fetch with the request's context, before the store's answer and in its midst.
func TestCancelledRedirect(t *testing.T) {
	store, plugin := storeOf(t, nil), following(t)
	why := errors.New("no longer wanted")
	for _, path := range []string{"/silent", "/stalls"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		timer := time.AfterFunc(100*time.Millisecond, func() { cancel(why) })
		response, err := plugin.RoundTripper().RoundTrip(blobAt(ctx, t, http.MethodGet, store.URL+path))
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		if !errors.Is(err, why) {
			t.Errorf("%s: %v", path, err)
		}
		timer.Stop()
	}
	response, err := plugin.RoundTripper().RoundTrip(blobAt(t.Context(), t, http.MethodGet, store.URL+"/stalls"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if _, err := response.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
		t.Error(err)
	}
}

// TestRedirectByTheRegistry pulls a blob from where the real plugin says that it is.
func TestRedirectByTheRegistry(t *testing.T) {
	root := t.TempDir()
	var fetched atomic.Int64
	files := http.FileServer(http.Dir(root))
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetched.Add(1)
		files.ServeHTTP(w, r)
	}))
	defer store.Close()
	network := &http.Transport{}
	defer network.CloseIdleConnections()
	plugin := spawn(t, udist.Config{
		YAML: "version: 0.1\nstorage: {filesystem: {rootdirectory: " + root + "}}\n" +
			"middleware: {storage: [{name: redirect, options: {baseurl: " + store.URL + "}}]}\n",
		FollowRedirects: true, Network: network,
	})
	content := pattern(8, 5<<20)
	digest := digestOf(content)
	if err := push(plugin, "redirected", digest, bytes.NewReader(content), int64(len(content))); err != nil {
		t.Fatal(err)
	}
	got, err := pull(plugin, "redirected", digest, func(r io.Reader) io.Reader { return r })
	if err != nil || got != digest || fetched.Load() != 1 {
		t.Errorf("%s, from the store %d times: %v", got, fetched.Load(), err)
	}
	request, err := http.NewRequest(http.MethodGet, "http://localhost/v2/redirected/blobs/"+digest, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", "bytes=-7")
	response, err := plugin.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	tail, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusPartialContent || !bytes.Equal(tail, content[len(content)-7:]) ||
		response.Header.Get("Docker-Content-Digest") != digest {
		t.Errorf("%s: %q: %v", response.Status, response.Header, err)
	}
}

// TestRedirectToABucket pulls by the signed URLs of real stores. UDIST_TEST_STORES names them, as driver and variables,
// one a line: tests/clients/test_go.py starts their servers.
func TestRedirectToABucket(t *testing.T) {
	for line := range strings.Lines(os.Getenv("UDIST_TEST_STORES")) {
		driver, variables, _ := strings.Cut(strings.TrimSpace(line), " ")
		t.Run(driver, func(t *testing.T) {
			network := &counting{next: &http.Transport{}}
			defer network.next.CloseIdleConnections()
			plugin := spawn(t, udist.Config{
				Env:             append(strings.Fields(variables), "REGISTRY_STORAGE="+driver),
				FollowRedirects: true, Network: network,
			})
			content := pattern(9, 12<<20)
			digest := digestOf(content)
			if err := push(plugin, "signed", digest, bytes.NewReader(content), int64(len(content))); err != nil {
				t.Fatal(err)
			}
			got, err := pull(plugin, "signed", digest, func(r io.Reader) io.Reader { return r })
			if err != nil || got != digest || network.requests.Load() != 1 {
				t.Errorf("%s, from the store %d times: %v", got, network.requests.Load(), err)
			}
		})
	}
}

// counting counts requests.
type counting struct {
	next     *http.Transport
	requests atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.next.RoundTrip(r)
}
