package wire

import (
	"encoding/binary"

	"google.golang.org/protobuf/proto"

	"udist.dev/plugin/udist/internal/pluginv1"
)

var (
	deterministic = proto.MarshalOptions{Deterministic: true}
	known         = proto.UnmarshalOptions{DiscardUnknown: true}
)

// Encode returns a frame's bytes, with its prefix.
func Encode(frame *pluginv1.Frame) ([]byte, error) {
	b, err := deterministic.MarshalAppend(make([]byte, PrefixSize, 256), frame)
	if err != nil {
		return nil, refused("the frame cannot be encoded: %v", err)
	}
	length := len(b) - PrefixSize
	if length > MaxControl {
		return nil, refused("a frame of %d bytes exceeds the limit of %d", length, MaxControl)
	}
	binary.BigEndian.PutUint32(b[1:], uint32(length))
	return b, nil
}

// Decode parses a frame's message with the protobuf library.
func Decode(message []byte) (*pluginv1.Frame, error) {
	frame := &pluginv1.Frame{}
	if err := known.Unmarshal(message, frame); err != nil {
		return nil, broken("not-a-frame", "received %d bytes that are not a Frame: %v", len(message), err)
	}
	switch body := frame.GetBody().(type) {
	case nil:
		return nil, broken("no-body", "received a frame without a body known in version 1")
	case *pluginv1.Frame_Reset_:
		body.Reset_.Code = knownCode(body.Reset_.GetCode())
	case *pluginv1.Frame_GoAway:
		body.GoAway.Code = knownCode(body.GoAway.GetCode())
	}
	return frame, nil
}

func knownCode(code pluginv1.Code) pluginv1.Code {
	if _, ok := pluginv1.Code_name[int32(code)]; !ok {
		return pluginv1.Code_CODE_UNKNOWN
	}
	return code
}

// encodeOwed encodes frames for which this cannot fail: they have fixed fields, and text written by this side.
func encodeOwed(frame *pluginv1.Frame) []byte {
	b, err := Encode(frame)
	if err != nil {
		panic(err)
	}
	return b
}
