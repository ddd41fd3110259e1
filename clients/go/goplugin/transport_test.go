//go:build unix

package goplugin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

func unixAddr(path string) net.Addr { return &net.UnixAddr{Name: path, Net: "unix"} }

func newRequest(t *testing.T, method, target string, content io.Reader) (*http.Request, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, "http://localhost"+target, content)
	if err != nil {
		t.Fatal(err)
	}
	return request, cancel
}

// push pushes a blob and returns where it is.
func push(t *testing.T, transport http.RoundTripper, name, content string) string {
	t.Helper()
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(content)))
	target := "/v2/" + name + "/blobs/uploads/?digest=" + digest
	if status, body := exchange(t, transport, "POST", target, strings.NewReader(content)); status != 201 {
		t.Fatalf("the push was answered %d, %s", status, body)
	}
	return "/v2/" + name + "/blobs/" + digest
}

func TestPushAndPull(t *testing.T) {
	_, transport := spawn(t)
	for _, length := range []int{0, 1, 64 << 10, 64<<10 + 1, 20 << 20} {
		content := strings.Repeat("0123456789abcdef", length/16+1)[:length]
		blob := push(t, transport, "demo", content)
		if status, got := exchange(t, transport, "GET", blob, nil); status != 200 || got != content {
			t.Errorf("pulled %d bytes of %d, status %d", len(got), length, status)
		}
		request, _ := newRequest(t, "HEAD", blob, nil)
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(response.Body); len(body) > 0 || err != nil || response.ContentLength != int64(length) {
			t.Errorf("HEAD: %d bytes, %v, length %d, want %d", len(body), err, response.ContentLength, length)
		}
	}
}

func TestRange(t *testing.T) {
	_, transport := spawn(t)
	request, _ := newRequest(t, "GET", push(t, transport, "demo", "0123456789"), nil)
	request.Header.Set("Range", "bytes=2-4")
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(response.Body); response.StatusCode != 206 || string(body) != "234" {
		t.Errorf("got %d, %q", response.StatusCode, body)
	}
}

// TestRefusedPush says that a response that comes early ends the sending.
func TestRefusedPush(t *testing.T) {
	_, transport := spawn(t)
	reader, writer := io.Pipe()
	request, _ := newRequest(t, "PUT", "/v2/demo/blobs/uploads/none?digest=sha256:"+strings.Repeat("0", 64), reader)
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err != nil || response.StatusCode != 404 {
		t.Errorf("got %d, %v", response.StatusCode, err)
	}
	if _, err := writer.Write([]byte("more")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the request's body is still read: %v", err)
	}
}

// TestCancel cancels a pull in the middle, and a push.
func TestCancel(t *testing.T) {
	_, transport := spawn(t)
	blob := push(t, transport, "demo", strings.Repeat("x", 20<<20))
	request, cancel := newRequest(t, "GET", blob, nil)
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(response.Body, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, response.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled pull ended with %v", err)
	}
	reader, writer := io.Pipe()
	request, cancel = newRequest(t, "POST", "/v2/demo/blobs/uploads/?digest=sha256:"+strings.Repeat("0", 64), reader)
	failed := make(chan error, 1)
	go func() {
		_, err := transport.RoundTrip(request)
		failed <- err
	}()
	if _, err := writer.Write(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled push ended with %v", err)
	}
	if status, _ := exchange(t, transport, "GET", "/v2/", nil); status != 200 {
		t.Errorf("got %d afterwards", status)
	}
}

func TestDeadline(t *testing.T) {
	_, transport := spawn(t)
	reader, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	request, _ := newRequest(t, "POST", "/v2/demo/blobs/uploads/?digest=sha256:"+strings.Repeat("0", 64), reader)
	ctx, cancel := context.WithTimeout(request.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := transport.RoundTrip(request.WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestBodies has request bodies that fail, or are not what they say.
func TestBodies(t *testing.T) {
	_, transport := spawn(t)
	broken := errors.New("the disk is gone")
	for name, test := range map[string]struct {
		body   io.Reader
		length int64
		want   string
	}{
		"failing":   {io.MultiReader(strings.NewReader("x"), failing{broken}), -1, broken.Error()},
		"too long":  {strings.NewReader("123"), 2, "longer than its ContentLength of 2"},
		"too short": {strings.NewReader("123"), 4, "ended after 3 bytes"},
	} {
		request, _ := newRequest(t, "POST", "/v2/demo/blobs/uploads/?digest=sha256:"+strings.Repeat("0", 64), test.body)
		request.ContentLength = test.length
		if _, err := transport.RoundTrip(request); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestDeath says what a request of a killed plugin ends with.
func TestDeath(t *testing.T) {
	client, transport := spawn(t)
	blob := push(t, transport, "demo", strings.Repeat("x", 20<<20))
	request, _ := newRequest(t, "GET", blob, nil)
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	killPlugin(t, client)
	_, err = io.Copy(io.Discard, response.Body)
	var failure *udist.Error
	if !errors.As(err, &failure) || !errors.Is(err, udist.ErrDied) || !failure.Retryable {
		t.Errorf("got %v", err)
	}
	request, _ = newRequest(t, "POST", "/v2/demo/blobs/uploads/", nil)
	_, err = transport.RoundTrip(request)
	if !errors.As(err, &failure) || !errors.Is(err, udist.ErrDied) || failure.Retryable {
		t.Errorf("got %v", err)
	}
}

// TestManyAtOnce pulls with many goroutines, and leaves some responses unread.
func TestManyAtOnce(t *testing.T) {
	_, transport := spawn(t)
	content := strings.Repeat("x", 1<<20)
	blob := push(t, transport, "demo", content)
	for range 20 {
		request, _ := newRequest(t, "GET", blob, nil)
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
	}
	var group sync.WaitGroup
	for range 40 {
		group.Go(func() {
			if status, got := exchange(t, transport, "GET", blob, nil); status != 200 || got != content {
				t.Errorf("pulled %d bytes, status %d", len(got), status)
			}
		})
	}
	group.Wait()
}

// TestBodyInPieces sends a body whose reads are small.
func TestBodyInPieces(t *testing.T) {
	_, transport := spawn(t)
	content := bytes.Repeat([]byte("0123456789"), 30_000)
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256(content))
	body := io.MultiReader(bytes.NewReader(content[:10]), bytes.NewReader(content[10:200_000]), bytes.NewReader(content[200_000:]))
	if status, text := exchange(t, transport, "POST", "/v2/demo/blobs/uploads/?digest="+digest, body); status != 201 {
		t.Errorf("got %d, %s", status, text)
	}
}
