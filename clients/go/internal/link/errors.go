package link

import (
	"errors"
	"fmt"
	"strings"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// ErrClosed is returned by Read after Close.
var ErrClosed = errors.New("read on a closed body")

// ErrUnwanted means that the rest of a request need not be sent, because the exchange has failed or its response is
// complete.
var ErrUnwanted = errors.New("the rest of the request is not needed")

// ResetError means that the plugin reset one exchange, or violated the protocol in it.
type ResetError struct {
	Code    pluginv1.Code
	Message string
	// Unprocessed is true if the application never saw the request.
	Unprocessed bool
}

func (e *ResetError) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return fmt.Sprintf("the plugin reset the request: %s", strings.TrimPrefix(e.Code.String(), "CODE_"))
}

// NotSentError means that nothing of a request was sent, so any request can be repeated.
type NotSentError struct{ Err error }

func (e *NotSentError) Error() string { return e.Err.Error() }

func (e *NotSentError) Unwrap() error { return e.Err }

// ExhaustedError means that the plugin accepts no more requests, although it may still respond to some.
type ExhaustedError struct{ Reason string }

func (e *ExhaustedError) Error() string { return "the plugin accepts no more requests: " + e.Reason }

// StuckError means that the plugin has stopped reading, but is still running.
type StuckError struct{ Err error }

func (e *StuckError) Error() string {
	return fmt.Sprintf("the plugin has stopped reading its input: %v", e.Err)
}

func (e *StuckError) Unwrap() error { return e.Err }

// GoAwayError means that the plugin refused to start.
type GoAwayError struct {
	Code    pluginv1.Code
	Message string
}

func (e *GoAwayError) Error() string { return e.Message }
