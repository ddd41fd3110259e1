package goplugin

import (
	"fmt"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// outgoing is a message to send. data belongs to gRPC from then on, and returns to payloads.
type outgoing struct {
	part pluginv1.RoundTripRequest
	data []byte
}

// incoming is a message that has arrived. data, if not nil, must be closed.
type incoming struct {
	part *pluginv1.RoundTripResponse
	data *mem.Reader
}

// codec writes and reads payloads without copying them into a protobuf message and out of it again.
type codec struct{}

var withCodec = grpc.ForceCodecV2(codec{})

var _ encoding.CodecV2 = codec{}

// Name is protobuf's, whose encoding this is.
func (codec) Name() string { return "proto" }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	message, ok := v.(*outgoing)
	if !ok {
		return nil, fmt.Errorf("cannot encode a %T", v)
	}
	fields, err := wire.EncodePart(&message.part, len(message.data))
	if err != nil {
		return nil, err
	}
	slice := mem.BufferSlice{mem.SliceBuffer(fields)}
	if len(message.data) > 0 {
		slice = append(slice, mem.NewBuffer(&message.data, payloads))
	}
	return slice, nil
}

func (codec) Unmarshal(slice mem.BufferSlice, v any) error {
	message, ok := v.(*incoming)
	if !ok {
		return fmt.Errorf("cannot decode a %T", v)
	}
	if slice.Len() == 0 {
		message.part = &pluginv1.RoundTripResponse{}
		return nil
	}
	start, length := slice[0].ReadOnlyData(), slice.Len()
	fields, payload, ok := wire.SplitPart(start, length)
	if !ok {
		start = slice.Materialize()
		fields, payload = length, length
	}
	var err error
	if message.part, err = wire.DecodePart(start[:fields]); err != nil {
		return err
	}
	if data := message.part.Data; len(data) > 0 { // not in the form in which it is sent
		message.part.Data, message.data = nil, mem.BufferSlice{mem.SliceBuffer(data)}.Reader()
		return nil
	}
	if payload < length {
		message.data = slice.Reader()
		_, err = message.data.Discard(payload)
	}
	return err
}

// payloads are buffers of wire.MaxData bytes.
var payloads = &pool{}

type pool struct{ buffers sync.Pool }

// Get returns a buffer of the full size, whatever the length.
func (p *pool) Get(length int) *[]byte {
	if buffer, ok := p.buffers.Get().(*[]byte); ok {
		return buffer
	}
	buffer := make([]byte, max(length, wire.MaxData))
	return &buffer
}

func (p *pool) Put(buffer *[]byte) {
	if cap(*buffer) >= wire.MaxData {
		*buffer = (*buffer)[:cap(*buffer)]
		p.buffers.Put(buffer)
	}
}
