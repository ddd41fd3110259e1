// Twin generates a copy of this module for github.com/containers/image, the path of containers/image before it moved to
// go.podman.io/image. The two modules differ only in their import paths:
//
//	go run ./internal/twin ../containersimage
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const header = "// Code generated from ../image by internal/twin; DO NOT EDIT.\n\n"

// imports maps import paths to those in the copy.
var imports = strings.NewReplacer(
	`"go.podman.io/image/v5/`, `"github.com/containers/image/v5/`,
	`"udist.dev/plugin/udist/image/`, `"udist.dev/plugin/udist/containersimage/`,
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: twin FOLDER")
		os.Exit(2)
	}
	if err := write(".", os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "twin:", err)
		os.Exit(1)
	}
}

func write(module, folder string) error {
	files, err := generate(module)
	if err != nil {
		return err
	}
	for path, contents := range files {
		path = filepath.Join(folder, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, contents, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the Go files of the copy by their paths in the module. They do not include this program.
func generate(module string) (map[string][]byte, error) {
	files := map[string][]byte{}
	paths, err := goFiles(module)
	for _, path := range paths {
		if strings.HasPrefix(path, "internal/twin/") {
			continue
		}
		contents, err := os.ReadFile(filepath.Join(module, path))
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		text.WriteString(header)
		if _, err := imports.WriteString(&text, string(contents)); err != nil {
			return nil, err
		}
		if files[path], err = format.Source(text.Bytes()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return files, err
}

func goFiles(module string) ([]string, error) {
	var paths []string
	err := filepath.WalkDir(module, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		path, err = filepath.Rel(module, path)
		paths = append(paths, filepath.ToSlash(path))
		return err
	})
	return paths, err
}
