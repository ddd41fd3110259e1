package link

import (
	"errors"
	"fmt"
	"strings"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// ErrClosed is what reading gives after Close.
var ErrClosed = errors.New("read on a closed body")

// ErrUnwanted says that the rest of a request is not wanted: the exchange has failed, or its response has
// ended.
var ErrUnwanted = errors.New("the rest of the request is not wanted")

// ResetError is the end of one exchange that the plugin made, or that a fault of the plugin did.
type ResetError struct {
	Code    pluginv1.Code
	Message string
	// Unprocessed says that the application never saw the request.
	Unprocessed bool
}

func (e *ResetError) Error() string {
	if e.Message != "" {
		return e.Message
	}
	return fmt.Sprintf("the plugin reset the exchange: %s", strings.TrimPrefix(e.Code.String(), "CODE_"))
}

// NotSentError says that a request was never begun, so anything may be repeated.
type NotSentError struct{ Err error }

func (e *NotSentError) Error() string { return e.Err.Error() }

func (e *NotSentError) Unwrap() error { return e.Err }

// ExhaustedError says that the plugin takes no more requests, though it may still answer some.
type ExhaustedError struct{ Reason string }

func (e *ExhaustedError) Error() string { return "the plugin takes no more requests: " + e.Reason }

// StuckError says that the plugin reads no more, though it has not ended.
type StuckError struct{ Err error }

func (e *StuckError) Error() string { return fmt.Sprintf("the plugin reads no more: %v", e.Err) }

func (e *StuckError) Unwrap() error { return e.Err }

// GoAwayError is the plugin's refusal to start.
type GoAwayError struct {
	Code    pluginv1.Code
	Message string
}

func (e *GoAwayError) Error() string { return e.Message }
