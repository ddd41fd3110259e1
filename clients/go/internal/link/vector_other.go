//go:build unix && !linux

package link

import (
	"os"
	"syscall"
)

func grow(*os.File) {}

// readv reads once, only into first.
func readv(fd uintptr, first, _ []byte) (int, error) {
	return again(func() (int, error) { return syscall.Read(int(fd), first) })
}

// writev writes once, from the first buffer that is not empty.
func writev(fd uintptr, first, second []byte) (int, error) {
	if len(first) == 0 {
		first = second
	}
	return again(func() (int, error) { return syscall.Write(int(fd), first) })
}

func again(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
