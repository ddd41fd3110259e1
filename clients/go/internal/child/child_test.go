//go:build unix

package child

import (
	"os/exec"
	"testing"
	"testing/synctest"
	"time"
)

// TestUnendable gives up on a child that cannot be ended, such as another user's process, in bounded time.
func TestUnendable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		p := &Process{cmd: cmd, exited: make(chan struct{})}
		begin := time.Now()
		if ending := p.End(10 * time.Second); ending.Ended || ending.Success() || ending.String() != "is still running" {
			t.Errorf("%v", ending)
		}
		if took := time.Since(begin); took != 14*time.Second {
			t.Errorf("took %v", took)
		}
		if err := cmd.Wait(); err == nil || err.Error() != "signal: terminated" {
			t.Errorf("%v, want its end by the first signal", err)
		}
	})
}
