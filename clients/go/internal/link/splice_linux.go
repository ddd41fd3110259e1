package link

import (
	"fmt"
	"os"
	"sync"
	"syscall"

	"udist.dev/plugin/udist/internal/wire"
)

const spliceNonblock = 2 // SPLICE_F_NONBLOCK (splice(2))

// stage is a private pipe into which part of a file is spliced before the writer's turn. So a frame's length is the
// length that is really there, and once started, a frame waits only for its reader and never for a disk.
type stage struct{ read, write int }

func newStage() (*stage, error) {
	var ends [2]int
	if err := syscall.Pipe2(ends[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	_, _, _ = syscall.Syscall(syscall.SYS_FCNTL, uintptr(ends[1]), setPipeSize, wire.MaxData)
	return &stage{read: ends[0], write: ends[1]}, nil
}

func (s *stage) close() {
	_ = syscall.Close(s.read)
	_ = syscall.Close(s.write)
}

// fill splices up to length bytes from offset, or from the file's position if offset is nil. staged is 0 at the end of
// the file.
func (s *stage) fill(file *os.File, offset *int64, length int) (staged int, err error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return 0, err
	}
	control := raw.Control(func(fd uintptr) {
		for staged < length {
			n, failure := syscall.Splice(int(fd), offset, s.write, nil, length-staged, spliceNonblock)
			switch {
			case failure == syscall.EINTR:
				continue
			case failure == syscall.EAGAIN && staged > 0: // the pipe is full: every page takes a slot, even a partly used one
				return
			case failure != nil && staged == 0:
				err = os.NewSyscallError("splice", failure)
				return
			case failure != nil || n == 0:
				return
			}
			staged += int(n)
		}
	})
	if err == nil {
		err = control
	}
	return staged, err
}

// splice moves the staged bytes to the sink.
func (s *sink) splice(from *stage, staged int, blocked func(int)) error {
	return s.run(func(fd uintptr) error {
		for staged > 0 {
			n, err := syscall.Splice(from.read, nil, int(fd), nil, staged, spliceNonblock)
			if err == syscall.EINTR {
				continue
			}
			if err != nil {
				return err
			}
			staged -= int(n)
		}
		return nil
	}, true, blocked)
}

// stagesKept is enough for several pushes. Each stage uses up to 1 MiB of the user's limit for pipes.
const stagesKept = 4

// stages holds the unused stages of a link.
type stages struct {
	mu     sync.Mutex
	free   []*stage
	closed bool
}

func (s *stages) take() (*stage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.free) - 1; last >= 0 {
		taken := s.free[last]
		s.free = s.free[:last]
		return taken, nil
	}
	return newStage()
}

// giveBack keeps a stage for the next file if it is empty.
func (s *stages) giveBack(given *stage, empty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if empty && !s.closed && len(s.free) < stagesKept {
		s.free = append(s.free, given)
		return
	}
	given.close()
}

func (s *stages) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, free := range s.free {
		free.close()
	}
	s.free, s.closed = nil, true
}

// SendFile sends length bytes of file from offset, or from its position if offset is nil, without copying them into
// this process. A length of -1 means the rest of the file. If last is true, that ends the request. handled is how
// many bytes were sent; if the error is a *os.SyscallError, the rest can be sent in another way.
func (e *Exchange) SendFile(file *os.File, offset *int64, length int64, last bool) (handled int64, err error) {
	stage, err := e.link.stages.take()
	if err != nil {
		return 0, err
	}
	empty := true
	defer func() { e.link.stages.giveBack(stage, empty) }()
	for handled != length {
		credit, err := e.Credit()
		if err != nil {
			return handled, err
		}
		if length >= 0 {
			credit = int(min(int64(credit), length-handled))
		}
		staged, err := stage.fill(file, offset, credit)
		if err != nil {
			return handled, err
		}
		if staged == 0 {
			break
		}
		empty = false
		handled += int64(staged)
		err = e.sendFrame(staged, last && handled == length, func(head []byte) error {
			if err := e.link.out.write(head, nil); err != nil {
				return err
			}
			return e.link.out.sink.splice(stage, staged, e.link.out.blocked)
		})
		if err != nil {
			return handled, err
		}
		empty = true
	}
	switch {
	case length >= 0 && handled < length:
		return handled, fmt.Errorf("%s was truncated: %d bytes are missing", file.Name(), length-handled)
	case length < 0 && last:
		return handled, e.Send(nil, true)
	}
	return handled, nil
}
