package child

import "os"

// Ending describes how a child has exited, if it has.
type Ending struct {
	Ended bool
	// State is nil if the child is still running, and also if another part of this program received its exit
	// status, either by reaping all children (wait4(-1), as PID 1 must) or by ignoring SIGCHLD.
	State *os.ProcessState
	// Forced is true if End had to send a signal.
	Forced bool
}

// Success reports whether the child exited with status 0. If the status is unknown, it reports whether the child
// exited without a signal from End.
func (e Ending) Success() bool {
	if e.State != nil {
		return e.State.Success()
	}
	return e.Ended && !e.Forced
}

func (e Ending) String() string {
	switch {
	case !e.Ended:
		return "is still running"
	case e.State == nil:
		return "ended; its exit status is unknown because another part of this program reaped it"
	}
	return "ended with " + e.State.String()
}
