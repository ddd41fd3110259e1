package wire

import (
	"fmt"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// ConnectionError is a violation of the protocol by the peer that ends the connection. Name is from section 8.
type ConnectionError struct {
	Name    string
	Message string
}

func (e *ConnectionError) Error() string { return e.Message }

func broken(name, format string, args ...any) error {
	return &ConnectionError{Name: name, Message: fmt.Sprintf(format, args...)}
}

// Truncated is the error of a peer that ended within a frame. missing is how many bytes of it are missing, or 0 if
// unknown.
func Truncated(missing int) error {
	if missing == 0 {
		return broken("truncated", "the stream ended within a frame")
	}
	return broken("truncated", "the stream ended within a frame, %d bytes short", missing)
}

// StreamError is a violation of the protocol by the peer that ends one stream. The connection owes the reset.
type StreamError struct {
	Stream  *Stream
	Code    pluginv1.Code
	Message string
}

func (e *StreamError) Error() string { return e.Message }

// LocalError means that this side was asked to violate the protocol, and refused.
type LocalError struct{ Message string }

func (e *LocalError) Error() string { return e.Message }

func refused(format string, args ...any) error {
	return &LocalError{Message: fmt.Sprintf(format, args...)}
}
