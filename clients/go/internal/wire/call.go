package wire

import (
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// CallCredit is how many payload bytes either side of a gRPC call can send before the other grants more (section 16).
const CallCredit = 64 << 10

// Call is the caller's state of one gRPC call. It performs no I/O and takes no locks.
type Call struct{ stream Stream }

// NewCall returns the state of a call that sends head, and grants so much credit with it.
func NewCall(budget *Budget, head *pluginv1.Request, granted int) (*Call, error) {
	if problem := requestProblem(head); problem != "" {
		return nil, refused("the request's %s", problem)
	}
	return &Call{stream: Stream{
		send:     sendWindow{credit: CallCredit},
		receive:  newReceiveWindow(budget, CallCredit+granted),
		bodiless: head.GetMethod() == "HEAD",
		expected: -1,
	}}, nil
}

// Receive takes in a message of the plugin, whose payload has data bytes and is not in part. After an error, which is a
// *StreamError, the call is to be canceled.
func (c *Call) Receive(part *pluginv1.RoundTripResponse, data int) error {
	s := &c.stream
	if part.Head == nil && part.Credit == 0 && part.End == nil && data == 0 {
		return brokenCall("a message with nothing in it")
	}
	if head := part.Head; head != nil {
		if !c.advance(inputHead, false) {
			return brokenCall("a second response")
		}
		problem := responseProblem(head)
		if problem == "" {
			problem = s.declare(head, false)
		}
		if problem != "" {
			return brokenCall("a response whose " + problem)
		}
	}
	if part.Credit != 0 {
		if err := s.send.grow(part.Credit); err != nil {
			return brokenCall(err.Error())
		}
	}
	if data > 0 {
		if !c.advance(inputData, false) {
			return brokenCall("data that may not come now")
		}
		if err := s.receive.receive(data); err != nil {
			return brokenCall(err.Error())
		}
		s.received += int64(data)
	}
	if part.End != nil {
		if !c.advance(inputEnd, true) {
			return brokenCall("an end that may not come now")
		}
		if problem := fieldsProblem(part.End.GetTrailers()); problem != "" {
			return brokenCall("a trailer: " + problem)
		}
		s.receive.end()
	}
	if problem := s.miscounted(); problem != "" {
		return brokenCall(problem)
	}
	return nil
}

// Status takes in the status of a call that ended without an error: the response must be complete.
func (c *Call) Status() error {
	if !c.Ended() {
		return brokenCall("the status OK before the end of its response")
	}
	return nil
}

// Ended reports whether the response is complete, but for the call's status.
func (c *Call) Ended() bool { return c.stream.Ended() }

// Consume notes that so many bytes of the response were read, and returns the credit to grant now, which is usually 0.
func (c *Call) Consume(n int) int { return c.stream.receive.consume(n) }

// Close notes that nobody will read the rest of the response.
func (c *Call) Close() { c.stream.receive.close() }

// Credit returns how many payload bytes can be sent now.
func (c *Call) Credit() int { return c.stream.send.credit }

// Sent notes that so many payload bytes, for which there is credit, are sent.
func (c *Call) Sent(n int) { c.stream.send.credit -= n }

func (c *Call) advance(by input, ends bool) bool {
	next, ok := transitions[step{c.stream.incoming, by, ends}]
	c.stream.incoming = next
	return ok
}

func brokenCall(problem string) error {
	return &StreamError{Code: pluginv1.Code_CODE_INTERNAL, Message: "the plugin sent " + problem}
}

const dataField = 15

// SplitPart returns where the payload begins in a message of length bytes that starts with start: where the fields
// before it end. ok is false if the message does not have the form in which it is sent, and must be parsed as a whole.
func SplitPart(start []byte, length int) (fields, payload int, ok bool) {
	at := 0
	for at < len(start) {
		number, kind, n := protowire.ConsumeTag(start[at:])
		if n < 0 {
			return 0, 0, false
		}
		if number != dataField || kind != protowire.BytesType {
			skipped := protowire.ConsumeFieldValue(number, kind, start[at+n:])
			if skipped < 0 {
				return 0, 0, false
			}
			at += n + skipped
			continue
		}
		size, n2 := protowire.ConsumeVarint(start[at+n:])
		begin := at + n + n2
		return at, begin, n2 > 0 && uint64(begin)+size == uint64(length)
	}
	return at, at, at == length
}

// DecodePart parses a message of the plugin, or what is before its payload.
func DecodePart(message []byte) (*pluginv1.RoundTripResponse, error) {
	part := &pluginv1.RoundTripResponse{}
	if err := known.Unmarshal(message, part); err != nil {
		return nil, brokenCall("bytes that are no message")
	}
	return part, nil
}

// EncodePart returns the bytes of a message whose payload, which is not in part, has data bytes and follows.
func EncodePart(part *pluginv1.RoundTripRequest, data int) ([]byte, error) {
	b, err := proto.Marshal(part)
	if err != nil {
		return nil, refused("the message cannot be encoded: %v", err)
	}
	if len(b) > MaxControl {
		return nil, refused("a message of %d bytes exceeds the limit of %d", len(b), MaxControl)
	}
	if data > 0 {
		b = protowire.AppendTag(b, dataField, protowire.BytesType)
		b = binary.AppendUvarint(b, uint64(data))
	}
	return b, nil
}
