package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"udist.dev/plugin/udist"
)

// TestMain lets this program be the one that is written into a package.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{"udist-plugin", "--version"}) {
		fmt.Println("udist-plugin", udist.Version)
		return
	}
	os.Exit(m.Run())
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWrite(t *testing.T) {
	here := platform{runtime.GOOS, runtime.GOARCH}
	folder := filepath.Join(t.TempDir(), "carrying")
	if err := run(self(t), folder, here.String(), ""); err != nil {
		t.Fatal(err)
	}
	p, err := read(self(t), "", "")
	if err != nil {
		t.Fatal(err)
	}
	file := "udist_" + here.system + "_" + here.machine
	if content, err := os.ReadFile(filepath.Join(folder, file)); err != nil || string(content) != string(p.content) {
		t.Errorf("%s is not the program: %v", file, err)
	}
	for name, want := range map[string][]string{
		file + ".go": {"package carrying\n", "//go:embed " + file + "\n", p.digest},
		"doc.go":     {"package carrying\n"},
	} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range want {
			if !strings.Contains(string(text), part) {
				t.Errorf("%s has no %q", name, part)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	content, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	machine := slices.Clone(content)
	machine[18] = 8 // ELF's e_machine: MIPS
	for _, test := range []struct {
		name, path, wanted, digest string
		kind                       error
	}{
		{"script", file("script", []byte("#!/bin/sh\n")), "", "", errPlatform},
		{"other platform", self(t), "linux/s390x", "", errPlatform},
		{"cut short", file("short", content[:1000]), "", "", errPlatform},
		{"digest", self(t), "", "sha256:00", errDigest},
		{"missing", filepath.Join(folder, "missing"), "", "", os.ErrNotExist},
	} {
		to := filepath.Join(folder, "to")
		if err := run(test.path, to, test.wanted, test.digest); !errors.Is(err, test.kind) {
			t.Errorf("%s: %v, want %v", test.name, err, test.kind)
		}
		if _, err := os.Stat(to); err == nil {
			t.Errorf("%s: wrote a package", test.name)
		}
	}
	if runtime.GOOS == "linux" {
		if _, err := platformOf(machine); !errors.Is(err, errPlatform) || !strings.Contains(err.Error(), "EM_MIPS") {
			t.Error(err)
		}
	}
}

// TestNotAPlugin refuses a program of the right platform that is another one.
func TestNotAPlugin(t *testing.T) {
	other := "/bin/true"
	if runtime.GOOS == "darwin" {
		other = "/usr/bin/true"
	}
	if _, err := start(other); !errors.Is(err, errStart) {
		t.Error(err)
	}
}

func TestVersions(t *testing.T) {
	if warning := compare("udist-plugin " + udist.Version); warning != "" {
		t.Error(warning)
	}
	warning := compare("udist-plugin 99.0.0")
	for _, part := range []string{"99.0.0", udist.Version, "same release"} {
		if !strings.Contains(warning, part) {
			t.Errorf("%q does not say %q", warning, part)
		}
	}
}
