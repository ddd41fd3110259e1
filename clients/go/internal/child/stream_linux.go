package child

import (
	"os"
	"syscall"
)

// stream returns both ends of a child's standard input or output: a socket, because a process that writes to a pipe
// spins while the reader copies from it, and takes a processor from both.
func stream() (ours, theirs *os.File, err error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	_ = syscall.SetNonblock(ends[0], true) // NewFile then lets the runtime wait for it
	return os.NewFile(uintptr(ends[0]), "stream"), os.NewFile(uintptr(ends[1]), "stream"), nil
}

func input() (ours, theirs *os.File, err error)  { return stream() }
func output() (ours, theirs *os.File, err error) { return stream() }
