package udist

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"udist.dev/plugin/udist/internal/pluginv1"
)

const canShareFiles = true

// openProcess opens the folder in /proc of a process of this user.
func openProcess(pid int) (*os.File, error) {
	process, err := os.Open(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return nil, err
	}
	info, err := process.Stat()
	if err == nil && info.Sys().(*syscall.Stat_t).Uid != uint32(os.Geteuid()) {
		err = errors.New("it runs as another user")
	}
	if err != nil {
		_ = process.Close()
		return nil, err
	}
	return process, nil
}

// open opens a file that the plugin has open.
func (f *peerFiles) open(told *pluginv1.File) (file *os.File, err error) {
	connection, err := f.process.SyscallConn()
	if err != nil {
		return nil, err
	}
	used := connection.Control(func(process uintptr) {
		file, err = openTold(fmt.Sprintf("/proc/self/fd/%d/fd/%d", process, told.GetFd()), told)
	})
	return file, errors.Join(err, used)
}

// openTold opens path, which must be the file that the plugin described. It checks that before opening it, because
// opening a device may have effects, and afterwards.
func openTold(path string, told *pluginv1.File) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil {
		err = check(info, told)
	}
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	if info, err = file.Stat(); err == nil {
		err = check(info, told)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func check(info os.FileInfo, told *pluginv1.File) error {
	status := info.Sys().(*syscall.Stat_t)
	size := told.GetSize()
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("descriptor %d is not a regular file", told.GetFd())
	case uint64(status.Dev) != told.GetDevice() || status.Ino != told.GetInode() || uint64(info.Size()) != size:
		return fmt.Errorf("descriptor %d is another file", told.GetFd())
	case told.GetOffset() > size || told.GetLength() > size-told.GetOffset():
		return fmt.Errorf("the file has %d bytes, but not %d at %d", size, told.GetLength(), told.GetOffset())
	}
	return nil
}

// describe describes length bytes of an open file from offset on, or returns nil if it is not open for reading.
func describe(file *os.File, offset, length int64) (told *pluginv1.File) {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	connection, err := file.SyscallConn()
	if err != nil {
		return nil
	}
	status := info.Sys().(*syscall.Stat_t)
	_ = connection.Control(func(descriptor uintptr) {
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, descriptor, syscall.F_GETFL, 0)
		if errno != 0 || flags&syscall.O_ACCMODE == syscall.O_WRONLY {
			return
		}
		told = &pluginv1.File{
			Fd: uint32(descriptor), Offset: uint64(offset), Length: uint64(length),
			Device: uint64(status.Dev), Inode: status.Ino, Size: uint64(info.Size()),
		}
	})
	return told
}
