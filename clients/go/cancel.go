package udist

import (
	"context"
	"net/http"
)

// contextOf is a request's context, which also ends when the request's Cancel channel is closed: http.Client.Timeout
// still uses it. done must be called once the exchange is over.
func contextOf(request *http.Request) (ctx context.Context, done func()) {
	cancelled := request.Cancel //lint:ignore SA1019 callers may set it
	if cancelled == nil {
		return request.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(request.Context())
	go func() {
		select {
		case <-cancelled:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
