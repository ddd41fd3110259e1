//go:build unix

package udist_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"udist.dev/plugin/udist"
)

func init() {
	programs["reaping"] = func() {
		go reap()
		for range 20 {
			besideReaper("")
		}
	}
	programs["ignoring-children"] = func() {
		signal.Ignore(syscall.SIGCHLD)
		besideReaper("its exit status is unknown")
	}
}

// reap takes the exit status of whatever child ends, as PID 1 of a container must.
func reap() {
	for {
		var status syscall.WaitStatus
		if _, err := syscall.Wait4(-1, &status, 0, nil); err != nil {
			time.Sleep(time.Millisecond) // there is no child: nothing tells when there is one
		}
	}
}

// besideReaper prints what goes wrong where the exit status of a plugin may go to somebody else; says is what the
// error of a plugin that was killed must say.
func besideReaper(says string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	command := []string{os.Args[0], "fake-plugin"}
	plugin, err := udist.Spawn(ctx, udist.Config{Command: command})
	if err == nil {
		err = plugin.Close()
	}
	if err != nil {
		fmt.Println("a plugin that ends well:", err)
	}

	plugin, err = udist.Spawn(ctx, udist.Config{Command: command})
	if err == nil {
		err = errors.Join(syscall.Kill(plugin.PID(), syscall.SIGKILL), plugin.Wait())
	}
	var told *udist.Error
	if !errors.As(err, &told) || told.Kind != udist.ErrDied || told.ExitCode() != -1 || !strings.Contains(told.Message, says) {
		fmt.Printf("a plugin that is killed: %v\n", err)
	}
	if err := plugin.Close(); err != nil {
		fmt.Println("after its death:", err)
	}

	_, err = udist.Spawn(ctx, udist.Config{Command: []string{"sh", "-c", "echo a last word >&2; exit 3"}})
	if !errors.As(err, &told) || told.Kind != udist.ErrDied || told.Stderr != "a last word" {
		fmt.Println("a plugin that does not start:", err)
	}

	_, err = udist.Spawn(ctx, udist.Config{Command: []string{os.Args[0] + "-is-not-there"}})
	if !errors.Is(err, udist.ErrNotFound) {
		fmt.Println("a plugin that is not there:", err)
	}
}

// TestReaper runs in programs that take the exit status of the plugin away: no panic, and the same errors.
func TestReaper(t *testing.T) {
	for _, program := range []string{"reaping", "ignoring-children"} {
		t.Run(program, func(t *testing.T) {
			text, err := exec.Command(fake(t)[0], program).CombinedOutput()
			if err != nil || len(text) > 0 {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}
