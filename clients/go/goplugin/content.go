package goplugin

import (
	"errors"
	"io"

	"udist.dev/plugin/udist/internal/message"
	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// errUnwanted means that the plugin needs no more of the request.
var errUnwanted = errors.New("the rest of the request is not needed")

// sendContent sends the request's content and its end.
func (c *call) sendContent(length int64) {
	body := message.Body{Reader: c.request.Body, Length: length, Close: c.closeContent}
	err := body.Send(func() []byte { return *payloads.Get(wire.MaxData) }, c.sendPayload)
	_ = c.closeContent()
	if err == nil || errors.Is(err, errUnwanted) {
		return
	}
	select {
	case <-c.unwanted:
	default:
		c.bodyError = err
		c.cancel()
	}
}

// sendPayload sends a payload as credit allows. end marks the last one.
func (c *call) sendPayload(payload []byte, end bool) error {
	for {
		credit, err := c.reserve(len(payload))
		if err != nil {
			return err
		}
		part := &outgoing{data: payload[:credit:credit]}
		if credit == len(payload) {
			part.data = payload
		}
		payload = payload[credit:]
		last := len(payload) == 0
		if last && end {
			part.part.End = &pluginv1.End{Trailers: message.Fields(c.request.Trailer)}
		} else if credit == 0 {
			return nil
		}
		if err := c.send(part); err == io.EOF {
			return errUnwanted // the call has ended; its reader learns why
		} else if err != nil {
			return err
		}
		if last {
			return nil
		}
	}
}

// reserve waits for credit and returns how much of wanted it covers.
func (c *call) reserve(wanted int) (int, error) {
	for {
		c.transport.mu.Lock()
		credit := min(c.state.Credit(), wanted)
		c.state.Sent(credit)
		c.transport.mu.Unlock()
		if credit > 0 || wanted == 0 {
			return credit, nil
		}
		select {
		case <-c.credited:
		case <-c.unwanted:
			return 0, errUnwanted
		case <-c.stream.Context().Done():
			return 0, errUnwanted
		}
	}
}
