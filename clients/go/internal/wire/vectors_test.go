package wire

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// read is the first frame in b, as a reader of bytes takes it.
func read(b []byte) (frame *pluginv1.Frame, canonical bool, err error) {
	if len(b) < PrefixSize {
		prefix := make([]byte, PrefixSize)
		copy(prefix, b)
		if _, err := FrameLength(prefix); err != nil {
			return nil, false, err
		}
		return nil, false, Truncated(0)
	}
	length, err := FrameLength(b)
	if err != nil {
		return nil, false, err
	}
	head, canonical, err := ParseDataHead(b[:min(len(b), LookAhead)])
	if err != nil {
		return nil, false, err
	}
	if !canonical {
		if err := CheckControlLength(length); err != nil {
			return nil, false, err
		}
	}
	if missing := PrefixSize + length - len(b); missing > 0 {
		return nil, false, Truncated(missing)
	}
	b = b[:PrefixSize+length]
	if canonical {
		return &pluginv1.Frame{
			StreamId: head.StreamID, EndStream: head.EndStream, Body: &pluginv1.Frame_Data{Data: b[head.Size:]},
		}, true, nil
	}
	frame, err = Decode(b[PrefixSize:])
	return frame, false, err
}

func TestFrames(t *testing.T) {
	var vectors []struct {
		Name      string
		Bytes     vectorBytes
		Frame     vectorFrame
		Canonical bool
	}
	load(t, "frames.json", &vectors)
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			want := vector.Frame.message()
			frame, canonical, err := read(vector.Bytes)
			if err != nil || !proto.Equal(frame, want) {
				t.Fatalf("read %v, %v, want %v", frame, err, want)
			}
			if canonical != (vector.Canonical && vector.Frame.Data != nil) {
				t.Errorf("%T read as canonical: %v", want.GetBody(), canonical)
			}
			if !vector.Canonical {
				return
			}
			written, err := Encode(want)
			if vector.Frame.Data != nil {
				written = AppendDataHead(nil, want.GetStreamId(), len(want.GetData()), want.GetEndStream())
				written, err = append(written, want.GetData()...), nil
			}
			if err != nil || !slices.Equal(written, vector.Bytes) {
				t.Errorf("wrote %x, %v, want %x", written, err, []byte(vector.Bytes))
			}
		})
	}
}

type vectorStep struct {
	Row         string
	From        string
	Bytes       vectorBytes
	Frame       vectorFrame
	Event       json.RawMessage
	Code        string
	CallerSlots *int `json:"caller_slots"`
}

type conversation struct {
	Name  string
	Sides []string
	Steps []vectorStep
	Next  []vectorStep
}

func TestConversations(t *testing.T) {
	var vectors []conversation
	load(t, "conversations.json", &vectors)
	for _, vector := range vectors {
		if slices.Contains(vector.Sides, "caller") {
			t.Run(vector.Name, func(t *testing.T) { runSteps(t, vector.Steps) })
		}
	}
}

// TestCells tries each frame that may come next on a connection of its own.
func TestCells(t *testing.T) {
	var vectors []conversation
	load(t, "cells.json", &vectors)
	for _, vector := range vectors {
		if !slices.Contains(vector.Sides, "caller") {
			continue
		}
		for _, next := range vector.Next {
			t.Run(vector.Name+"/"+next.Row, func(t *testing.T) {
				runSteps(t, append(slices.Clone(vector.Steps), next))
			})
		}
	}
}

func runSteps(t *testing.T, steps []vectorStep) {
	t.Helper()
	caller := side{Connection: NewConnection(0), streams: map[uint32]*Stream{}}
	for i, step := range steps {
		if step.From == "caller" {
			caller.send(t, step.Frame.message(), step.Bytes)
		} else if event := caller.receive(step.Bytes); event != normal(t, step.Event) {
			t.Fatalf("step %d: %s, want %s", i, event, step.Event)
		}
		if step.Code != "" {
			reset := caller.streams[step.Frame.StreamID].reset
			if code := strings.TrimPrefix(reset.GetCode().String(), "CODE_"); !strings.HasPrefix(code, step.Code) {
				t.Fatalf("step %d: the stream ended with %s, want %s", i, code, step.Code)
			}
		}
		if step.CallerSlots != nil && caller.Slots() != *step.CallerSlots {
			t.Fatalf("step %d: %d slots, want %d", i, caller.Slots(), *step.CallerSlots)
		}
	}
}

