// Code generated from ../image by internal/twin; DO NOT EDIT.

package client

import (
	"context"
	"net/http"
)

// App is the registry of a client, under the name and with the parts of distribution's handlers.App that programs use.
type App struct {
	// Config is what the client was configured with.
	Config *Configuration
	client *Client
}

// Configuration is a configuration in distribution's format, as far as it is about storage.
type Configuration struct {
	Storage Storage
}

// Storage is the storage section: the parameters by their driver, and those of other keys, such as delete.
type Storage map[string]Parameters

// Parameters are the parameters of a driver, with the values that they have in YAML. Keys from variables are in lower
// case.
type Parameters map[string]any

// GetApp returns the client's registry. Its Storage is empty if the client was created by New.
func (c *Client) GetApp() *App {
	return &App{Config: &Configuration{Storage: c.config}, client: c}
}

// ServeHTTP handles a request of the distribution-spec.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.client.ServeHTTP(w, r)
}

// Type returns the name of the storage driver, or "" if there is none.
func (s Storage) Type() string {
	for key := range s {
		if isDriver(key) {
			return key
		}
	}
	return ""
}

// Parameters returns the parameters of the storage driver.
func (s Storage) Parameters() Parameters {
	return s[s.Type()]
}

// GetContext returns a context for requests. udistribution's carries the logger that the configuration describes; here,
// the plugin writes the log.
func GetContext(*Configuration) (context.Context, error) {
	return context.Background(), nil
}
