package distribution

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

var errEnded = errors.New("the push is over")

// source is the content of a push. A RoundTripper may keep reading a body after it has returned ([http.RoundTripper]);
// after end, that no longer reaches the caller's reader.
type source struct {
	mu     sync.Mutex
	reader io.Reader
	read   int64
	err    error // the error of reader, or errEnded
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

// chunk reads the next chunkSize bytes, or fewer at the end.
func (s *source) chunk() ([]byte, error) {
	var buffer bytes.Buffer
	_, err := io.CopyN(&buffer, s, chunkSize)
	if err == io.EOF {
		err = nil
	}
	return buffer.Bytes(), err
}

// failure returns the error of the reader, if any.
func (s *source) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// size returns how many bytes were read.
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
