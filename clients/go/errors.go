package udist

import (
	"errors"
	"os"
)

// What kind of failure an *Error is; for errors.Is.
var (
	// ErrNotFound: there is no plugin to spawn.
	ErrNotFound = errors.New("plugin not found")
	// ErrHandshake: what was spawned is no plugin, or one that refused its configuration.
	ErrHandshake = errors.New("handshake failed")
	// ErrDied: the plugin has ended, or reads and writes no more.
	ErrDied = errors.New("plugin died")
	// ErrProtocol: the plugin broke the protocol.
	ErrProtocol = errors.New("protocol broken")
	// ErrReset: the plugin gave up one exchange.
	ErrReset = errors.New("exchange reset")
	// ErrGoingAway: the plugin takes no more requests.
	ErrGoingAway = errors.New("plugin going away")
	// ErrRedirect: the store that has the content could not be reached, or did not give it.
	ErrRedirect = errors.New("redirect failed")
	// ErrClosed: the plugin was closed by Close.
	ErrClosed = errors.New("plugin closed")
)

// Error is a failure below HTTP: of a plugin's start, or of one exchange. Answers of HTTP, of whatever
// status, are no errors, and the end of a request's context is context.Canceled or
// context.DeadlineExceeded.
type Error struct {
	// Kind is one of the kinds above.
	Kind error
	// Code is a gRPC status code's name, as in "UNAVAILABLE".
	Code string
	// Message says what happened, and what to do.
	Message string
	// Retryable says that the request can be repeated without doing anything twice, and may then go better: it
	// never reached the application, or the plugin has died and the method is idempotent (RFC 9110, section
	// 9.2.2). A body must be there again, and if the plugin has died a new one: see Config.Restart.
	Retryable bool
	// State is how the plugin's process ended, nil if it has not.
	State *os.ProcessState
	// Stderr is the last lines of the plugin's standard error.
	Stderr string
	// Err is the cause, if there is one beyond Message.
	Err error
}

func (e *Error) Error() string {
	text := "udist: " + e.Message
	if e.Stderr != "" {
		text += "; its standard error ends with:\n" + e.Stderr
	}
	return text
}

// Is tells whether target is the error's Kind.
func (e *Error) Is(target error) bool { return target == e.Kind }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout tells whether a deadline was over, as net.Error wants it.
func (e *Error) Timeout() bool { return e.Code == "DEADLINE_EXCEEDED" }

// ExitCode is the status that the plugin's process ended with: -1 for a signal, or if it has not ended.
func (e *Error) ExitCode() int {
	if e.State == nil {
		return -1
	}
	return e.State.ExitCode()
}
