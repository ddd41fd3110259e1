package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestTwinIsCurrent compares the generated module with what the program would write now.
func TestTwinIsCurrent(t *testing.T) {
	const twin = "../../../containersimage"
	files, err := generate("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 10 {
		t.Fatalf("only %d files: is the module where it was?", len(files))
	}
	for path, contents := range files {
		found, err := os.ReadFile(filepath.Join(twin, path))
		if err != nil || !bytes.Equal(found, contents) {
			t.Errorf("%s/%s is not current (%v): run go generate ./... in clients/go/image", twin, path, err)
		}
	}
	paths, err := goFiles(twin)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if files[path] == nil {
			t.Errorf("%s/%s has no original: remove it", twin, path)
		}
	}
}
