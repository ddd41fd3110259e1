// Code generated from ../image by internal/twin; DO NOT EDIT.

// Package client has the configuration that a registry has if it is given none.
package client

// Config is that configuration. The registry keeps it in the user's data folder, whose place depends on the
// environment; udistribution's has /var/lib/registry, listeners and a Redis server instead.
const Config = "version: 0.1\nstorage:\n  filesystem: {}\n"

// DefaultConfig is the newer name of Config.
const DefaultConfig = Config
