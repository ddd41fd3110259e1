package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// unpacked gives the folder with what is carried, which it unpacks if no start before did. Where the user's cache
// cannot be used it says why and takes a folder for temporary files.
func unpacked(carried *carried) (string, error) {
	var problems []string
	for _, cache := range caches() {
		folder, err := unpackedIn(cache, carried)
		if err == nil {
			for _, problem := range problems {
				fmt.Fprintf(os.Stderr, "udist: %s; using %s\n", problem, cache)
			}
			return folder, nil
		}
		if errors.Is(err, errDamaged) {
			return "", err
		}
		problems = append(problems, err.Error())
	}
	return "", fmt.Errorf("found no folder to unpack into: %s; set XDG_CACHE_HOME to one that you can write to and "+
		"that is not mounted noexec", strings.Join(problems, "; "))
}

// caches are the folders to unpack into, in the order of preference.
func caches() []string {
	var found []string
	if cache := os.Getenv("XDG_CACHE_HOME"); filepath.IsAbs(cache) {
		found = append(found, filepath.Join(cache, "udist"))
	} else if home := os.Getenv("HOME"); filepath.IsAbs(home) {
		found = append(found, filepath.Join(home, ".cache", "udist"))
	}
	return append(found, filepath.Join(os.TempDir(), "udist-"+strconv.Itoa(os.Geteuid())))
}

func unpackedIn(cache string, carried *carried) (string, error) {
	folder := filepath.Join(cache, carried.digest)
	err := check(cache, folder, carried)
	if err == nil {
		return folder, nil
	}
	if isForeign := new(foreignError); errors.As(err, &isForeign) {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(cache), 0o700); err != nil {
		return "", err
	}
	if err := os.Mkdir(cache, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err := safe(cache); err != nil {
		return "", err
	}
	if isNoExec(cache) {
		return "", fmt.Errorf("%s is mounted noexec", cache)
	}
	if err := unpack(cache, folder, carried); err != nil {
		return "", err
	}
	return folder, check(cache, folder, carried)
}

// check tells whether the folder is as it was unpacked, as far as can be told without reading it, and nobody else
// can have changed it.
func check(cache, folder string, carried *carried) error {
	for _, path := range []string{cache, folder} {
		if err := safe(path); err != nil {
			return err
		}
	}
	if isNoExec(folder) {
		return fmt.Errorf("%s is mounted noexec", folder)
	}
	for name, size := range carried.sizes {
		path := filepath.Join(folder, name)
		if err := safe(path); err != nil {
			return err
		}
		if status, err := os.Lstat(path); err != nil || status.Size() != size {
			return fmt.Errorf("%s is not as it was unpacked", path)
		}
	}
	return nil
}

// foreignError is about a file that others than this user and root can change.
type foreignError struct{ path, problem string }

func (e *foreignError) Error() string { return e.path + " " + e.problem }

// safe fails unless only this user or root can change the file or folder.
func safe(path string) error {
	status, err := os.Lstat(path)
	if err != nil {
		return err
	}
	owner := int(status.Sys().(*syscall.Stat_t).Uid)
	switch {
	case owner != os.Geteuid() && owner != 0:
		return &foreignError{path, fmt.Sprintf("belongs to user %d", owner)}
	case status.Mode()&fs.ModeSymlink != 0:
		return &foreignError{path, "is a symbolic link"}
	case status.Mode().Perm()&0o022 != 0:
		return &foreignError{path, fmt.Sprintf("can be written by others (mode %04o)", status.Mode().Perm())}
	}
	return nil
}
