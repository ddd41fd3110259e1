package udist_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

// TestCancelChannel ends a request by its Cancel channel, before and while its answer is read.
func TestCancelChannel(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	for _, path := range []string{"/never", "/echo"} {
		body := newBlocking("some")
		request, err := http.NewRequestWithContext(deadline(t, 20*time.Second), http.MethodPost, "http://localhost"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		cancelled := make(chan struct{})
		request.Cancel = cancelled //lint:ignore SA1019 it is what is tried
		body.empty = func() { close(cancelled) }
		response, err := plugin.RoundTripper().RoundTrip(request)
		if err == nil {
			_, err = io.ReadAll(response.Body)
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", path, err)
		}
		within(t, body.closed, "closing the body")
	}
	noGoroutineButThePluginsIsLeft(t)
}

// TestUnusedCancelChannel leaves nothing behind of a channel that is never closed.
func TestUnusedCancelChannel(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	for _, path := range []string{"/fields", "/sink", "/reset/unprocessed"} {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.Cancel = make(chan struct{}) //lint:ignore SA1019 it is what is tried
		if response, err := plugin.RoundTripper().RoundTrip(request); err == nil {
			if _, err := io.ReadAll(response.Body); err != nil {
				t.Error(err)
			}
		}
	}
	noGoroutineButThePluginsIsLeft(t)
}

// TestClientTimeout has http.Client end a request by its context and its Cancel channel at once: it is a timeout.
func TestClientTimeout(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	client := plugin.Client()
	client.Timeout = 100 * time.Millisecond
	_, err := client.Get("http://localhost/never")
	var failure *url.Error
	if !errors.As(err, &failure) || !failure.Timeout() {
		t.Errorf("%v, want a timeout", err)
	}
	noGoroutineButThePluginsIsLeft(t)
}

// TestEndBeforeCancel stays at the end of a response that was read, whatever becomes of its context.
func TestEndBeforeCancel(t *testing.T) {
	plugin := spawn(t, udist.Config{Command: fake(t)})
	ctx, cancel := context.WithCancel(t.Context())
	response, err := do(ctx, t, plugin, http.MethodGet, "/fields", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := response.Body.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%v, want io.EOF", err)
	}
	_ = response.Body.Close()
	if _, err := response.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
		t.Errorf("%v after Close", err)
	}
}
