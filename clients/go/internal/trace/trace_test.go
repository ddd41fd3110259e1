package trace

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"udist.dev/plugin/udist/internal/wire"
)

// pinged is a whole frame.
var pinged = []byte("\x00\x00\x00\x00\x04\x4a\x02\x08\x07")

// recorded returns what a trace of at most size bytes holds after use, and the warnings.
func recorded(t *testing.T, path string, size int, use func(*Recorder)) (lines []map[string]any, warnings []string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	recorder := newRecorder(file, "udist-go/0", "/usr/bin/udist-plugin", size, func(warning string) {
		warnings = append(warnings, warning)
	})
	use(recorder)
	recorder.Close()
	return read(t, path), warnings
}

func read(t *testing.T, path string) (lines []map[string]any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for row := range bytes.Lines(text) {
		var value map[string]any
		if err := json.Unmarshal(row, &value); err != nil {
			t.Fatalf("%v: %s", err, row)
		}
		lines = append(lines, value)
	}
	return lines
}

// TestVectors runs the golden vectors of tests/vectors.
func TestVectors(t *testing.T) {
	text, err := os.ReadFile("../../../../tests/vectors/traces.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name  string
		Bytes []string
		Trace map[string]any
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, vector := range vectors {
		t.Run(vector.Name, func(t *testing.T) {
			frames, err := hex.DecodeString(strings.Join(vector.Bytes, ""))
			if err != nil {
				t.Fatal(err)
			}
			lines, _ := recorded(t, filepath.Join(t.TempDir(), "trace"), limit, func(r *Recorder) {
				r.Sent(frames)
				receive(t, r, frames)
			})
			for i, side := range []string{"caller", "plugin"} {
				if got := lines[i+1]; got["from"] != side || !reflect.DeepEqual(got["frame"], any(vector.Trace)) {
					t.Errorf("got %v from %v, want %v", got["frame"], got["from"], vector.Trace)
				}
			}
		})
	}
	if len(vectors) < 30 {
		t.Errorf("%d vectors", len(vectors))
	}
}

func receive(t *testing.T, r *Recorder, frame []byte) {
	head, canonical, err := wire.ParseDataHead(frame)
	if err != nil {
		t.Fatal(err)
	}
	if canonical {
		r.ReceivedData(head)
		return
	}
	message, err := wire.Decode(frame[wire.PrefixSize:])
	if err != nil {
		t.Fatal(err)
	}
	r.Received(message)
}

// TestPayloads are skipped, whether or not they are written together with their heads.
func TestPayloads(t *testing.T) {
	lines, _ := recorded(t, filepath.Join(t.TempDir(), "trace"), limit, func(r *Recorder) {
		whole := append(wire.AppendDataHead(nil, 1, 3, false), "abc"...)
		r.Sent(append(append(append([]byte(nil), pinged...), whole...), pinged...))
		r.Sent(wire.AppendDataHead(nil, 1, 3, true))
		r.Sent(pinged)
	})
	if len(lines) != 7 {
		t.Errorf("%v", lines)
	}
}

// TestLimit ends a trace that becomes too long.
func TestLimit(t *testing.T) {
	lines, warnings := recorded(t, filepath.Join(t.TempDir(), "trace"), 500, func(r *Recorder) {
		for range 100 {
			r.Sent(pinged)
		}
	})
	if last := lines[len(lines)-1]; last["end"] != "limit" || len(lines) > 10 || warnings != nil {
		t.Errorf("%d lines, the last is %v; warnings: %v", len(lines), last, warnings)
	}
}

// TestFullDisk ends the trace with one warning.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("this system has no full device")
	}
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	var warnings []string
	recorder := newRecorder(file, "", "", limit, func(warning string) { warnings = append(warnings, warning) })
	recorder.Sent(pinged)
	recorder.Close()
	if fmt.Sprint(warnings) != "[the trace ends early: write /dev/full: no space left on device]" {
		t.Errorf("%q", warnings)
	}
}

// TestNames finds a name that no file has.
func TestNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "trace")
	var warnings []string
	warn := func(warning string) { warnings = append(warnings, warning) }
	for _, name := range []string{path, path + ".2", path + ".3"} {
		Open(path, "udist-go/0", "/bin/plugin", warn).Close()
		if lines := read(t, name); lines[0]["program"] != "plugin" || lines[1]["end"] != "closed" {
			t.Errorf("%v", lines)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info, err)
		}
	}
	if Open(filepath.Join(path, "nowhere"), "", "", warn) != nil || len(warnings) != 3 {
		t.Errorf("%q", warnings)
	}
}

// TestConcurrency keeps lines apart and in order.
func TestConcurrency(t *testing.T) {
	lines, _ := recorded(t, filepath.Join(t.TempDir(), "trace"), limit, func(r *Recorder) {
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for range 100 {
					r.Sent(pinged)
				}
			})
		}
		group.Wait()
	})
	last := 0.0
	for _, line := range lines[1:] {
		if line["t"].(float64) < last {
			t.Fatalf("%v after %v", line, last)
		}
		last = line["t"].(float64)
	}
	if len(lines) != 402 {
		t.Errorf("%d lines", len(lines))
	}
}
