//go:build linux || darwin

package embedded

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

const (
	name   = role
	prefix = ".new-" // of temporary names
	mode   = fs.FileMode(0o500)
)

// unpackInto returns the path of the plugin in a folder of cache that is named after the digest. A file there that is
// not the one written before, as its owner, mode and size tell, is replaced. Any number of processes can do this at
// once, because a file gets its name only when it is complete.
func (p Plugin) unpackInto(cache string, note func(string)) (string, error) {
	folder := filepath.Join(cache, "udist", "embedded", p.SHA256)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return "", err
	}
	if err := onlyOurs(folder); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return "", err
	}
	defer root.Close()
	path := filepath.Join(folder, name)
	found, err := root.Lstat(name)
	if err == nil {
		why := p.differs(found)
		if why == "" {
			touch(root, found)
			return path, executable(path)
		}
		note(fmt.Sprintf("%s %s; it is unpacked again", path, why))
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := p.verify(); err != nil {
		return "", err
	}
	sweep(folder)
	return path, p.write(root)
}

// differs says what a file has that the one written by write has not.
func (p Plugin) differs(found fs.FileInfo) string {
	owner := found.Sys().(*syscall.Stat_t).Uid
	switch {
	case found.Mode() != mode:
		return fmt.Sprintf("has the mode %v, expected %v", found.Mode(), mode)
	case owner != uint32(os.Geteuid()):
		return fmt.Sprintf("belongs to user %d, expected %d", owner, os.Geteuid())
	case found.Size() != int64(len(p.Program)):
		return fmt.Sprintf("has %d bytes, expected %d", found.Size(), len(p.Program))
	}
	return ""
}

// write writes the file under a temporary name, and renames it once it is complete and on the disk.
func (p Plugin) write(root *os.Root) error {
	temporary := prefix + rand.Text()
	err := p.fill(root, temporary)
	if err == nil {
		err = executable(filepath.Join(root.Name(), temporary))
	}
	if err == nil {
		err = flush(root, temporary)
	}
	if err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		_ = root.Remove(temporary)
		return err
	}
	return flush(root, ".")
}

// fill writes the content. No process may be forked meanwhile: it would have the file open for writing until it
// executes another program, and a file that is open for writing cannot be executed (ETXTBSY).
func (p Plugin) fill(root *os.Root, temporary string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	file, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = file.WriteString(p.Program)
	return errors.Join(err, file.Chmod(mode), file.Close())
}

func flush(root *os.Root, name string) error {
	file, err := root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// executable returns an error if the file system is mounted noexec.
func executable(path string) error {
	const mayExecute = 1
	if err := syscall.Access(path, mayExecute); err != nil {
		return fmt.Errorf("%s cannot be executed: is its file system mounted noexec? %w", path, err)
	}
	return nil
}

// onlyOurs returns an error unless the folder belongs to this user, and nobody else but root can replace it or
// anything in it. A folder that a group can write to is accepted if the group is root's, as in OpenShift's containers,
// or the one of this process.
func onlyOurs(folder string) error {
	for path := folder; ; path = filepath.Dir(path) {
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		status := info.Sys().(*syscall.Stat_t)
		ours := status.Uid == uint32(os.Geteuid()) || status.Uid == 0 && path != folder
		others := info.Mode().Perm() & 0o002
		if status.Gid != 0 && status.Gid != uint32(os.Getegid()) {
			others = info.Mode().Perm() & 0o022
		}
		switch {
		case !ours:
			return fmt.Errorf("%s belongs to user %d, who could replace the plugin", path, status.Uid)
		case others != 0 && (path == folder || info.Mode()&fs.ModeSticky == 0):
			return fmt.Errorf("%s has the mode %v, so other users could replace the plugin", path, info.Mode())
		case path == filepath.Dir(path):
			return nil
		}
	}
}
