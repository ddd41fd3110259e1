package wire

import "udist.dev/plugin/udist/internal/pluginv1"

// half is the state of one direction of a stream.
type half uint8

const (
	halfHead half = iota
	halfContent
	halfDone
)

func (h half) String() string {
	return [...]string{"waits for its head", "has begun", "has ended"}[h]
}

// input is what can happen in one direction.
type input uint8

const (
	inputHead input = iota
	inputData
	inputEnd
)

func (i input) String() string { return [...]string{"a head", "data", "an end"}[i] }

type step struct {
	from half
	by   input
	ends bool
}

// transitions maps each step to the next state. Any other step is an error by its sender.
var transitions = map[step]half{
	{halfHead, inputHead, false}:    halfContent,
	{halfHead, inputHead, true}:     halfDone,
	{halfContent, inputData, false}: halfContent,
	{halfContent, inputData, true}:  halfDone,
	{halfContent, inputEnd, true}:   halfDone,
}

// Stream is the state of one HTTP exchange. It has two halves, each of which goes from head to content to done.
type Stream struct {
	// ID is odd, and higher than the IDs of all earlier streams.
	ID uint32
	// Owner is set by the user of the connection.
	Owner any

	incoming, outgoing half
	send               sendWindow
	receive            receiveWindow
	bodiless           bool
	acceptsFile        bool
	expected           int64 // incoming content-length, -1 if unknown
	received           int64
	reset              *pluginv1.Reset
	owed               uint32 // credit to announce
}

// Ended reports whether the response is complete.
func (s *Stream) Ended() bool { return s.incoming == halfDone }

// Sent reports whether the request has been sent completely.
func (s *Stream) Sent() bool { return s.outgoing == halfDone }

// Reset returns how the stream was reset, or nil. If the plugin reset it with OK before the end of the response, the
// code is INTERNAL.
func (s *Stream) Reset() *pluginv1.Reset { return s.reset }

// Credit returns how many payload bytes can be sent now.
func (s *Stream) Credit() int { return s.send.credit }

func (s *Stream) done() bool { return s.incoming == halfDone && s.outgoing == halfDone }
