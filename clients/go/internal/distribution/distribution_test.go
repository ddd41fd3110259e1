package distribution_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"udist.dev/plugin/udist"
	"udist.dev/plugin/udist/internal/distribution"
)

var errLost = errors.New("the answer was lost")

// unreliable is a plugin some of whose exchanges go wrong: fault is asked for each request, with how many of its
// method came before, and names what happens to it.
type unreliable struct {
	plugin http.RoundTripper
	fault  func(r *http.Request, before int) fault
	mu     sync.Mutex
	counts map[string]int
}

type fault int

const (
	none          fault = iota
	lostRequest         // it never reaches the plugin
	lostAnswer          // the plugin has done what it says
	halfBody            // the plugin gets half of the content
	halfResponse        // half of the content comes back, then an error
	shortResponse       // half of the content comes back, then its end
)

func (u *unreliable) RoundTrip(r *http.Request) (*http.Response, error) {
	u.mu.Lock()
	before := u.counts[r.Method]
	u.counts[r.Method]++
	u.mu.Unlock()
	fault := u.fault(r, before)
	switch fault {
	case lostRequest:
		return nil, errLost
	case halfBody:
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		half := r.Clone(r.Context())
		half.Header.Del("Content-Range")
		half.Body = io.NopCloser(bytes.NewReader(content[:len(content)/2]))
		half.ContentLength = int64(len(content) / 2)
		r, fault = half, lostAnswer
	}
	resp, err := u.plugin.RoundTrip(r)
	if err == nil && fault == lostAnswer {
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return nil, errLost
	}
	if err == nil && (fault == halfResponse || fault == shortResponse) {
		half := io.LimitReader(resp.Body, resp.ContentLength/2)
		if fault == halfResponse {
			half = io.MultiReader(half, iotest.ErrReader(errLost))
		}
		resp.Body = struct {
			io.Reader
			io.Closer
		}{half, resp.Body}
	}
	return resp, err
}

// registry spawns a plugin with a store in memory.
func registry(t *testing.T, fault func(r *http.Request, before int) fault) (*distribution.Client, *unreliable) {
	t.Helper()
	plugin, err := udist.Spawn(t.Context(), udist.Config{YAML: "version: 0.1\nstorage:\n  inmemory: {}\n"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plugin.Close() })
	u := &unreliable{plugin: plugin.RoundTripper(), fault: fault, counts: map[string]int{}}
	return distribution.New(u), u
}

func content(size int) []byte {
	random := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random) // never fails
	return random
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

const (
	small = 100_000
	large = 9 << 20
)

// first makes the first request of a method go wrong.
func first(method string, what fault) func(*http.Request, int) fault {
	return func(r *http.Request, before int) fault {
		if r.Method == method && before == 0 {
			return what
		}
		return none
	}
}

// TestPushesThatAreRepaired loses requests and answers; the blob is there all the same.
func TestPushesThatAreRepaired(t *testing.T) {
	for name, c := range map[string]struct {
		size  int
		known bool
		fault func(*http.Request, int) fault
	}{
		"one POST, lost":               {small, true, first("POST", lostRequest)},
		"one POST, its answer lost":    {small, true, first("POST", lostAnswer)},
		"one POST, half of it":         {small, true, first("POST", halfBody)},
		"digest unknown, POST lost":    {small, false, first("POST", lostRequest)},
		"streamed, POST lost":          {large, true, first("POST", lostRequest)},
		"streamed, its answer lost":    {large, true, first("POST", lostAnswer)},
		"session, its POST lost":       {large, false, first("POST", lostAnswer)},
		"a chunk lost":                 {large, false, first("PATCH", lostRequest)},
		"half of a chunk arrives":      {large, false, first("PATCH", halfBody)},
		"the answer to a chunk lost":   {large, false, first("PATCH", lostAnswer)},
		"a chunk and its status lost":  {large, false, both(first("PATCH", lostAnswer), first("GET", lostRequest))},
		"the commit lost":              {large, false, first("PUT", lostRequest)},
		"the commit's answer lost":     {large, false, first("PUT", lostAnswer)},
		"a chunk twice, then complete": {large, false, func(r *http.Request, before int) fault { return pick(r.Method == "PATCH" && before < 2, halfBody) }},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := registry(t, c.fault)
			blob, known := content(c.size), ""
			if c.known {
				known = digest(blob)
			}
			pushed, size, err := client.PushBlob(t.Context(), "ns/repaired", bytes.NewReader(blob), known)
			if err != nil || pushed != digest(blob) || size != int64(c.size) {
				t.Fatalf("%s, %d bytes: %v", pushed, size, err)
			}
			body, _, err := client.OpenBlob(t.Context(), "ns/repaired", pushed)
			if err != nil {
				t.Fatal(err)
			}
			defer body.Close()
			if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, blob) {
				t.Errorf("%d bytes came back: %v", len(got), err)
			}
		})
	}
}

