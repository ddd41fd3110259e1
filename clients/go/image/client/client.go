// Package client runs a registry as a plugin and provides it as an [http.Handler]. It replaces udistribution's client
// package, which runs the registry inside the process.
package client

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"

	"udist.dev/plugin/udist"
)

// Plugin is a running plugin, such as a *[udist.Plugin].
type Plugin interface {
	http.Handler
	RoundTripper() http.RoundTripper
	Close() error
}

// Client is a registry without a port. It is safe for concurrent use.
//
// Close stops the plugin. If nothing refers to the client any more, the garbage collector does so too, because
// udistribution's clients need not be closed.
type Client struct {
	plugin    Plugin
	transport http.RoundTripper
	config    Storage
	cleanup   runtime.Cleanup
}

// NewClient starts a plugin. config is a configuration in distribution's YAML format, or "" for the defaults. envs has
// the same form as [os.Environ]; its REGISTRY_* variables override the configuration. Warnings about the configuration,
// and warnings and errors in the plugin's log, are written to [os.Stderr].
//
// The error names the invalid key, or says why the plugin did not start.
func NewClient(config string, envs []string) (*Client, error) {
	plugin, err := udist.Spawn(context.Background(), udist.Config{YAML: config, Env: registryVariables(envs)})
	if err != nil {
		return nil, err
	}
	c := New(plugin)
	c.config = storageOf(config, envs)
	return c, nil
}

// New returns a client for a running plugin, and takes ownership of the plugin.
func New(plugin Plugin) *Client {
	c := &Client{plugin: plugin, transport: plugin.RoundTripper()}
	c.cleanup = runtime.AddCleanup(c, func(plugin Plugin) { go plugin.Close() }, plugin)
	return c
}

// Storage returns the name of the configured storage driver, or "" if the client was created by New.
func (c *Client) Storage() string {
	return c.config.Type()
}

// ServeHTTP handles a request of the distribution-spec.
func (c *Client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.plugin.ServeHTTP(w, r)
	runtime.KeepAlive(c)
}

// RoundTrip implements [http.RoundTripper]. The host in the request's URL can be anything.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		runtime.KeepAlive(c)
		return nil, err
	}
	resp.Body = &body{resp.Body, c}
	return resp, nil
}

// body keeps a reference to the client while the response is read.
type body struct {
	io.ReadCloser
	client *Client
}

// Close stops the plugin.
func (c *Client) Close() error {
	c.cleanup.Stop()
	return c.plugin.Close()
}

// registryVariables returns the REGISTRY_* variables in envs. The result is never nil, so that the plugin does not use
// the variables of this process unless the caller passes them.
func registryVariables(envs []string) []string {
	variables := []string{}
	for _, env := range envs {
		if strings.HasPrefix(env, "REGISTRY_") {
			variables = append(variables, env)
		}
	}
	return variables
}
