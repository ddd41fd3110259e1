package main

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/klauspost/compress/zstd"
)

// errDamaged is about the archive, wherever it is unpacked.
var errDamaged = errors.New("this file is damaged (its archive does not match its digest): get it again")

// temporary begins the names of folders that are not whole; what is left of one for abandoned is removed.
const (
	temporary = ".unpacking-"
	abandoned = time.Hour
)

// unpack makes the folder in the cache, whole or not at all.
func unpack(cache, folder string, carried *carried) error {
	clean(cache)
	work, err := os.MkdirTemp(cache, temporary)
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := extract(work, carried); err != nil {
		return err
	}
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := syncAll(work); err != nil {
		return err
	}
	if err := os.Rename(work, folder); err == nil {
		return nil
	}
	// Another start was quicker, or what is there is not whole.
	if check(cache, folder, carried) == nil {
		return nil
	}
	aside := work + ".old"
	defer os.RemoveAll(aside)
	if err := os.Rename(folder, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(work, folder)
}

// clean removes what starts that were killed have left.
func clean(cache string) {
	left, _ := filepath.Glob(filepath.Join(cache, temporary+"*"))
	for _, path := range left {
		if status, err := os.Lstat(path); err == nil && time.Since(status.ModTime()) > abandoned {
			_ = os.RemoveAll(path)
		}
	}
}

func extract(folder string, carried *carried) error {
	hash := sha256.New()
	archive := io.TeeReader(io.NewSectionReader(carried.file, carried.offset, carried.length), hash)
	stream, err := zstd.NewReader(archive)
	if err != nil {
		return err
	}
	defer stream.Close()
	if err := write(folder, tar.NewReader(stream)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, archive); err != nil {
		return err
	}
	if hex.EncodeToString(hash.Sum(nil)) != carried.digest {
		return errDamaged
	}
	return nil
}

func write(folder string, entries *tar.Reader) error {
	buffer := make([]byte, 256<<10)
	for {
		entry, err := entries.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil || !filepath.IsLocal(entry.Name):
			return errDamaged
		}
		path := filepath.Join(folder, entry.Name)
		if entry.Typeflag == tar.TypeDir {
			err = os.Mkdir(path, 0o755)
		} else {
			err = writeFile(path, entry, entries, buffer)
		}
		if err != nil {
			return err
		}
	}
}

// writeFile uses system calls alone: an os.File would be offered to the poller, which takes as long again.
func writeFile(path string, entry *tar.Header, content io.Reader, buffer []byte) error {
	flags := syscall.O_WRONLY | syscall.O_CREAT | syscall.O_EXCL | syscall.O_CLOEXEC
	file, err := syscall.Open(path, flags, uint32(entry.Mode&0o755))
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(file)
	for {
		read, err := content.Read(buffer)
		for part := buffer[:read]; len(part) > 0; {
			written, err := syscall.Write(file, part)
			if err != nil && err != syscall.EINTR {
				return &os.PathError{Op: "write", Path: path, Err: err}
			}
			part = part[max(written, 0):]
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	return nil
}
