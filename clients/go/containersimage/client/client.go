// Code generated from ../image by internal/twin; DO NOT EDIT.

// Package client runs a registry as a plugin and serves it as an [http.Handler], as udistribution's client package
// does with a registry inside the process.
package client

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"

	"udist.dev/plugin/udist"
)

// Plugin is what a Client needs of a running plugin. A *[udist.Plugin] is one.
type Plugin interface {
	http.Handler
	RoundTripper() http.RoundTripper
	Close() error
}

// Client is a registry without a port. It is safe for concurrent use.
//
// Close ends the plugin; so does the garbage collector, as callers of udistribution have nothing to close.
type Client struct {
	plugin    Plugin
	transport http.RoundTripper
	storage   string
	cleanup   runtime.Cleanup
}

// NewClient starts the plugin with distribution's configuration: config is the YAML text, "" for the plugin's
// defaults, and envs are variables as [os.Environ] gives them, of which REGISTRY_* overlay it.
//
// The error names the key that is wrong, or says why there is no plugin.
func NewClient(config string, envs []string) (*Client, error) {
	plugin, err := udist.Spawn(context.Background(), udist.Config{YAML: config, Env: registryVariables(envs)})
	if err != nil {
		return nil, err
	}
	c := New(plugin)
	c.storage = storageDriver(config, envs)
	return c, nil
}

// New makes a client of a plugin that runs already, and now belongs to the client.
func New(plugin Plugin) *Client {
	c := &Client{plugin: plugin, transport: plugin.RoundTripper()}
	c.cleanup = runtime.AddCleanup(c, func(plugin Plugin) { go plugin.Close() }, plugin)
	return c
}

// Storage is the name of the configured storage driver, "" if the client was made of a running plugin.
func (c *Client) Storage() string {
	return c.storage
}

// ServeHTTP answers a request of the distribution-spec.
func (c *Client) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.plugin.ServeHTTP(w, r)
	runtime.KeepAlive(c)
}

// RoundTrip makes the client an [http.RoundTripper]. The host of the request's URL means nothing.
func (c *Client) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		runtime.KeepAlive(c)
		return nil, err
	}
	resp.Body = &body{resp.Body, c}
	return resp, nil
}

// body keeps the client from the garbage collector while the response is read.
type body struct {
	io.ReadCloser
	client *Client
}

// Close ends the plugin. What is under way fails.
func (c *Client) Close() error {
	c.cleanup.Stop()
	return c.plugin.Close()
}

// registryVariables are the variables of distribution's overlay. They are never nil: the process's own count only if
// the caller passes them.
func registryVariables(envs []string) []string {
	variables := []string{}
	for _, env := range envs {
		if strings.HasPrefix(env, "REGISTRY_") {
			variables = append(variables, env)
		}
	}
	return variables
}
