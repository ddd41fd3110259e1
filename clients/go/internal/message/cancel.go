package message

import (
	"context"
	"net/http"
)

// Context returns the request's context, which is also canceled when the request's Cancel channel is closed;
// http.Client.Timeout still uses that channel. Call done when the exchange is over.
func Context(request *http.Request) (ctx context.Context, done func()) {
	canceled := request.Cancel //lint:ignore SA1019 callers may set it
	if canceled == nil {
		return request.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(request.Context())
	go func() {
		select {
		case <-canceled:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
