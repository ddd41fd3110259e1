//go:build unix

package link

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"udist.dev/plugin/udist/internal/wire"
)

const canInterrupt = true

// stall is how long a frame or a write that has started may make no progress. Nothing else can delay the peer.
const stall = 120 * time.Second

var errInterrupted = errors.New("the reader was interrupted")

// source is a pipe to read from. One goroutine reads at a time; any goroutine can interrupt it.
type source struct {
	file *os.File
	raw  syscall.RawConn
	step func(uintptr) bool

	first, second []byte
	within        bool
	n             int
	err           error

	watch   *time.Timer
	stalled atomic.Bool
	ended   atomic.Bool
}

func (s *source) open(file *os.File) (err error) {
	s.file = file
	s.step = s.try
	s.raw, err = file.SyscallConn()
	return err
}

// read reads once, into first and then second. The error is io.EOF at the end. Within a frame, no progress for stall is
// an error.
func (s *source) read(first, second []byte, within bool) (int, error) {
	s.first, s.second, s.within, s.n, s.err = first, second, within, 0, nil
	err := s.raw.Read(s.step)
	s.first, s.second = nil, nil
	if within && s.watch != nil {
		s.watch.Stop()
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && s.stalled.Load():
		return 0, &wire.ConnectionError{Name: "truncated", Message: fmt.Sprintf("a frame did not continue for %v", stall)}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, errInterrupted
	case err != nil:
		return 0, err
	case s.err != nil:
		return 0, os.NewSyscallError("read", s.err)
	case s.n == 0:
		return 0, io.EOF
	}
	return s.n, nil
}

// try reads what is available. false makes the runtime wait until there is something.
func (s *source) try(fd uintptr) bool {
	s.n, s.err = readv(fd, s.first, s.second)
	if s.err != syscall.EAGAIN {
		return true
	}
	if s.ended.Load() {
		s.n, s.err = 0, nil
		return true
	}
	if s.within {
		s.watchStall()
	}
	return false
}

func (s *source) watchStall() {
	if s.watch != nil {
		s.watch.Reset(stall)
		return
	}
	s.watch = time.AfterFunc(stall, func() {
		s.stalled.Store(true)
		s.interrupt()
	})
}

// end notes that the plugin has exited. From now on, read returns io.EOF instead of waiting for more, because another
// process may keep the pipe open.
func (s *source) end() { s.ended.Store(true) }

func (s *source) interrupt() { _ = s.file.SetReadDeadline(time.Unix(1, 0)) }

func (s *source) resume() { _ = s.file.SetReadDeadline(time.Time{}) }

func (s *source) close() { _ = s.file.Close() }

// sink is a pipe to write to. One goroutine writes at a time.
type sink struct {
	file *os.File
	raw  syscall.RawConn
	step func(uintptr) bool

	once    func(fd uintptr) error // writes until done; EAGAIN when there is no room
	block   bool
	blocked func(int)
	waiting bool
	err     error

	vectors       func(fd uintptr) error
	first, second []byte
}

func (s *sink) open(file *os.File) (err error) {
	grow(file)
	s.file, s.step, s.vectors = file, s.try, s.writeVectors
	s.raw, err = file.SyscallConn()
	return err
}

// write writes first and then second. If block is true, it waits for room; otherwise it returns what is left of first.
// blocked is called with 1 before waiting and with -1 after it.
func (s *sink) write(first, second []byte, block bool, blocked func(int)) (rest []byte, err error) {
	s.first, s.second = first, second
	err = s.run(s.vectors, block, blocked)
	rest = s.first
	s.first, s.second = nil, nil
	return rest, err
}

func (s *sink) writeVectors(fd uintptr) error {
	for len(s.first)+len(s.second) > 0 {
		n, err := writev(fd, s.first, s.second)
		if err != nil {
			return err
		}
		head := min(n, len(s.first))
		s.first, s.second = s.first[head:], s.second[n-head:]
	}
	return nil
}

func (s *sink) run(once func(fd uintptr) error, block bool, blocked func(int)) error {
	s.once, s.block, s.blocked, s.err = once, block, blocked, nil
	err := s.raw.Write(s.step)
	if s.waiting {
		s.waiting = false
		_ = s.file.SetWriteDeadline(time.Time{})
		s.blocked(-1)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("nothing could be written for %v", stall)
	}
	return errors.Join(err, s.err)
}

// try writes as much as there is room for. false makes the runtime wait until there is more.
func (s *sink) try(fd uintptr) bool {
	err := s.once(fd)
	if err != syscall.EAGAIN {
		s.err = os.NewSyscallError("write", err)
		return true
	}
	if !s.block {
		return true
	}
	if !s.waiting {
		s.waiting = true
		s.blocked(1)
	}
	_ = s.file.SetWriteDeadline(time.Now().Add(stall)) // starts again whenever something was written
	return false
}

func (s *sink) close() { _ = s.file.Close() }
