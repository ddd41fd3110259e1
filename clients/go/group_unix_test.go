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
	for _, test := range []struct {
		name, variable string
		config         udist.Config
		own            bool
	}{
		{"given", "", udist.Config{Command: []string{program}}, false},
		{"named", program, udist.Config{}, false},
		{"found", "", udist.Config{}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("UDIST_PLUGIN", test.variable)
			plugin := spawn(t, test.config)
			want := syscall.Getpgrp()
			if test.own {
				want = plugin.PID()
			}
			if group, err := syscall.Getpgid(plugin.PID()); err != nil || group != want {
				t.Errorf("in group %d, %v, want %d", group, err, want)
			}
		})
	}
}
