package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// memory is what a registry's process had resident, in bytes.
type memory struct {
	Idle float64 `json:"idle"` // after its first response
	Peak float64 `json:"peak"`
}

// resident returns a line of a process's status in bytes.
func resident(pid int, line string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(err)
	_, rest, _ := strings.Cut(string(status), line+":")
	var kib float64
	_, err = fmt.Sscan(rest, &kib)
	must(err)
	return kib * 1024
}

// processor returns the processor time, user and system, that all threads of a process have used so far.
func processor(pid int) time.Duration {
	clock := int32(^pid)<<3 | 2 // as clock_getcpuclockid makes it
	var t syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		must(fmt.Errorf("the processor time of process %d: %w", pid, errno))
	}
	return time.Duration(t.Nano())
}
