package wire

import (
	"cmp"
	"slices"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// Connection is the caller's state of one connection.
//
// Nothing here performs I/O or takes locks. The user of a connection passes in each frame that arrives and handles the
// resulting event, and gets the bytes of each frame to send, in the order in which they must be sent. TakeControl
// returns the control frames that are owed. Their number is bounded: one window update per stream, one pong, and the
// resets of canceled streams, of which there are at most as many as slots.
//
// A stream that the caller has canceled still counts as open until the plugin's last frame about it (section 4): only
// then is the worker that served it free.
type Connection struct {
	streams   map[uint32]*Stream
	givenUp   map[uint32]struct{}
	highestID uint32
	peer      *pluginv1.Settings
	goingAway *pluginv1.GoAway
	budget    Budget
	consumed  int

	updates []*Stream
	pong    *pluginv1.Ping
	resets  [][]byte
}

// NewConnection returns a connection whose windows together can grow by memory bytes beyond their initial credit.
func NewConnection(memory int) *Connection {
	return &Connection{
		streams: map[uint32]*Stream{},
		givenUp: map[uint32]struct{}{},
		budget:  Budget{left: memory},
	}
}

// Peer returns the plugin's settings, or nil if they have not arrived yet.
func (c *Connection) Peer() *pluginv1.Settings { return c.peer }

// GoingAway returns the plugin's go_away, or nil if there is none.
func (c *Connection) GoingAway() *pluginv1.GoAway { return c.goingAway }

// Slots returns how many streams count as open.
func (c *Connection) Slots() int { return len(c.streams) + len(c.givenUp) }

// CanOpen reports whether the plugin has a slot for one more stream.
func (c *Connection) CanOpen() bool {
	return c.Slots() < max(InitialStreams, int(c.peer.GetMaxStreams()))
}

// Exhausted reports whether no more streams can be opened, because all IDs have been used or the plugin is going away.
func (c *Connection) Exhausted() bool { return c.UsedUp() || c.goingAway != nil }

// UsedUp reports whether all stream IDs have been used, so that a new plugin is needed.
func (c *Connection) UsedUp() bool { return c.highestID >= MaxStreamID-1 }

// Streams calls do for every open stream; do must not open or end any.
func (c *Connection) Streams(do func(*Stream)) {
	for _, stream := range c.streams {
		do(stream)
	}
}

// Idle reports whether no stream is open.
func (c *Connection) Idle() bool { return len(c.streams) == 0 }

// Settings returns the bytes of the first frame.
func (c *Connection) Settings(settings *pluginv1.Settings) ([]byte, error) {
	return Encode(&pluginv1.Frame{Body: &pluginv1.Frame_Settings{Settings: settings}})
}

// Open returns a new stream and the bytes of its request. Beyond the first streams, it sets the request's initial credit
// to SmallCredit, so that many unread streams take little memory.
func (c *Connection) Open(request *pluginv1.Request, end bool) (*Stream, []byte, error) {
	if problem := requestProblem(request); problem != "" {
		return nil, nil, refused("the request's %s", problem)
	}
	if !c.CanOpen() || c.Exhausted() {
		return nil, nil, refused("no stream can be opened now")
	}
	if c.Slots() >= InitialStreams && slices.Contains(c.peer.GetCapabilities(), DeclaredCredit) {
		request.InitialCredit = SmallCredit
	}
	credit := cmp.Or(int(request.GetInitialCredit()), InitialCredit)
	id := c.highestID + 1 + c.highestID&1
	frame, err := Encode(&pluginv1.Frame{
		StreamId: id, EndStream: end, Body: &pluginv1.Frame_Request{Request: request},
	})
	if err != nil {
		return nil, nil, err
	}
	stream := &Stream{
		ID:          id,
		bodiless:    request.GetMethod() == "HEAD",
		acceptsFile: request.GetAcceptFile(),
		expected:    -1,
		send:        sendWindow{credit: credit},
		receive:     newReceiveWindow(&c.budget, credit),
	}
	c.highestID = id
	c.streams[id] = stream
	return stream, frame, c.advanceOutgoing(stream, inputHead, end)
}

// SendData appends to b the head of a data frame with length payload bytes. The stream must have enough credit.
func (c *Connection) SendData(b []byte, stream *Stream, length int, end bool) ([]byte, error) {
	if length > stream.send.credit || length > MaxData || length == 0 && !end {
		return nil, refused("cannot send %d bytes of data with %d bytes of credit", length, stream.send.credit)
	}
	if err := c.advanceOutgoing(stream, inputData, end); err != nil {
		return nil, err
	}
	stream.send.credit -= length
	return AppendDataHead(b, stream.ID, length, end), nil
}

// SendEnd ends the request with trailers.
func (c *Connection) SendEnd(stream *Stream, trailers []*pluginv1.Field) ([]byte, error) {
	if problem := fieldsProblem(trailers); problem != "" {
		return nil, refused("trailer: %s", problem)
	}
	frame, err := Encode(&pluginv1.Frame{
		StreamId: stream.ID, Body: &pluginv1.Frame_End{End: &pluginv1.End{Trailers: trailers}},
	})
	if err != nil {
		return nil, err
	}
	return frame, c.advanceOutgoing(stream, inputEnd, true)
}

// Reset cancels a stream, unless it has already ended. With OK, it says that the file of its response is open. The reset
// is owed as a control frame. It cannot overtake other frames of its stream, because that stream sends no more.
func (c *Connection) Reset(stream *Stream, code pluginv1.Code, message string) {
	if stream.reset != nil || stream.done() {
		stream.receive.close()
		return
	}
	reset := &pluginv1.Reset{Code: code, Message: cut(message)}
	c.giveUp(stream, reset)
	c.end(stream, reset)
}

// Consume notes that the consumer has read length bytes of stream.
func (c *Connection) Consume(stream *Stream, length int) {
	c.consumed += length
	credit := stream.receive.consume(length)
	if credit == 0 {
		return
	}
	if stream.owed == 0 {
		c.updates = append(c.updates, stream)
	}
	stream.owed += uint32(credit)
}

// Consumed returns how many bytes consumers have read from all streams.
func (c *Connection) Consumed() int { return c.consumed }

// OwesControl reports whether TakeControl would return any frames.
func (c *Connection) OwesControl() bool {
	return len(c.updates) > 0 || c.pong != nil || len(c.resets) > 0
}

// TakeControl returns the control frames that are owed, which are sent before all others, or nil.
func (c *Connection) TakeControl() []byte {
	var b []byte
	for _, reset := range c.resets {
		b = append(b, reset...)
	}
	for _, stream := range c.updates {
		if stream.owed == 0 {
			continue // the stream has ended since
		}
		update := &pluginv1.WindowUpdate{Credit: stream.owed}
		stream.owed = 0
		b = append(b, encodeOwed(&pluginv1.Frame{
			StreamId: stream.ID, Body: &pluginv1.Frame_WindowUpdate{WindowUpdate: update},
		})...)
	}
	if c.pong != nil {
		b = append(b, encodeOwed(&pluginv1.Frame{Body: &pluginv1.Frame_Ping{Ping: c.pong}})...)
	}
	clear(c.updates)
	c.resets, c.updates, c.pong = nil, c.updates[:0], nil
	return b
}

func (c *Connection) advanceOutgoing(stream *Stream, by input, ends bool) error {
	if stream.reset != nil {
		return refused("cannot send %s on stream %d, which was reset", by, stream.ID)
	}
	next, ok := transitions[step{stream.outgoing, by, ends}]
	if !ok {
		return refused("cannot send %s on stream %d, which %s", by, stream.ID, stream.outgoing)
	}
	stream.outgoing = next
	c.closeIfDone(stream)
	return nil
}

func (c *Connection) closeIfDone(stream *Stream) {
	if stream.done() {
		delete(c.streams, stream.ID)
	}
}

// giveUp owes the plugin a reset, and keeps the stream's slot until the plugin's last frame about it.
func (c *Connection) giveUp(stream *Stream, reset *pluginv1.Reset) {
	c.givenUp[stream.ID] = struct{}{}
	c.resets = append(c.resets, encodeOwed(&pluginv1.Frame{
		StreamId: stream.ID, Body: &pluginv1.Frame_Reset_{Reset_: reset},
	}))
}

// end marks the stream as reset, and drops the frames that were owed for it.
func (c *Connection) end(stream *Stream, reset *pluginv1.Reset) {
	stream.reset = reset
	stream.owed = 0
	stream.receive.close()
	delete(c.streams, stream.ID)
}

// cut truncates a message to the longest that may be sent or repeated.
func cut(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	runes := []rune(message)
	return string(runes[:min(len(runes), maxMessage)])
}
