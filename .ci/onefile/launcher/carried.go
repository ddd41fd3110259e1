package main

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// The file ends with: the archive (tar, zstd), the index (JSON), and a trailer of the two's lengths, the archive's
// SHA-256 and the magic. Lengths are big-endian. archive.py writes it.
const (
	magic       = "udist/onefile/1\n"
	trailerSize = 8 + 8 + 32 + len(magic)
	maxIndex    = 1 << 20
)

var errNotWhole = errors.New("this file is truncated or damaged (nothing whole is at its end): get it again")

// carried is what this file carries.
type carried struct {
	file           io.ReaderAt
	offset, length int64
	digest         string
	loader, python string
	// sizes are those of the files that a start maps into memory, by their paths in the folder.
	sizes map[string]int64
}

type index struct {
	Loader string           `json:"loader"`
	Python string           `json:"python"`
	Sizes  map[string]int64 `json:"sizes"`
}

// openSelf opens this program, which may have no path any more: it can have been replaced, or be a memfd.
func openSelf() (*os.File, error) {
	file, err := os.Open("/proc/self/exe")
	if err == nil {
		return file, nil
	}
	path, err := os.Executable()
	if err != nil { // /proc is not mounted
		if path, err = exec.LookPath(os.Args[0]); err != nil {
			return nil, fmt.Errorf("cannot find this program's own file: %w", err)
		}
	}
	return os.Open(path)
}

func readCarried(file *os.File) (*carried, error) {
	status, err := file.Stat()
	if err != nil {
		return nil, err
	}
	end := status.Size() - int64(trailerSize)
	trailer := make([]byte, trailerSize)
	if end < 0 {
		return nil, errNotWhole
	}
	if _, err := file.ReadAt(trailer, end); err != nil {
		return nil, err
	}
	length, listed := binary.BigEndian.Uint64(trailer), binary.BigEndian.Uint64(trailer[8:])
	if string(trailer[48:]) != magic || listed > maxIndex || length > uint64(end) || listed > uint64(end)-length {
		return nil, errNotWhole
	}
	content := make([]byte, listed)
	if _, err := file.ReadAt(content, end-int64(listed)); err != nil {
		return nil, err
	}
	var found index
	if err := json.Unmarshal(content, &found); err != nil {
		return nil, errNotWhole
	}
	return &carried{
		file:   file,
		offset: end - int64(listed) - int64(length),
		length: int64(length),
		digest: hex.EncodeToString(trailer[16:48]),
		loader: found.Loader,
		python: found.Python,
		sizes:  found.Sizes,
	}, nil
}
