package udist

import (
	"errors"
	"os"
)

// The kinds of failure, for use with [errors.Is].
var (
	// ErrNotFound means that the plugin could not be found or started.
	ErrNotFound = errors.New("plugin not found")
	// ErrHandshake means that the spawned program is not a plugin, or rejected its configuration.
	ErrHandshake = errors.New("handshake failed")
	// ErrDied means that the plugin has exited, or no longer responds.
	ErrDied = errors.New("plugin died")
	// ErrProtocol means that the plugin violated the protocol.
	ErrProtocol = errors.New("protocol violated")
	// ErrReset means that the plugin aborted one request.
	ErrReset = errors.New("request reset")
	// ErrGoingAway means that the plugin does not accept any more requests.
	ErrGoingAway = errors.New("plugin going away")
	// ErrRedirect means that the store could not be reached, or did not return the content.
	ErrRedirect = errors.New("redirect failed")
	// ErrClosed means that Close was called.
	ErrClosed = errors.New("plugin closed")
)

// Error is a failure below HTTP, of the start of a plugin or of one request. HTTP responses are not errors,
// whatever their status. If the context of a request ends, the error is context.Canceled or
// context.DeadlineExceeded instead.
type Error struct {
	// Kind is one of the variables above.
	Kind error
	// Code is the name of a gRPC status code, such as "UNAVAILABLE".
	Code string
	// Message says what happened and what to do about it.
	Message string
	// Retryable reports whether the request can be repeated without doing anything twice, and may then
	// succeed: either the application never saw it, or the plugin died and the method is idempotent (RFC 9110,
	// section 9.2.2). The request needs a fresh body, and a new plugin if the old one died; see Config.Restart.
	Retryable bool
	// State describes how the plugin exited. It is nil if the plugin is still running, and if another part of
	// this program received the exit status, such as a reaper of child processes.
	State *os.ProcessState
	// Stderr holds the last lines of the plugin's standard error.
	Stderr string
	// Err is the underlying error, if any.
	Err error
}

func (e *Error) Error() string {
	text := "udist: " + e.Message
	if e.Stderr != "" {
		text += "; its standard error ends with:\n" + e.Stderr
	}
	return text
}

// Is reports whether target is the error's Kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether a deadline passed, as in [net.Error].
func (e *Error) Timeout() bool { return e.Code == "DEADLINE_EXCEEDED" }

// ExitCode returns the exit code of the plugin, or -1 if it was killed by a signal, is still running, or its exit
// status is unknown.
func (e *Error) ExitCode() int {
	if e.State == nil {
		return -1
	}
	return e.State.ExitCode()
}
