//go:build linux || darwin

package udist_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"udist.dev/plugin/udist"
	"udist.dev/plugin/udist/embedded"
	"udist.dev/plugin/udist/internal/carried"
)

// carry makes this program carry itself, as the fake plugin, and returns the cache folder.
func carry(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(fake(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	embedded.Register(embedded.Plugin{Program: string(content), SHA256: hex.EncodeToString(sum[:])})
	t.Cleanup(func() { carried.Command = nil })
	home := t.TempDir()
	cache := filepath.Join(home, ".cache")
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("UDIST_PLUGIN", "")
	if runtime.GOOS == "darwin" {
		cache = filepath.Join(home, "Library", "Caches")
	}
	return cache
}

func unpacked(t *testing.T, cache string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(cache, "udist", "embedded", "*", "udist-plugin"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestCarriedPlugin: the carried plugin comes after what the user names, and before PATH.
func TestCarriedPlugin(t *testing.T) {
	named := strings.Join(fake(t), " ")
	for _, test := range []struct {
		name, variable string
		config         udist.Config
		unpacked       int
	}{
		{"option", "", udist.Config{Command: fake(t)}, 0},
		{"UDIST_PLUGIN", named, udist.Config{}, 0},
		{"carried", "", udist.Config{}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			cache, path := carry(t), t.TempDir()
			writeProgram(t, filepath.Join(path, "udist-plugin"), "#!/bin/sh\nexit 1\n")
			t.Setenv("PATH", path+":"+os.Getenv("PATH"))
			t.Setenv("UDIST_PLUGIN", test.variable)
			answers(t, spawn(t, test.config))
			if found := unpacked(t, cache); len(found) != test.unpacked {
				t.Errorf("unpacked %q, want %d", found, test.unpacked)
			}
		})
	}
}

// TestWithoutCache runs the carried plugin from memory, and says so once.
func TestWithoutCache(t *testing.T) {
	cache := carry(t)
	if err := os.MkdirAll(filepath.Dir(cache), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cache, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	plugin, err := udist.Spawn(t.Context(), udist.Config{Stderr: &log})
	if runtime.GOOS != "linux" {
		if err == nil || !strings.Contains(err.Error(), "only Linux can run a program from memory") {
			t.Error(err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	answers(t, plugin)
	if err := plugin.Close(); err != nil {
		t.Error(err)
	}
	answers(t, spawn(t, udist.Config{Stderr: &log}))
	if text := log.String(); strings.Count(text, "it runs from memory") != 1 || !strings.Contains(text, cache+": not a directory") {
		t.Errorf("%s", text)
	}
}

// TestCarriedPluginIn starts the carried plugin in the place that UDIST_TEST_CACHE names, and expects
// UDIST_TEST_WARNING, or no warning if it is empty. Tests of this module in an empty root set them.
func TestCarriedPluginIn(t *testing.T) {
	place := os.Getenv("UDIST_TEST_CACHE")
	if place == "" {
		place = t.TempDir()
	}
	carry(t)
	t.Setenv("HOME", place)
	t.Setenv("XDG_CACHE_HOME", place)
	var log bytes.Buffer
	answers(t, spawn(t, udist.Config{Stderr: &log}))
	want := os.Getenv("UDIST_TEST_WARNING")
	if !strings.Contains(log.String(), want) || (want == "") != (log.String() == "") {
		t.Errorf("warned %q, want %q", log.String(), want)
	}
}
