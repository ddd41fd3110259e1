package child

import (
	"io"
	"testing"
)

// TestStreams talks to a child over sockets, to their ends.
func TestStreams(t *testing.T) {
	p, err := Start([]string{"sh", "-c", "test -S /proc/self/fd/0 && test -S /proc/self/fd/1 && cat"}, false, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Source.Close() }()
	if _, err := p.Sink.WriteString("echoed"); err != nil {
		t.Error(err)
	}
	_ = p.Sink.Close()
	if text, err := io.ReadAll(p.Source); err != nil || string(text) != "echoed" {
		t.Errorf("%q, %v", text, err)
	}
	<-p.Exited()
}
