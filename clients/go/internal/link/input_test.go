package link

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"udist.dev/plugin/udist/internal/wire"
)

// feed is an input that gets b, in pieces of the given size, and then the end of file unless held open.
func feed(t testing.TB, b []byte, size int, hold bool) *input {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in := &input{}
	if err := in.pipe.open(read); err != nil {
		t.Fatal(err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		for part := range slices.Chunk(b, size) {
			if _, err := write.Write(part); err != nil {
				return // the reader has seen enough
			}
		}
		if !hold {
			_ = write.Close()
		}
	}()
	t.Cleanup(func() {
		_ = read.Close()
		<-written
		_ = write.Close()
	})
	return in
}

// frames reads everything, however often it is interrupted, and gives each frame's message or payload.
func frames(in *input) (all [][]byte, err error) {
	for {
		head, message, err := in.next()
		if errors.Is(err, errInterrupted) {
			in.pipe.resume()
			continue
		}
		if err != nil {
			return all, err
		}
		if message != nil {
			if _, err := wire.Decode(message); err != nil {
				return all, err
			}
			all = append(all, slices.Clone(message))
			continue
		}
		payload := make([]byte, head.Length)
		for left := payload; len(left) > 0; {
			n, err := in.payload(left)
			left = left[n:]
			if errors.Is(err, errInterrupted) {
				in.pipe.resume()
				continue
			}
			if n == 0 && err == io.EOF {
				return all, wire.Truncated(len(left))
			}
			if n == 0 && err != nil {
				return all, err
			}
		}
		all = append(all, payload)
	}
}

// TestInvalid runs the golden vectors of what is no frame.
func TestInvalid(t *testing.T) {
	text, err := os.ReadFile("../../../../tests/vectors/invalid.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name  string
		Bytes []string
		Error string
		Early bool
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			var b []byte
			for _, piece := range vector.Bytes {
				part, err := hex.DecodeString(piece)
				if err != nil {
					t.Fatal(err)
				}
				b = append(b, part...)
			}
			in := feed(t, b, len(b), vector.Early)
			if err := in.pipe.file.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			_, err := frames(in)
			var broken *wire.ConnectionError
			if !errors.As(err, &broken) || broken.Name != vector.Error {
				t.Fatalf("%v, want %s", err, vector.Error)
			}
		})
	}
}

// TestInterrupted interrupts reads within a prefix, a message and a payload: nothing is lost.
func TestInterrupted(t *testing.T) {
	message := slices.Concat([]byte{0, 0, 0, 0x20, 0x03, 0x4a, 0x80, 0x40}, slices.Repeat([]byte{0x12, 0}, 0x1000))
	data := append(wire.AppendDataHead(nil, 1, 6000, true), slices.Repeat([]byte("payload"), 1000)[:6000]...)
	whole := slices.Repeat(slices.Concat(message, data), 20)
	want, err := frames(feed(t, whole, len(whole), false))
	if err != io.EOF || len(want) != 40 {
		t.Fatalf("%d frames, %v", len(want), err)
	}
	in := feed(t, whole, 97, false)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				in.pipe.interrupt()
				runtime.Gosched()
			}
		}
	}()
	got, err := frames(in)
	close(stop)
	<-stopped
	if err != io.EOF || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("read %d frames, %v, want %d", len(got), err, len(want))
	}
}

// TestReadAhead reads payloads that have arrived together: each in one piece, and only a head ahead of it.
func TestReadAhead(t *testing.T) {
	frame := append(wire.AppendDataHead(nil, 1, 20_000, false), make([]byte, 20_000)...)
	in := feed(t, slices.Repeat(frame, 3), 3*len(frame), false)
	for range 3 {
		head, _, err := in.next()
		if err != nil {
			t.Fatal(err)
		}
		n, err := in.payload(make([]byte, head.Length))
		if n != head.Length || err != nil {
			t.Errorf("read %d of %d bytes, %v", n, head.Length, err)
		}
		if ahead := in.end - in.start; ahead > wire.LookAhead {
			t.Errorf("read %d bytes ahead", ahead)
		}
	}
}
