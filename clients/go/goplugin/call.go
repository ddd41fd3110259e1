package goplugin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"

	"google.golang.org/grpc"

	"udist.dev/plugin/udist/internal/message"
	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// call is one exchange. One goroutine reads the response. Another sends the request's content, if there is any.
type call struct {
	transport *Transport
	request   *http.Request
	outer     context.Context // the request's
	cancel    func()
	stream    grpc.ClientStream
	state     *wire.Call // guarded by transport.mu

	sending   sync.Mutex // held while a message is sent
	closing   sync.Once
	closed    error         // the result of closing the request's body
	credited  chan struct{} // has an element if credit has arrived since it was looked for
	unwanted  chan struct{} // closed when no more content is needed
	stopped   sync.Once
	bodyError error // what ended the request's body, set before the call is canceled

	granting sync.Mutex
	granted  int // credit that waits to be sent
}

// begin sends the request's head and returns once the response's has arrived.
func (c *call) begin(ctx context.Context) (*http.Response, error) {
	head := head(c.request)
	length := message.ContentLength(c.request)
	if c.request.Body == nil && c.request.ContentLength != 0 {
		return nil, fmt.Errorf("udist: Request.ContentLength is %d, but Body is nil", c.request.ContentLength)
	}
	var err error
	if c.state, err = wire.NewCall(c.transport.budget, head, firstCredit); err != nil {
		return nil, err
	}
	c.stream, err = c.transport.conn.NewStream(ctx, &roundTrip, roundTripMethod, withCodec)
	if err != nil {
		return nil, err
	}
	first := &outgoing{part: pluginv1.RoundTripRequest{Head: head, Credit: firstCredit}}
	empty := c.request.Body == nil || c.request.Body == http.NoBody
	if empty {
		first.part.End = &pluginv1.End{Trailers: message.Fields(c.request.Trailer)}
	} else {
		c.credited, c.unwanted = make(chan struct{}, 1), make(chan struct{})
	}
	if err := c.send(first); err != nil {
		return nil, err
	}
	if !empty {
		go c.sendContent(length)
	}
	return c.receiveHead()
}

func (c *call) receiveHead() (*http.Response, error) {
	for {
		part, err := c.receive()
		if err != nil {
			return nil, err
		}
		if part.part.Head == nil {
			continue // credit alone
		}
		response := message.Response(c.request, part.part.Head)
		response.Body = newBody(c, response, part)
		return response, nil
	}
}

// receive returns the next message. It is an error if there is none.
func (c *call) receive() (*incoming, error) {
	part := &incoming{}
	if err := c.stream.RecvMsg(part); err != nil {
		c.stop()
		if err == io.EOF {
			c.transport.mu.Lock()
			defer c.transport.mu.Unlock()
			if err := c.state.Status(); err != nil {
				return nil, err
			}
		}
		return nil, err
	}
	length := 0
	if part.data != nil {
		length = part.data.Remaining()
	}
	c.transport.mu.Lock()
	err := c.state.Receive(part.part, length)
	ended := c.state.Ended()
	c.transport.mu.Unlock()
	if ended {
		c.stop()
	}
	if err != nil {
		if part.data != nil {
			_ = part.data.Close()
		}
		c.cancel()
		return nil, err
	}
	if part.part.Credit > 0 && c.credited != nil {
		select {
		case c.credited <- struct{}{}:
		default:
		}
	}
	return part, nil
}

// consume notes that content was read, and grants credit if enough is free.
func (c *call) consume(n int) {
	c.transport.mu.Lock()
	credit := c.state.Consume(n)
	c.transport.mu.Unlock()
	if credit == 0 {
		return
	}
	c.granting.Lock()
	waiting := c.granted > 0
	c.granted += credit
	c.granting.Unlock()
	if !waiting {
		go c.grant() // the reader must not wait behind content that the plugin does not read
	}
}

func (c *call) grant() {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.granting.Lock()
	credit := c.granted
	c.granted = 0
	c.granting.Unlock()
	_ = c.stream.SendMsg(&outgoing{part: pluginv1.RoundTripRequest{Credit: uint32(credit)}}) // the reader learns why
}

func (c *call) send(message *outgoing) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.stream.SendMsg(message)
}

// stop ends the sending of content.
func (c *call) stop() {
	if c.unwanted != nil {
		c.stopped.Do(func() {
			close(c.unwanted)
			c.closeContent() // a body that blocks must not keep its goroutine alive
		})
	}
}

// close gives up what is left of the response.
func (c *call) close() {
	c.cancel()
	c.stop()
	c.transport.mu.Lock()
	c.state.Close()
	c.transport.mu.Unlock()
}

// closeContent closes the request's body once.
func (c *call) closeContent() error {
	c.closing.Do(func() {
		if c.request.Body != nil {
			c.closed = c.request.Body.Close()
		}
	})
	return c.closed
}
