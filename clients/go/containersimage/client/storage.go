// Code generated from ../image by internal/twin; DO NOT EDIT.

package client

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// defaultDriver is what the plugin uses when no driver is named.
const defaultDriver = "filesystem"

// notDrivers are the keys below storage that configure something else.
var notDrivers = []string{"cache", "delete", "maintenance", "redirect", "tag"}

// storageDriver is the driver that config and envs name. The plugin has accepted both by then, so they name one.
func storageDriver(config string, envs []string) string {
	var document struct {
		Storage yaml.Node `yaml:"storage"`
	}
	_ = yaml.Unmarshal([]byte(config), &document)
	driver := driverOf(&document.Storage)
	for _, env := range envs {
		name, value, _ := strings.Cut(env, "=")
		if name == "REGISTRY_STORAGE" {
			var storage yaml.Node // it replaces the whole section
			if yaml.Unmarshal([]byte(value), &storage) == nil && driverOf(&storage) != "" {
				return driverOf(&storage)
			}
		}
		if key, found := strings.CutPrefix(name, "REGISTRY_STORAGE_"); found && driver == "" {
			key, _, _ = strings.Cut(strings.ToLower(key), "_")
			if !slices.Contains(notDrivers, key) {
				driver = key
			}
		}
	}
	if driver == "" {
		return defaultDriver
	}
	return driver
}

// driverOf is the driver a storage section names: it is either the name alone or a mapping.
func driverOf(storage *yaml.Node) string {
	switch storage.Kind {
	case yaml.DocumentNode:
		return driverOf(storage.Content[0])
	case yaml.ScalarNode:
		return storage.Value
	case yaml.MappingNode:
		for i := 0; i < len(storage.Content); i += 2 {
			if key := storage.Content[i].Value; !slices.Contains(notDrivers, key) {
				return key
			}
		}
	}
	return ""
}
