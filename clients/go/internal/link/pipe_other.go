//go:build !unix

package link

import (
	"errors"
	"os"
)

// canInterrupt is false on systems where a read of a pipe cannot be interrupted: there, one goroutine reads all frames.
const canInterrupt = false

var errInterrupted = errors.New("the reader was interrupted")

// source is a pipe to read from.
type source struct{ file *os.File }

func (s *source) open(file *os.File) error {
	s.file = file
	return nil
}

func (s *source) read(first, _ []byte, _ bool) (int, error) { return s.file.Read(first) }

func (s *source) end() {}

func (s *source) interrupt() {}

func (s *source) resume() {}

func (s *source) close() { _ = s.file.Close() }

// sink is a pipe to write to. One goroutine writes at a time.
type sink struct{ file *os.File }

func (s *sink) open(file *os.File) error {
	s.file = file
	return nil
}

// write writes first and then second. It cannot find out whether there is room, so it writes nothing unless it may
// block.
func (s *sink) write(first, second []byte, block bool, blocked func(int)) (rest []byte, err error) {
	if !block {
		return first, nil
	}
	blocked(1)
	defer blocked(-1)
	for _, b := range [2][]byte{first, second} {
		if len(b) > 0 {
			if _, err := s.file.Write(b); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

func (s *sink) close() { _ = s.file.Close() }
