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

func isDriver(key string) bool { return !slices.Contains(notDrivers, key) }

// storageOf returns the storage section that config and envs describe. The plugin has already accepted both, so they
// name at most one driver.
func storageOf(config string, envs []string) Storage {
	var document struct {
		Storage yaml.Node `yaml:"storage"`
	}
	_ = yaml.Unmarshal([]byte(config), &document)
	storage := sectionOf(&document.Storage)
	for _, env := range envs {
		if value, found := strings.CutPrefix(env, "REGISTRY_STORAGE="); found {
			var node yaml.Node
			if yaml.Unmarshal([]byte(value), &node) == nil && sectionOf(&node).Type() != "" {
				storage = sectionOf(&node) // it replaces the whole section
			}
		}
	}
	for _, env := range envs {
		if setting, found := strings.CutPrefix(env, "REGISTRY_STORAGE_"); found {
			name, value, _ := strings.Cut(setting, "=")
			storage.set(strings.ToLower(name), value)
		}
	}
	if storage.Type() == "" {
		storage[defaultDriver] = Parameters{}
	}
	return storage
}

// set sets what the rest of a variable's name says. Variables of a driver that is not the one in use do nothing.
func (s Storage) set(name, value string) {
	key, parameter, _ := strings.Cut(name, "_")
	if driver := s.Type(); isDriver(key) && driver != "" && driver != key {
		return
	}
	if s[key] == nil {
		s[key] = Parameters{}
	}
	if parameter == "" { // all parameters as one mapping
		_ = yaml.Unmarshal([]byte(value), s[key])
		return
	}
	var parsed any
	if yaml.Unmarshal([]byte(value), &parsed) != nil {
		parsed = value
	}
	s[key][parameter] = parsed
}

// sectionOf returns a storage section, which is either just the driver's name or a mapping.
func sectionOf(node *yaml.Node) Storage {
	section := Storage{}
	switch node.Kind {
	case yaml.DocumentNode:
		return sectionOf(node.Content[0])
	case yaml.ScalarNode:
		if node.Value != "" {
			section[node.Value] = Parameters{}
		}
	case yaml.MappingNode:
		for i := 0; i < len(node.Content); i += 2 {
			parameters := Parameters{}
			_ = node.Content[i+1].Decode(&parameters)
			section[node.Content[i].Value] = parameters
		}
	}
	return section
}
