package link

import (
	"os"
	"syscall"
	"unsafe"
)

const setPipeSize = 1031 // F_SETPIPE_SZ (fcntl(2))

// pipeSize is the size to which the pipe is enlarged. With the default of 64 KiB, throughput is half as high.
const pipeSize = 1 << 20

// socketSize is the size that is asked for a socket's buffer. Linux allows no more by default, and doubles it.
const socketSize = 208 << 10

// grow asks for a larger pipe, or a larger buffer of a socket. It ignores errors, because the user's limit for pipes may
// be reached.
func grow(file *os.File) {
	raw, err := file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, pipeSize); errno != 0 {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, socketSize)
		}
	})
}

// readv reads once, into first and then second.
func readv(fd uintptr, first, second []byte) (int, error) {
	return vectored(syscall.SYS_READV, fd, first, second)
}

// writev writes once, from first and then second.
func writev(fd uintptr, first, second []byte) (int, error) {
	return vectored(syscall.SYS_WRITEV, fd, first, second)
}

func vectored(call, fd uintptr, first, second []byte) (int, error) {
	var vectors [2]syscall.Iovec
	count := 0
	for _, b := range [2][]byte{first, second} {
		if len(b) > 0 {
			vectors[count].Base = unsafe.SliceData(b)
			vectors[count].SetLen(len(b))
			count++
		}
	}
	for {
		n, _, errno := syscall.Syscall(call, fd, uintptr(unsafe.Pointer(&vectors)), uintptr(count))
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
