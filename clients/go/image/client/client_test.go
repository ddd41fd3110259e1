package client

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestStorageDriver(t *testing.T) {
	for _, c := range []struct {
		config, expected string
		envs             []string
	}{
		{"", "filesystem", nil},
		{"version: 0.1\nstorage: inmemory\n", "inmemory", nil},
		{"storage:\n  delete: {enabled: true}\n  s3: {bucket: b}\n", "s3", nil},
		{"storage:\n  filesystem: {}\n", "azure", []string{"REGISTRY_STORAGE=azure"}},
		{"", "gcs", []string{"HOME=/", "REGISTRY_STORAGE_DELETE_ENABLED=true", "REGISTRY_STORAGE_GCS_BUCKET=b"}},
		{"", "s3", []string{"REGISTRY_STORAGE={s3: {bucket: b}}", "REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR=inmemory"}},
		{"storage:\n  inmemory:\n", "inmemory", []string{"REGISTRY_STORAGE_INMEMORY_X=1"}},
	} {
		if got := storageOf(c.config, c.envs).Type(); got != c.expected {
			t.Errorf("%q with %q: %s, expected %s", c.config, c.envs, got, c.expected)
		}
	}
}

func TestStorageParameters(t *testing.T) {
	config := "storage:\n  s3: {bucket: b, secure: true}\n  delete: {enabled: false}\n"
	storage := storageOf(config, []string{
		"REGISTRY_STORAGE_S3_MAX_RETRIES=5", "REGISTRY_STORAGE_S3_REGION=eu", "REGISTRY_STORAGE_GCS_BUCKET=other",
		"REGISTRY_STORAGE_CACHE={blobdescriptor: inmemory}", "REGISTRY_LOG_LEVEL=info",
	})
	want := Storage{
		"s3":     {"bucket": "b", "secure": true, "max_retries": 5, "region": "eu"},
		"delete": {"enabled": false},
		"cache":  {"blobdescriptor": "inmemory"},
	}
	if !reflect.DeepEqual(storage, want) {
		t.Errorf("%v, want %v", storage, want)
	}
	if none := New(&plugin{closed: make(chan struct{})}).GetApp().Config.Storage; none.Type() != "" || none.Parameters() != nil {
		t.Errorf("of a plugin that was given: %v", none)
	}
}

// plugin answers by itself and tells when it is closed.
type plugin struct{ closed chan struct{} }

func (p *plugin) ServeHTTP(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("content")) }

func (p *plugin) Close() error {
	close(p.closed)
	return nil
}

func (p *plugin) RoundTripper() http.RoundTripper { return p }

func (p *plugin) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// TestForgottenClient shows that a client nobody can reach ends its plugin, and that a body being read reaches it.
func TestForgottenClient(t *testing.T) {
	p := &plugin{closed: make(chan struct{})}
	resp, err := New(p).RoundTrip(httptest.NewRequest(http.MethodGet, "/v2/", nil))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		runtime.GC()
		select {
		case <-p.closed:
			t.Fatal("closed while a response was being read")
		default:
		}
	}
	resp.Body.Close()
	runtime.KeepAlive(resp)
	resp = nil
	for deadline := time.After(20 * time.Second); ; {
		runtime.GC()
		select {
		case <-p.closed:
			return
		case <-deadline:
			t.Fatal("the plugin was not closed")
		default:
		}
	}
}

func TestCloseOnce(t *testing.T) {
	p := &plugin{closed: make(chan struct{})}
	if err := New(p).Close(); err != nil { // a second close would panic
		t.Fatal(err)
	}
	collected := make(chan struct{})
	runtime.AddCleanup(&struct{ p *plugin }{p}, func(done chan struct{}) { close(done) }, collected)
	for {
		runtime.GC()
		select {
		case <-collected:
			return
		case <-t.Context().Done():
			t.Fatal("nothing is collected")
		default:
		}
	}
}

func TestNoPlugin(t *testing.T) {
	t.Setenv("UDIST_PLUGIN", "/nonexistent/udist-plugin")
	_, err := NewClient("", nil)
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/udist-plugin") {
		t.Error(err)
	}
}