func both(one, two func(*http.Request, int) fault) func(*http.Request, int) fault {
	return func(r *http.Request, before int) fault { return max(one(r, before), two(r, before)) }
}

func pick(condition bool, what fault) fault {
	if condition {
		return what
	}
	return none
}

// TestPushesThatFail loses everything: the error is the last failure, after a bounded number of requests, and an
// upload that was begun is given up.
func TestPushesThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		size   int
		known  bool
		method string
		sent   int
	}{
		"one POST":       {small, true, "POST", 3},
		"streamed":       {large, true, "POST", 3},
		"chunks":         {large, false, "PATCH", 3},
		"session's POST": {large, false, "POST", 3},
		"commit":         {large, false, "PUT", 3},
	} {
		t.Run(name, func(t *testing.T) {
			client, u := registry(t, func(r *http.Request, _ int) fault { return pick(r.Method == c.method, lostRequest) })
			blob, known := content(c.size), ""
			if c.known {
				known = digest(blob)
			}
			_, _, err := client.PushBlob(t.Context(), "ns/failed", bytes.NewReader(blob), known)
			if !errors.Is(err, errLost) || u.counts[c.method] != c.sent {
				t.Errorf("after %d times %s: %v", u.counts[c.method], c.method, err)
			}
			if begun := c.method == "PATCH" || c.method == "PUT"; begun != (u.counts["DELETE"] == 1) {
				t.Errorf("%d uploads were cancelled", u.counts["DELETE"])
			}
		})
	}
}

