package udistribution

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"go.podman.io/image/v5/types"
)

// externalURLs returns those URLs of a foreign layer that can be read.
func externalURLs(urls []string) []string {
	var usable []string
	for _, text := range urls {
		if u, err := url.Parse(text); err == nil && (u.Scheme == "http" || u.Scheme == "https") {
			usable = append(usable, text)
		}
	}
	return usable
}

// openExternal reads a foreign layer from the first URL that has it. It sends no credentials, because the author of a
// manifest could collect them.
func openExternal(ctx context.Context, sys *types.SystemContext, urls []string) (io.ReadCloser, int64, error) {
	var failures []error
	for _, u := range urls {
		resp, err := get(ctx, sys, u)
		if err == nil && resp.StatusCode == http.StatusOK {
			return resp.Body, resp.ContentLength, nil
		}
		if err == nil {
			resp.Body.Close()
			err = fmt.Errorf("GET %s: %s", u, resp.Status)
		}
		failures = append(failures, err)
	}
	return nil, -1, fmt.Errorf("reading foreign layer: %w", errors.Join(failures...))
}

// get requests a URL on the network, through the proxy configured in sys.
func get(ctx context.Context, sys *types.SystemContext, u string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	client := http.DefaultClient
	if sys != nil && sys.DockerProxyURL != nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.Proxy = http.ProxyURL(sys.DockerProxyURL)
		transport.DisableKeepAlives = true // it is used for this request only
		client = &http.Client{Transport: transport}
	}
	return client.Do(req)
}
