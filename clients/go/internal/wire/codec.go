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

// Encode is a frame's bytes, prefix and message.
func Encode(frame *pluginv1.Frame) ([]byte, error) {
	b, err := deterministic.MarshalAppend(make([]byte, PrefixSize, 256), frame)
	if err != nil {
		return nil, refused("the frame cannot be written: %v", err)
	}
	length := len(b) - PrefixSize
	if length > MaxControl {
		return nil, refused("a frame of %d bytes exceeds the limit of %d", length, MaxControl)
	}
	binary.BigEndian.PutUint32(b[1:], uint32(length))
	return b, nil
}

// Decode is the meaning of a frame's message, by the protobuf library's rules.
func Decode(message []byte) (*pluginv1.Frame, error) {
	frame := &pluginv1.Frame{}
	if err := known.Unmarshal(message, frame); err != nil {
		return nil, broken("not-a-frame", "%d bytes that are not a Frame: %v", len(message), err)
	}
	switch body := frame.GetBody().(type) {
	case nil:
		return nil, broken("no-body", "a frame without a body known to version 1")
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

// encodeOwed is for frames that cannot fail to be written: fixed fields, and text that this side wrote.
func encodeOwed(frame *pluginv1.Frame) []byte {
	b, err := Encode(frame)
	if err != nil {
		panic(err)
	}
	return b
}
