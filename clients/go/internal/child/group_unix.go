//go:build unix

package child

import (
	"os"
	"os/exec"
	"syscall"
)

func setGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func terminate(process *os.Process) { _ = process.Signal(syscall.SIGTERM) }
