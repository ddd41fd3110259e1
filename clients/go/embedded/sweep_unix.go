//go:build linux || darwin

package embedded

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// unused is how long after its last start a plugin of another digest is kept.
	unused = 30 * 24 * time.Hour
	// unfinished is how old a temporary file must be to count as left over from a process that died.
	unfinished = time.Hour
	// exactness is how exactly the time of the last start is kept.
	exactness = 24 * time.Hour
)

// touch notes that the plugin is in use. Its failure only means that the file may be removed, and unpacked again.
func touch(root *os.Root, found fs.FileInfo) {
	if now := time.Now(); now.Sub(found.ModTime()) > exactness {
		_ = root.Chtimes(name, now, now)
	}
}

// sweep removes, beside the folder of this plugin, those that are no longer in use, and in it what dead processes have
// left.
func sweep(folder string) {
	remove(filepath.Dir(folder), "*", unused, filepath.Base(folder))
	remove(folder, prefix+"*", unfinished, "")
}

// remove removes what matches the pattern in a folder, unless it, or the plugin in it, is younger than age.
func remove(folder, pattern string, age time.Duration, except string) {
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		return
	}
	for _, path := range paths {
		if filepath.Base(path) != except && older(path, age) && older(filepath.Join(path, name), age) {
			_ = os.RemoveAll(path)
		}
	}
}

// older reports whether a file is older than age, or does not exist.
func older(path string, age time.Duration) bool {
	info, err := os.Lstat(path)
	return err != nil || time.Since(info.ModTime()) > age
}
