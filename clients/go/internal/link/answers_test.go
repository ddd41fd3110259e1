package link

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

// FuzzAnswers gives any frames as the answer to three requests: each of them ends, and what is read is no
// more than came.
func FuzzAnswers(f *testing.F) {
	response := &pluginv1.Response{Status: 200}
	fault := &pluginv1.Reset{Code: pluginv1.Code_CODE_INTERNAL}
	credit := &pluginv1.WindowUpdate{Credit: 1}
	head := encode(f, &pluginv1.Frame{StreamId: 1, Body: &pluginv1.Frame_Response{Response: response}})
	ended := encode(f, &pluginv1.Frame{StreamId: 1, Body: &pluginv1.Frame_End{End: &pluginv1.End{}}})
	data := append(wire.AppendDataHead(nil, 1, 5, false), "hello"...)
	last := append(wire.AppendDataHead(nil, 1, 5, true), "world"...)
	reset := encode(f, &pluginv1.Frame{StreamId: 3, Body: &pluginv1.Frame_Reset_{Reset_: fault}})
	ping := encode(f, &pluginv1.Frame{Body: &pluginv1.Frame_Ping{Ping: &pluginv1.Ping{Token: 1}}})
	away := encode(f, &pluginv1.Frame{Body: &pluginv1.Frame_GoAway{GoAway: &pluginv1.GoAway{LastStreamId: 3}}})
	update := encode(f, &pluginv1.Frame{StreamId: 1, Body: &pluginv1.Frame_WindowUpdate{WindowUpdate: credit}})
	f.Add(join(head, data, last), byte(4))
	f.Add(join(reset, head, ping, data, update, ended), byte(100))
	f.Add(join(away, head, data), byte(1))
	f.Add(join(head, head), byte(10))
	f.Fuzz(func(t *testing.T, answers []byte, size byte) {
		if len(answers) > 32<<10 {
			return // what a pipe holds, with some room
		}
		l := answered(t, answers)
		read := make(chan int)
		for range 3 {
			request := &pluginv1.Request{Method: "GET", Scheme: "http", Target: "/"}
			exchange, err := l.Open(t.Context(), request, nil, true)
			if err != nil {
				go func() { read <- 0 }()
				continue
			}
			go func() { read <- readAll(exchange, make([]byte, int(size)+1)) }()
		}
		total := 0
		for range 3 {
			total += <-read
		}
		if total > len(answers) {
			t.Errorf("%d bytes read from %d", total, len(answers))
		}
		l.AwaitEnd(false)
	})
}

// TestResetAfterTheResponse resets a request that goes on although its response is complete.
func TestResetAfterTheResponse(t *testing.T) {
	response := &pluginv1.Response{Status: 413}
	fault := &pluginv1.Reset{Code: pluginv1.Code_CODE_INTERNAL}
	head := encode(t, &pluginv1.Frame{StreamId: 1, Body: &pluginv1.Frame_Response{Response: response}})
	last := append(wire.AppendDataHead(nil, 1, 5, true), "world"...)
	reset := encode(t, &pluginv1.Frame{StreamId: 1, Body: &pluginv1.Frame_Reset_{Reset_: fault}})
	l := answered(t, join(head, last, reset))
	request := &pluginv1.Request{Method: "PUT", Scheme: "http", Target: "/"}
	exchange, err := l.Open(t.Context(), request, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	l.AwaitEnd(false)
	if head, err := exchange.Head(); err != nil || head.GetStatus() != 413 {
		t.Fatalf("head %v, %v", head, err)
	}
	if content, err := io.ReadAll(exchange); err != nil || string(content) != "world" {
		t.Errorf("read %q, %v", content, err)
	}
}

// answered is a link to a plugin that has said all that it will, and reads no more than a pipe holds.
func answered(t *testing.T, answers []byte) *Link {
	return linked(t, answers, func(cause error, _ []byte) error { return errors.Join(io.ErrUnexpectedEOF, cause) })
}

// linked is a link whose plugin says answers and then ends its output, unless there are none.
func linked(t *testing.T, answers []byte, ended func(cause error, text []byte) error) *Link {
	l, plugin := speaking(t, ended)
	if answers != nil {
		go func() {
			_, _ = plugin.Write(answers)
			_ = plugin.Close()
		}()
	}
	return l
}

// speaking is a link to a plugin that is ready, and its output.
func speaking(t *testing.T, ended func(cause error, text []byte) error) (*Link, *os.File) {
	source, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	input, sink, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	l, err := New(source, sink, Options{Memory: 1 << 20, Ended: ended})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		l.Close()
		_ = input.Close()
		_ = theirs.Close()
	})
	if _, err := theirs.Write([]byte("\x00\x00\x00\x00\x05\x1a\x03\x0a\x01\x01")); err != nil { // settings
		t.Fatal(err)
	}
	if err := l.ShakeHands(context.Background(), &pluginv1.Settings{Versions: []uint32{1}}); err != nil {
		t.Fatal(err)
	}
	return l, theirs
}

// readAll is how much content the exchange had.
func readAll(exchange *Exchange, buffer []byte) (total int) {
	defer exchange.Close()
	if _, err := exchange.Head(); err != nil {
		return 0
	}
	for {
		n, err := exchange.Read(buffer)
		total += n
		if err != nil {
			return total
		}
	}
}

// encode is a frame's bytes.
func encode(t testing.TB, frame *pluginv1.Frame) []byte {
	b, err := wire.Encode(frame)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func join(frames ...[]byte) (all []byte) {
	for _, b := range frames {
		all = append(all, b...)
	}
	return all
}
