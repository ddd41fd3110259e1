package child

import "os"

// Ending is how a child has ended, if it has.
type Ending struct {
	Ended bool
	// State is nil if the child has not ended, and also if its exit status went to another part of this program:
	// one that reaps every child (wait4(-1), as PID 1 must) or that ignores SIGCHLD.
	State *os.ProcessState
	// Forced says that End had to send a signal.
	Forced bool
}

// Success says that the child ended by itself, with status 0 as far as is known.
func (e Ending) Success() bool {
	if e.State != nil {
		return e.State.Success()
	}
	return e.Ended && !e.Forced
}

func (e Ending) String() string {
	switch {
	case !e.Ended:
		return "has not ended"
	case e.State == nil:
		return "ended; its exit status is unknown, because another part of this program reaped it"
	}
	return "ended with " + e.State.String()
}
