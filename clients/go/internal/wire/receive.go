package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// Event says what a received frame means.
type Event uint8

// The events. Nothing requires no action, although control frames may be owed now.
const (
	Nothing Event = iota
	SettingsReceived
	GoAwayReceived
	LogReceived
	HeadReceived
	EndReceived
	CreditReceived
	ResetReceived
)

// Receive processes any frame except data. The stream is nil if the event concerns the connection.
//
// The error is a *ConnectionError if it ends the connection, and a *StreamError if it ends one stream.
func (c *Connection) Receive(frame *pluginv1.Frame) (Event, *Stream, error) {
	id := frame.GetStreamId()
	if c.peer == nil && frame.GetSettings() == nil && frame.GetGoAway() == nil {
		return 0, nil, broken("before-settings", "%s before settings", nameOf(frame))
	}
	head := frame.GetResponse() != nil || frame.GetRequest() != nil
	if frame.GetEndStream() && !head {
		return 0, nil, broken("end-stream", "%s with end_stream", nameOf(frame))
	}
	switch body := frame.GetBody().(type) {
	case *pluginv1.Frame_Settings, *pluginv1.Frame_Ping, *pluginv1.Frame_GoAway, *pluginv1.Frame_Log:
		if id != 0 {
			return 0, nil, broken("stream-zero", "%s on stream %d", nameOf(frame), id)
		}
		event, err := c.receiveOnConnection(frame)
		return event, nil, err
	case *pluginv1.Frame_Request, *pluginv1.Frame_WindowUpdate, *pluginv1.Frame_Response, *pluginv1.Frame_End,
		*pluginv1.Frame_Reset_:
		if id == 0 {
			return 0, nil, broken("stream-zero", "%s on stream 0", nameOf(frame))
		}
		if frame.GetRequest() != nil {
			return 0, nil, broken("wrong-direction", "a request from the plugin")
		}
		ends := frame.GetEndStream() || frame.GetEnd() != nil || frame.GetReset_() != nil
		stream, err := c.find(id, ends)
		if stream == nil {
			return Nothing, nil, err
		}
		event, err := c.receiveOnStream(stream, frame)
		return event, stream, err
	default:
		return 0, nil, broken("no-body", "unknown frame type %T", body)
	}
}

// ReceiveData processes the head of a data frame. If the stream is nil, or the error is a *StreamError, the payload
// must be dropped. The errors are those of Receive.
func (c *Connection) ReceiveData(id uint32, length int, end bool) (*Stream, error) {
	switch {
	case c.peer == nil:
		return nil, broken("before-settings", "data before settings")
	case id == 0:
		return nil, broken("stream-zero", "data on stream 0")
	case length == 0 && !end:
		return nil, broken("empty-data", "data without payload or end on stream %d", id)
	case length > MaxData:
		return nil, broken("payload-length", "a payload of %d bytes exceeds the limit of %d", length, MaxData)
	}
	stream, err := c.find(id, end)
	if stream == nil {
		return nil, err
	}
	if err := stream.receive.receive(length); err != nil {
		return nil, err
	}
	stream.received += int64(length)
	return stream, c.advanceIncoming(stream, inputData, end)
}

func (c *Connection) receiveOnConnection(frame *pluginv1.Frame) (Event, error) {
	switch body := frame.GetBody().(type) {
	case *pluginv1.Frame_Settings:
		if c.peer != nil {
			return 0, broken("settings-twice", "settings twice")
		}
		if err := checkVersions(body.Settings); err != nil {
			return 0, err
		}
		c.peer = body.Settings
		return SettingsReceived, nil
	case *pluginv1.Frame_GoAway:
		body.GoAway.Message = cut(body.GoAway.GetMessage())
		c.goingAway = body.GoAway
		return GoAwayReceived, nil
	case *pluginv1.Frame_Ping:
		if !body.Ping.GetAck() {
			c.pong = &pluginv1.Ping{Token: body.Ping.GetToken(), Ack: true}
		}
		return Nothing, nil
	default:
		return LogReceived, nil
	}
}

func checkVersions(settings *pluginv1.Settings) error {
	versions := settings.GetVersions()
	if !slices.Contains(versions, Version) {
		name := settings.GetImplementation()
		if name != "" {
			name = " (" + name + ")"
		}
		spoken := make([]string, len(versions))
		for i, version := range versions {
			spoken[i] = strconv.FormatUint(uint64(version), 10)
		}
		return broken("version", "no common version: the plugin%s speaks %s, this client speaks %d",
			name, strings.Join(spoken, ", "), Version)
	}
	if len(versions) > 1 {
		return broken("version", "the plugin chose more than one version")
	}
	return nil
}

