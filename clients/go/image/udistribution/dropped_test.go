//go:build unix

package udistribution_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.podman.io/image/v5/transports"
	"udist.dev/plugin/udist/image/udistribution"
)

// recorded makes the plugins of a test write down their process IDs, and returns what reads them.
func recorded(t *testing.T) func() []int {
	file := filepath.Join(t.TempDir(), "pids")
	plugin := os.Getenv("UDIST_PLUGIN")
	t.Setenv("UDIST_PLUGIN", fmt.Sprintf("sh -c 'echo $$ >> %s; exec %s'", file, plugin))
	return func() (pids []int) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
		return pids
	}
}

// collected collects garbage until a process has ended.
func collected(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); syscall.Kill(pid, 0) == nil; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("the plugin of a dropped transport is still running")
		}
	}
}

// TestDropped: a transport that is dropped without Deregister ends its plugin, not while a reference is in use, and its
// name starts another.
func TestDropped(t *testing.T) {
	pids := recorded(t)
	ut, err := udistribution.NewTransportFromNewConfig(filesystem(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	name := ut.Name()
	ref := parse(t, name+"://alpine")
	ut = nil
	runtime.GC()
	runtime.GC()
	if _, err := udistribution.GetDigest(t.Context(), nil, ref); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("by the reference: %v", err)
	}
	if n := len(pids()); n != 1 {
		t.Errorf("%d plugins", n)
	}
	runtime.KeepAlive(ref)
	ref = nil
	collected(t, pids()[0])

	again := parse(t, name+"://alpine")
	if _, err := udistribution.GetDigest(t.Context(), nil, again); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("by the name: %v", err)
	}
	if n := len(pids()); n != 2 {
		t.Errorf("%d plugins", n)
	}
	transports.Delete(name)
	runtime.KeepAlive(again)
	again = nil
	collected(t, pids()[1])
}

// TestDroppedInMemory: what a transport stores in memory stays for as long as its name does.
func TestDroppedInMemory(t *testing.T) {
	pids := recorded(t)
	ut, err := udistribution.NewTransportFromNewConfig(inmemory, nil)
	if err != nil {
		t.Fatal(err)
	}
	name := ut.Name()
	ut = nil
	for range 5 {
		runtime.GC()
	}
	parse(t, name+"://alpine")
	if all := pids(); len(all) != 1 || syscall.Kill(all[0], 0) != nil {
		t.Errorf("plugins: %v", all)
	}
	transports.Delete(name)
	collected(t, pids()[0])
}
