package link

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"udist.dev/plugin/udist/internal/wire"
)

// FuzzInput reads any bytes, in pieces of any size: however they arrive they mean the same, what is read is
// never more than came, and the end is the end of file or a named error.
func FuzzInput(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x05\x1a\x03\x0a\x01\x01"), byte(1))
	f.Add(append(wire.AppendDataHead(nil, 1, 5, true), "hello"...), byte(3))
	f.Add([]byte("Welcome\n"), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, size byte) {
		if len(b) > 32<<10 {
			return // what a pipe holds, with some room
		}
		whole, wholeErr := frames(feed(t, b, max(len(b), 1), false))
		parts, partsErr := frames(feed(t, b, max(int(size), 1), false))
		if !slices.EqualFunc(whole, parts, bytes.Equal) {
			t.Errorf("%d frames at once, %d in parts", len(whole), len(parts))
		}
		if name(t, wholeErr) != name(t, partsErr) {
			t.Errorf("at once: %v, in parts: %v", wholeErr, partsErr)
		}
		read := 0
		for _, frame := range whole {
			read += wire.PrefixSize + len(frame)
		}
		if read > len(b) {
			t.Errorf("%d bytes of frames from %d", read, len(b))
		}
	})
}

// name is the error's name of section 8 of the protocol.
func name(t *testing.T, err error) string {
	var broken *wire.ConnectionError
	if !errors.As(err, &broken) && err != io.EOF {
		t.Fatalf("an error without a name: %v", err)
	}
	if broken == nil {
		return "end"
	}
	return broken.Name
}