// normal is an event of the vectors as one text.
func normal(t *testing.T, event json.RawMessage) string {
	t.Helper()
	var text string
	if json.Unmarshal(event, &text) == nil {
		return text
	}
	var object map[string]string
	if err := json.Unmarshal(event, &object); err != nil {
		t.Fatal(err)
	}
	for key, value := range object {
		text = key + " " + value
	}
	return text
}

// side is a connection driven by bytes.
type side struct {
	*Connection
	streams map[uint32]*Stream
}

func (s *side) send(t *testing.T, frame *pluginv1.Frame, want []byte) {
	t.Helper()
	var written []byte
	var err error
	stream := s.streams[frame.GetStreamId()]
	switch body := frame.GetBody().(type) {
	case *pluginv1.Frame_Settings:
		written, err = s.Settings(body.Settings)
	case *pluginv1.Frame_Request:
		s.highestID = max(s.highestID, frame.GetStreamId()-1) &^ 1
		if s.highestID > 0 {
			s.highestID--
		}
		stream, written, err = s.Open(body.Request, frame.GetEndStream())
		s.streams[frame.GetStreamId()] = stream
	case *pluginv1.Frame_Data:
		written, err = s.SendData(nil, stream, len(body.Data), frame.GetEndStream())
		written = append(written, body.Data...)
	case *pluginv1.Frame_End:
		written, err = s.SendEnd(stream, body.End.GetTrailers())
	case *pluginv1.Frame_WindowUpdate:
		s.Consume(stream, int(body.WindowUpdate.GetCredit()))
		written = s.TakeControl()
	case *pluginv1.Frame_Ping:
		if written = s.TakeControl(); written == nil {
			written, err = Encode(frame)
		}
	case *pluginv1.Frame_Reset_:
		if !s.OwesControl() {
			s.Reset(stream, body.Reset_.GetCode(), body.Reset_.GetMessage())
		}
		written = equalMessage(t, s.TakeControl(), body.Reset_.GetMessage())
	default:
		if written = s.TakeControl(); written == nil {
			written, err = Encode(frame)
		}
	}
	if err != nil || !slices.Equal(written, want) {
		t.Fatalf("wrote %x, %v, want %x", written, err, want)
	}
}

// equalMessage replaces the message of a reset, which is free.
func equalMessage(t *testing.T, written []byte, message string) []byte {
	t.Helper()
	frame, _, err := read(written)
	if err != nil || frame.GetReset_() == nil {
		t.Fatalf("wrote %x, %v, want a reset", written, err)
	}
	frame.GetReset_().Message = message
	written, err = Encode(frame)
	if err != nil {
		t.Fatal(err)
	}
	return written
}

func (s *side) receive(b []byte) string {
	frame, _, err := read(b)
	var stream *Stream
	event := Nothing
	name := "dropped"
	owed := s.OwesControl()
	if data, ok := frame.GetBody().(*pluginv1.Frame_Data); ok && err == nil {
		stream, err = s.ReceiveData(frame.GetStreamId(), len(data.Data), frame.GetEndStream())
		if stream != nil {
			name = "data"
		}
	} else if err == nil {
		event, _, err = s.Receive(frame)
		if event != Nothing {
			name = [...]string{"", "settings", "go_away", "log", "head", "end", "credit", "reset"}[event]
		} else if s.OwesControl() && !owed {
			name = "ping"
		}
	}
	var fault *StreamError
	var fatal *ConnectionError
	switch {
	case errors.As(err, &fault):
		return "stream_error " + strings.TrimPrefix(fault.Code.String(), "CODE_")
	case errors.As(err, &fatal):
		return "connection_error " + fatal.Name
	}
	return name
}
