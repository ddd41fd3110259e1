package udist_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

func TestServeHTTP(t *testing.T) {
	plugin := spawn(t, inFolder(t))
	content := pattern(7, 1<<20)
	digest := digestOf(content)
	recorder := httptest.NewRecorder()
	target := "/v2/served/blobs/uploads/?digest=" + digest
	plugin.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, target, bytes.NewReader(content)))
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
	want := `{"errors":[{"code":"UNAVAILABLE"`
	if recorder.Code != http.StatusBadGateway || !strings.Contains(recorder.Body.String(), want) {
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
