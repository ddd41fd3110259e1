//go:build unix

package child

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// stderr is this side's end of the child's standard error. Once the child has exited, Read returns io.EOF instead of
// waiting for more, because a grandchild may keep the other end open.
type stderr struct {
	file  *os.File
	ended atomic.Bool
}

// end notes that the child has exited, and wakes up a waiting Read.
func (s *stderr) end() {
	s.ended.Store(true)
	_ = s.file.SetReadDeadline(time.Unix(1, 0))
}

func (s *stderr) Read(p []byte) (n int, err error) {
	if !s.ended.Load() {
		n, err := s.file.Read(p)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return 0, err
	}
	failed := raw.Control(func(fd uintptr) { // a past deadline does not stop this
		n, err = syscall.Read(int(fd), p)
	})
	if failed != nil || err != nil || n <= 0 {
		return 0, io.EOF
	}
	return n, nil
}