// TestKilledPlugin kills the plugin in the middle of a push: the next one goes on with the upload, from the store.
func TestKilledPlugin(t *testing.T) {
	plugin, err := udist.Spawn(t.Context(), udist.Config{
		YAML:    "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: " + t.TempDir() + "\n",
		Restart: &udist.RestartPolicy{Max: 2, Interval: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer plugin.Close()
	killed := 0
	kill := func(r *http.Request, before int) fault {
		if r.Method == "PATCH" && before == 1 || r.Method == "PUT" && before == 0 {
			exited := plugin.Exited()
			process, err := os.FindProcess(plugin.PID())
			if err == nil {
				err = process.Kill()
			}
			if err != nil {
				t.Error(err)
			}
			<-exited
			killed++
			return lostRequest
		}
		return none
	}
	u := &unreliable{plugin: plugin.RoundTripper(), fault: kill, counts: map[string]int{}}
	client, blob := distribution.New(u), content(large)
	pushed, _, err := client.PushBlob(t.Context(), "ns/killed", bytes.NewReader(blob), "")
	if err != nil || pushed != digest(blob) || killed != 2 {
		t.Fatalf("%s after %d deaths: %v", pushed, killed, err)
	}
	if sent := u.counts["PATCH"]; sent != 4 {
		t.Errorf("3 chunks were sent with %d requests", sent)
	}
	if size, err := client.ResolveBlob(t.Context(), "ns/killed", pushed); err != nil || size != large {
		t.Errorf("%d bytes are stored: %v", size, err)
	}
}

// TestFailingContent shows that a push ends with its content's failure, and repeats nothing for it.
func TestFailingContent(t *testing.T) {
	failed := errors.New("the file is gone")
	for name, read := range map[string]int{"at once": 0, "after a chunk": 4 << 20, "in the middle": large} {
		t.Run(name, func(t *testing.T) {
			client, u := registry(t, func(*http.Request, int) fault { return none })
			stream := io.MultiReader(bytes.NewReader(content(read)), iotest.ErrReader(failed))
			_, _, err := client.PushBlob(t.Context(), "ns/failing", stream, digest([]byte("x")))
			if !errors.Is(err, failed) || u.counts["POST"] > 1 {
				t.Errorf("after %d requests: %v", u.counts["POST"], err)
			}
		})
	}
}

// TestContentIsLeftAlone reads a push's body after the push has ended, as a RoundTripper may.
func TestContentIsLeftAlone(t *testing.T) {
	var body io.Reader
	client := distribution.New(roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPost {
			body = r.Body
		}
		return nil, errLost
	}))
	rest := bytes.NewReader(content(large))
	if _, _, err := client.PushBlob(t.Context(), "ns/left", rest, digest(nil)); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	unread := rest.Len()
	if read, err := io.Copy(io.Discard, body); err == nil || rest.Len() != unread {
		t.Errorf("%d bytes could be read: %v", read, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestCutPull goes on where a response was cut, and gives up when that does not help.
func TestCutPull(t *testing.T) {
	var cuts int
	var how fault
	client, u := registry(t, func(r *http.Request, before int) fault { return pick(r.Method == "GET" && before < cuts, how) })
	blob := content(large)
	if _, _, err := client.PushBlob(t.Context(), "ns/cut", bytes.NewReader(blob), digest(blob)); err != nil {
		t.Fatal(err)
	}
	var failure error
	for how, failure = range map[fault]error{halfResponse: errLost, shortResponse: io.ErrUnexpectedEOF} {
		for _, cuts = range []int{1, 2, 100} {
			u.counts["GET"] = 0
			body, size, err := client.OpenBlob(t.Context(), "ns/cut", digest(blob))
			if err != nil || size != large {
				t.Fatal(size, err)
			}
			got, err := io.ReadAll(body)
			body.Close()
			if cuts < 3 && (err != nil || !bytes.Equal(got, blob)) {
				t.Errorf("cut %d times: %d bytes: %v", cuts, len(got), err)
			}
			if cuts == 100 && (!errors.Is(err, failure) || u.counts["GET"] != 3) {
				t.Errorf("after %d requests: %v", u.counts["GET"], err)
			}
		}
	}
}

// TestCancelled shows that a cancelled push ends at once, with its context's error and nothing repeated.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	client, u := registry(t, func(*http.Request, int) fault { return none })
	stream := io.MultiReader(bytes.NewReader(content(large)), reader(func([]byte) (int, error) {
		cancel()
		<-ctx.Done()
		return 1, nil
	}))
	_, _, err := client.PushBlob(ctx, "ns/cancelled", stream, digest([]byte("x")))
	if !errors.Is(err, context.Canceled) || u.counts["POST"] != 1 {
		t.Errorf("after %d requests: %v", u.counts["POST"], err)
	}
}

type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

// TestErrors shows what an error of the registry says.
func TestErrors(t *testing.T) {
	client, _ := registry(t, func(*http.Request, int) fault { return none })
	_, _, err := client.OpenBlob(t.Context(), "ns/none", digest(nil))
	var refusal *distribution.Error
	if !errors.As(err, &refusal) || refusal.Status != http.StatusNotFound || !refusal.Has("MANIFEST_UNKNOWN", "BLOB_UNKNOWN") {
		t.Fatal(err)
	}
	if text := err.Error(); !strings.HasPrefix(text, "GET /v2/ns/none/blobs/sha256:") ||
		!strings.HasSuffix(text, ": 404 Not Found: blob unknown: blob unknown to registry") {
		t.Error(text)
	}
}

// TestDeleteWhoseAnswerIsLost finds the manifest gone and takes that for done.
func TestDeleteWhoseAnswerIsLost(t *testing.T) {
	client, _ := registry(t, first("DELETE", lostAnswer))
	index := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
	if err := client.PushManifest(t.Context(), "ns/gone", digest(index), "application/vnd.oci.image.index.v1+json", index); err != nil {
		t.Fatal(err)
	}
	if err := client.DeleteManifest(t.Context(), "ns/gone", digest(index)); err != nil {
		t.Error(err)
	}
	if err := client.DeleteManifest(t.Context(), "ns/gone", digest(index)); err == nil {
		t.Error("deleted what was not there")
	}
}
