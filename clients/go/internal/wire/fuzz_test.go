package wire

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"
)

// FuzzFrame takes any bytes as one frame: what is canonical data means what the protobuf library makes of
// it, and what was decoded is decoded again from what is encoded.
func FuzzFrame(f *testing.F) {
	f.Add(append(AppendDataHead(nil, 1, 5, true), "hello"...))
	f.Add([]byte{0, 0, 0, 0, 5, 0x1a, 3, 0x0a, 1, 1})
	f.Add([]byte{0, 0, 0, 0, 9, 8, 1, 0x7a, 5, 'h', 'e', 'l', 'l', 'o'})
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, canonical, err := read(b)
		if err != nil {
			var broken *ConnectionError
			if !errors.As(err, &broken) || broken.Name == "" {
				t.Fatalf("an error without a name: %v", err)
			}
			return
		}
		length, _ := FrameLength(b)
		if canonical {
			meant, err := Decode(b[PrefixSize : PrefixSize+length])
			if err != nil || !proto.Equal(meant, frame) {
				t.Fatalf("%v, %v, but read as %v", meant, err, frame)
			}
			head := AppendDataHead(nil, frame.GetStreamId(), len(frame.GetData()), frame.GetEndStream())
			if !bytes.HasPrefix(b, head) {
				t.Fatalf("the head is written as %x, and was %x", head, b[:len(head)])
			}
			return
		}
		written, err := Encode(frame)
		if err != nil {
			return // longer than a frame may be, once numbers are not packed
		}
		again, _, err := read(written)
		if err != nil || !proto.Equal(again, frame) {
			t.Fatalf("%v, %v, want %v", again, err, frame)
		}
	})
}