func (c *Connection) receiveOnStream(stream *Stream, frame *pluginv1.Frame) (Event, error) {
	switch body := frame.GetBody().(type) {
	case *pluginv1.Frame_Response:
		return HeadReceived, c.receiveHead(stream, body.Response, frame.GetEndStream())
	case *pluginv1.Frame_End:
		if err := c.advanceIncoming(stream, inputEnd, true); err != nil {
			return 0, err
		}
		if problem := fieldsProblem(body.End.GetTrailers()); problem != "" {
			return 0, c.fault(stream, pluginv1.Code_CODE_INVALID_ARGUMENT, "trailer: "+problem)
		}
		return EndReceived, nil
	case *pluginv1.Frame_WindowUpdate:
		return CreditReceived, stream.send.grow(body.WindowUpdate.GetCredit())
	default:
		reset := frame.GetReset_()
		reset.Message = cut(reset.GetMessage())
		if reset.GetCode() == pluginv1.Code_CODE_OK_UNSPECIFIED && !stream.Ended() {
			reset = &pluginv1.Reset{
				Code:    pluginv1.Code_CODE_INTERNAL,
				Message: "the plugin ended the stream before its response",
			}
		}
		c.end(stream, reset)
		return ResetReceived, nil
	}
}

func (c *Connection) receiveHead(stream *Stream, head *pluginv1.Response, end bool) error {
	if err := c.advanceIncoming(stream, inputHead, end); err != nil {
		return err
	}
	problem := responseProblem(head)
	if problem == "" {
		problem = stream.declare(head, end)
	}
	if problem != "" {
		return c.fault(stream, pluginv1.Code_CODE_INTERNAL, "the response's "+problem)
	}
	return nil
}

// declare records how much content will follow (section 3, "Content-length").
func (s *Stream) declare(head *pluginv1.Response, end bool) string {
	length, problem := contentLength(head.GetFields())
	bodiless := s.bodiless || head.GetStatus() == 204 || head.GetStatus() == 304
	switch file := head.GetFile(); {
	case problem != "":
		return problem
	case file != nil && (end || bodiless || !s.acceptsFile || head.GetStatus() != 200 && head.GetStatus() != 206):
		return "file was not asked for"
	case file != nil && (length < 0 || uint64(length) != file.GetLength()):
		return fmt.Sprintf("content-length is %d, but its file has %d bytes of content", length, file.GetLength())
	case bodiless || file != nil:
		length = 0
	case length > 0 && end:
		return "content-length is " + strconv.FormatInt(length, 10) + ", but there is no content"
	}
	s.expected = length
	return ""
}

// miscounted describes how much content has arrived, if that is not what was declared.
func (s *Stream) miscounted() string {
	if s.expected < 0 || s.received == s.expected || s.received < s.expected && !s.Ended() {
		return ""
	}
	return fmt.Sprintf("%d bytes of content, but its content-length is %d", s.received, s.expected)
}

// find returns the open stream, or nil if it has been closed.
func (c *Connection) find(id uint32, ends bool) (*Stream, error) {
	if stream := c.streams[id]; stream != nil {
		return stream, nil
	}
	if id > c.highestID || id%2 == 0 {
		return nil, broken("never-opened", "stream %d was never opened", id)
	}
	if ends {
		delete(c.givenUp, id)
	}
	return nil, nil
}

func (c *Connection) advanceIncoming(stream *Stream, by input, ends bool) error {
	next, ok := transitions[step{stream.incoming, by, ends}]
	if !ok {
		return broken("wrong-state", "received %s on stream %d, which %s", by, stream.ID, stream.incoming)
	}
	stream.incoming = next
	if problem := stream.miscounted(); problem != "" {
		return c.fault(stream, pluginv1.Code_CODE_INTERNAL, "the response has "+problem)
	}
	if stream.Ended() {
		stream.owed = 0
		stream.receive.end()
		c.closeIfDone(stream)
	}
	return nil
}

// fault ends a stream because of an error by the plugin, and owes a reset unless the plugin's last frame has arrived.
func (c *Connection) fault(stream *Stream, code pluginv1.Code, message string) error {
	reset := &pluginv1.Reset{Code: code, Message: cut(message)}
	if !stream.done() {
		c.giveUp(stream, reset)
	}
	c.end(stream, reset)
	return &StreamError{Stream: stream, Code: code, Message: message}
}

func nameOf(frame *pluginv1.Frame) protoreflect.Name {
	message := frame.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().Get(0))
	return field.Name()
}
