package distribution

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

var errEnded = errors.New("the push has ended")

// source is the content of a push. A RoundTripper may read a body even after it has returned
// ([http.RoundTripper]); end makes sure that the caller's reader is then left alone.
type source struct {
	mu     sync.Mutex
	reader io.Reader
	read   int64
	err    error // what reader failed with, or errEnded
}

func (s *source) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.reader.Read(p)
	s.read += int64(n)
	if err != io.EOF {
		s.err = err
	}
	return n, err
}

// chunk reads the next chunkSize bytes; fewer if that was all.
func (s *source) chunk() ([]byte, error) {
	var buffer bytes.Buffer
	_, err := io.CopyN(&buffer, s, chunkSize)
	if err == io.EOF {
		err = nil
	}
	return buffer.Bytes(), err
}

// failure is what the reader failed with, if it did.
func (s *source) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// size is how many bytes were read.
func (s *source) size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read
}

func (s *source) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = errEnded
	}
}
