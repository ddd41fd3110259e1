//go:build linux || darwin

package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestMain lets this program be the one that it carries.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == role {
		return
	}
	os.Exit(m.Run())
}

func carrying(content string) Plugin {
	sum := sha256.Sum256([]byte(content))
	return Plugin{Program: content, SHA256: hex.EncodeToString(sum[:])}
}

func silent(t *testing.T) func(string) {
	return func(text string) { t.Errorf("unexpected warning: %s", text) }
}

// contents returns the names in the folder of the plugin.
func contents(t *testing.T, cache string, p Plugin) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(cache, "udist", "embedded", p.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

func check(t *testing.T, path string, p Plugin) fs.FileInfo {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(path); err != nil || string(content) != p.Program || info.Mode() != 0o500 {
		t.Errorf("%s: %v, %v: not what was to be unpacked", path, info.Mode(), err)
	}
	return info
}

func TestUnpackOnce(t *testing.T) {
	p, cache := carrying("a program"), t.TempDir()
	path, err := p.unpackInto(cache, silent(t))
	if err != nil {
		t.Fatal(err)
	}
	first := check(t, path, p)
	again, err := p.unpackInto(cache, silent(t))
	if err != nil || again != path || !os.SameFile(first, check(t, path, p)) {
		t.Errorf("the second time: %s, %v", again, err)
	}
	other := carrying("another program")
	if path, err = other.unpackInto(cache, silent(t)); err != nil {
		t.Fatal(err)
	}
	check(t, path, other)
}

// TestReplace replaces what has taken the plugin's name.
func TestReplace(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(path string) error
		why   string
	}{
		"truncated": {func(path string) error {
			return errors.Join(os.Chmod(path, 0o700), os.Truncate(path, 3), os.Chmod(path, 0o500))
		}, "has 3 bytes, expected 9"},
		"writable": {func(path string) error { return os.Chmod(path, 0o777) }, "has the mode -rwxrwxrwx"},
		"a link": {func(path string) error {
			return errors.Join(os.Remove(path), os.Symlink("/bin/sh", path))
		}, "has the mode L"},
	} {
		t.Run(name, func(t *testing.T) {
			p, cache := carrying("a program"), t.TempDir()
			path, err := p.unpackInto(cache, silent(t))
			if err != nil {
				t.Fatal(err)
			}
			if err := test.spoil(path); err != nil {
				t.Fatal(err)
			}
			var noted string
			if path, err = p.unpackInto(cache, func(text string) { noted = text }); err != nil {
				t.Fatal(err)
			}
			check(t, path, p)
			if !strings.Contains(noted, test.why) {
				t.Errorf("warned %q, want %q", noted, test.why)
			}
		})
	}
}

// owned is a file that belongs to another user.
type owned struct {
	fs.FileInfo
	status syscall.Stat_t
}

func (o *owned) Sys() any { return &o.status }

func TestAnotherUsersFile(t *testing.T) {
	p := carrying("a program")
	path, err := p.unpackInto(t.TempDir(), silent(t))
	if err != nil {
		t.Fatal(err)
	}
	file := &owned{FileInfo: check(t, path, p)}
	file.status.Uid = uint32(os.Geteuid()) + 1
	if why := p.differs(file); !strings.HasPrefix(why, "belongs to user ") {
		t.Errorf("%q", why)
	}
}

func TestFolderOfOthers(t *testing.T) {
	p, cache := carrying("a program"), t.TempDir()
	open := filepath.Join(cache, "udist")
	if err := errors.Join(os.Mkdir(open, 0o777), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.unpackInto(cache, silent(t)); err == nil || !strings.Contains(err.Error(), "other users could replace the plugin") {
		t.Error(err)
	}
	if names := contents(t, cache, p); len(names) > 0 {
		t.Errorf("unpacked %q", names)
	}
}

func TestDamaged(t *testing.T) {
	p, cache := carrying("a program"), t.TempDir()
	p.Program = "a PROGRAM"
	if _, err := p.unpackInto(cache, silent(t)); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), p.SHA256) {
		t.Error(err)
	}
	if names := contents(t, cache, p); len(names) > 0 {
		t.Errorf("unpacked %q", names)
	}
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	if _, err := p.command(silent(t)); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// TestSweep removes plugins that have not been started for long, and what is left of a process that died.
func TestSweep(t *testing.T) {
	cache := t.TempDir()
	long := time.Now().Add(-2 * unused)
	age := func(path string) {
		t.Helper()
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	paths := map[string]string{}
	for _, content := range []string{"old", "used", "new"} {
		path, err := carrying(content).unpackInto(cache, silent(t))
		if err != nil {
			t.Fatal(err)
		}
		paths[content] = path
		if content != "new" {
			age(path)
			age(filepath.Dir(path))
		}
	}
	if _, err := carrying("used").unpackInto(cache, silent(t)); err != nil {
		t.Fatal(err)
	}
	p := carrying("newest")
	left := filepath.Join(cache, "udist", "embedded", p.SHA256, prefix+"left")
	if err := errors.Join(os.Mkdir(filepath.Dir(left), 0o700), os.WriteFile(left, nil, 0o500)); err != nil {
		t.Fatal(err)
	}
	age(left)
	if _, err := p.unpackInto(cache, silent(t)); err != nil {
		t.Fatal(err)
	}
	for content, kept := range map[string]bool{"old": false, "used": true, "new": true} {
		if _, err := os.Stat(paths[content]); (err == nil) != kept {
			t.Errorf("%s: %v", content, err)
		}
	}
	if _, err := os.Stat(left); err == nil {
		t.Errorf("%s is still there", left)
	}
}

// TestRace unpacks a real program many times at once, and starts it each time.
func TestRace(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	p, cache := carrying(string(content)), t.TempDir()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			path, err := p.unpackInto(cache, silent(t))
			if err == nil {
				err = exec.Command(path).Run()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if names := contents(t, cache, p); len(names) != 1 || names[0] != name {
		t.Errorf("left %q", names)
	}
}
