package embedded

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

const (
	closeOnExec   = 0x1  // MFD_CLOEXEC
	allowSealing  = 0x2  // MFD_ALLOW_SEALING
	mayBeExecuted = 0x10 // MFD_EXEC, since Linux 6.3

	addSeals = 1033 // F_ADD_SEALS
	allSeals = 0xf  // F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW and F_SEAL_WRITE
)

// memfdCreate is the number of the system call, by GOARCH.
var memfdCreate = map[string]uintptr{"amd64": 319, "arm64": 279}

// memory is the file that load has made.
var memory struct {
	sync.Mutex
	file *os.File
}

// load returns the path of a copy of the plugin in memory, which lasts as long as this process. added is true for the
// first call.
func (p Plugin) load() (path string, added bool, err error) {
	memory.Lock()
	defer memory.Unlock()
	if memory.file == nil {
		if memory.file, err = p.copyToMemory(); err != nil {
			return "", false, err
		}
		added = true
	}
	return fmt.Sprintf("/proc/self/fd/%d", memory.file.Fd()), added, nil
}

func (p Plugin) copyToMemory() (*os.File, error) {
	if err := p.verify(); err != nil {
		return nil, err
	}
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		return nil, err
	}
	number, known := memfdCreate[runtime.GOARCH]
	if !known {
		return nil, fmt.Errorf("memfd_create: not known for %s", runtime.GOARCH)
	}
	label, err := syscall.BytePtrFromString(role)
	if err != nil {
		return nil, err
	}
	fd, _, failure := syscall.Syscall(number, uintptr(unsafe.Pointer(label)), closeOnExec|allowSealing|mayBeExecuted, 0)
	if failure == syscall.EINVAL {
		fd, _, failure = syscall.Syscall(number, uintptr(unsafe.Pointer(label)), closeOnExec|allowSealing, 0)
	}
	if failure != 0 {
		return nil, os.NewSyscallError("memfd_create", failure)
	}
	file := os.NewFile(fd, role)
	if _, err := file.WriteString(p.Program); err != nil {
		_ = file.Close()
		return nil, err
	}
	if _, _, failure := syscall.Syscall(syscall.SYS_FCNTL, fd, addSeals, allSeals); failure != 0 {
		_ = file.Close()
		return nil, os.NewSyscallError("fcntl", failure)
	}
	return file, nil
}
