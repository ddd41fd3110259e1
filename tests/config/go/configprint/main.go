// Configprint prints what distribution's own parser makes of configurations.
//
// It reads a JSON array of {"version": 2 or 3, "file": text, "environ": {name: value}} from standard input, and
// writes an array of {"configuration": tree} or {"error": text} in its order. A tree leaves out what is zero.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	v2 "github.com/distribution/distribution/configuration"
	v3 "github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v2"
)

type pair struct {
	Version int               `json:"version"`
	File    string            `json:"file"`
	Environ map[string]string `json:"environ"`
}

type result struct {
	Configuration any    `json:"configuration,omitempty"`
	Error         string `json:"error,omitempty"`
}

func main() {
	logrus.SetOutput(io.Discard) // the parser warns of variables it does not know
	var pairs []pair
	if err := json.NewDecoder(os.Stdin).Decode(&pairs); err != nil {
		log.Fatal(err)
	}
	results := make([]result, len(pairs))
	for i, p := range pairs {
		tree, err := parse(p)
		if err != nil {
			results[i].Error = err.Error()
		} else {
			results[i].Configuration = tree
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		log.Fatal(err)
	}
}

// parse gives what the registry would start with; a panic, which two storage drivers cause, is an error too.
func parse(p pair) (tree any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	os.Clearenv()
	for name, value := range p.Environ {
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	switch p.Version {
	case 2:
		parsed, err := v2.Parse(strings.NewReader(p.File))
		if err != nil {
			return nil, err
		}
		// Without parameters a driver would be written as its name alone, and what stands beside it not at all.
		if parsed.Storage.Parameters() == nil {
			parsed.Storage[parsed.Storage.Type()] = v2.Parameters{}
		}
		return plain(parsed)
	case 3:
		parsed, err := v3.Parse(strings.NewReader(p.File))
		if err != nil {
			return nil, err
		}
		if parsed.Storage.Parameters() == nil {
			parsed.Storage[parsed.Storage.Type()] = v3.Parameters{}
		}
		return plain(parsed)
	}
	return nil, fmt.Errorf("no version %d", p.Version)
}

// plain is value with YAML's names, in what JSON can hold.
func plain(value any) (any, error) {
	text, err := yaml.Marshal(value)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return withTextKeys(tree), nil
}

func withTextKeys(value any) any {
	switch value := value.(type) {
	case map[any]any:
		tree := make(map[string]any, len(value))
		for key, item := range value {
			tree[fmt.Sprint(key)] = withTextKeys(item)
		}
		return tree
	case []any:
		for i, item := range value {
			value[i] = withTextKeys(item)
		}
	}
	return value
}
