package main

import (
	"os"
	"runtime"
	"syscall"
)

const noExec = 0x8 // ST_NOEXEC of statvfs(3)

func isNoExec(folder string) bool {
	var status syscall.Statfs_t
	return syscall.Statfs(folder, &status) == nil && status.Flags&noExec != 0
}

// syncfs is the number of the system call, which package syscall does not have.
var syncfs = map[string]uintptr{"amd64": 306, "arm64": 267}[runtime.GOARCH]

// syncAll brings all that is in the folder to the disk: a start after a power cut finds whole files or no folder.
func syncAll(folder string) error {
	opened, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer opened.Close()
	if _, _, number := syscall.Syscall(syncfs, opened.Fd(), 0, 0); number != 0 {
		return os.NewSyscallError("syncfs", number)
	}
	return nil
}
