package client

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// defaultDriver is the driver that the plugin uses if none is named.
const defaultDriver = "filesystem"

// notDrivers are keys under storage that are not drivers.
var notDrivers = []string{"cache", "delete", "maintenance", "redirect", "tag"}

// storageDriver returns the driver named by config and envs. The plugin has already accepted both, so they name at most
// one.
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

// driverOf returns the driver named by a storage section, which is either just the name or a mapping.
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
