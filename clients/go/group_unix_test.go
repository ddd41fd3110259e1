//go:build unix

package udist_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"udist.dev/plugin/udist"
)

// TestProcessGroup: Ctrl-C is not to reach a plugin of the library's own choice, but is to reach the user's.
func TestProcessGroup(t *testing.T) {
	folder := t.TempDir()
	program := filepath.Join(folder, "udist-plugin")
	writeProgram(t, program, "#!/bin/sh\nexec '"+fake(t)[0]+"' fake-plugin\n")
	t.Setenv("PATH", folder+":"+os.Getenv("PATH"))
	given := spawn(t, udist.Config{Command: []string{program}})
	if group, err := syscall.Getpgid(given.PID()); err != nil || group != syscall.Getpgrp() {
		t.Errorf("a given command is in group %d, %v, want this process's", group, err)
	}
	t.Setenv("UDIST_PLUGIN", program)
	named := spawn(t, udist.Config{})
	if group, err := syscall.Getpgid(named.PID()); err != nil || group != syscall.Getpgrp() {
		t.Errorf("what UDIST_PLUGIN names is in group %d, %v, want this process's", group, err)
	}
	t.Setenv("UDIST_PLUGIN", "")
	found := spawn(t, udist.Config{})
	if group, err := syscall.Getpgid(found.PID()); err != nil || group != found.PID() {
		t.Errorf("what was found is in group %d, %v, want its own", group, err)
	}
}
