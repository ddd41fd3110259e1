package goplugin

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"udist.dev/plugin/udist"
	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// explain converts an error of a call to one of package udist.
func (c *call) explain(err error) error {
	var fault *wire.StreamError
	var local *wire.LocalError
	switch {
	case errors.As(err, &fault):
		return &udist.Error{Kind: udist.ErrProtocol, Code: nameOf(fault.Code), Message: fault.Message}
	case errors.As(err, &local):
		return &udist.Error{Kind: udist.ErrReset, Code: "INVALID_ARGUMENT", Message: local.Message}
	case c.outer.Err() != nil:
		return c.outer.Err()
	case c.bodyError != nil:
		return c.bodyError
	}
	told, ok := status.FromError(err)
	if !ok {
		return err
	}
	code := told.Code()
	failure := &udist.Error{
		Kind: udist.ErrReset, Code: nameOf(pluginv1.Code(code)), Message: told.Message(),
		Retryable: c.unprocessed() && code != codes.InvalidArgument,
	}
	switch code {
	case codes.Unavailable: // also what gRPC reports for a connection that is lost, or cannot be made
		failure.Kind = udist.ErrDied
		failure.Retryable = failure.Retryable || idempotent(c.request.Method)
	case codes.DeadlineExceeded:
		failure.Err = context.DeadlineExceeded
	}
	return failure
}

// unprocessed reports whether the plugin says that the application never saw the request.
func (c *call) unprocessed() bool {
	return c.stream != nil && len(c.stream.Trailer().Get("udist-unprocessed")) > 0
}

func nameOf(code pluginv1.Code) string { return strings.TrimPrefix(code.String(), "CODE_") }

// idempotent reports whether a request can be repeated although the plugin has started to process it.
func idempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}
