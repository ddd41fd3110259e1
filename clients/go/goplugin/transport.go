package goplugin

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"google.golang.org/grpc"

	"udist.dev/plugin/udist"
	"udist.dev/plugin/udist/internal/message"
	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// memory is how many bytes the windows of all responses can grow by, and firstCredit what each response may have sent
// beyond what it may at once.
const (
	memory      = 128 << 20
	firstCredit = wire.InitialCredit - wire.CallCredit
)

const userAgent = "udist-go-grpc/" + udist.Version

const roundTripMethod = "/udist.plugin.v1.PluginService/RoundTrip"

var roundTrip = grpc.StreamDesc{StreamName: "RoundTrip", ServerStreams: true, ClientStreams: true}

// Transport implements [http.RoundTripper] for a plugin. It can be used by many goroutines at once.
type Transport struct {
	conn   grpc.ClientConnInterface
	mu     sync.Mutex // guards budget, and so the windows of all calls
	budget *wire.Budget
}

// NewTransport returns the transport of a connection to the plugin's socket.
func NewTransport(conn grpc.ClientConnInterface) *Transport {
	return &Transport{conn: conn, budget: wire.NewBudget(memory)}
}

// RoundTrip implements [http.RoundTripper]. An error below HTTP is an [*udist.Error], unless the request's context has
// ended.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL == nil {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, errors.New("udist: nil Request.URL")
	}
	outer, done := message.Context(request)
	ctx, cancel := context.WithCancel(outer)
	c := &call{transport: t, request: request, outer: outer, cancel: func() { cancel(); done() }}
	response, err := c.begin(ctx)
	if err != nil {
		c.cancel()
		c.closeContent()
		return nil, c.explain(err)
	}
	return response, nil
}

// head returns a request's head in the form in which calls have it: they have gRPC's deadline.
func head(request *http.Request) *pluginv1.Request {
	head := message.RequestHead(request, request.URL.RequestURI(), userAgent)
	head.TimeoutMs = 0
	return head
}
