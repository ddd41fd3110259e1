package trace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"udist.dev/plugin/udist/internal/pluginv1"
	"udist.dev/plugin/udist/internal/wire"
)

const (
	format = 1
	// limit is the largest size of a trace: some 400,000 frames.
	limit = 64 << 20
	// filesMax is how many traces can have the same name. None is overwritten.
	filesMax = 1000
)

// Recorder writes the trace of one link. It never fails what it records: if the disk is full, the trace ends with a
// warning. A Recorder is safe for concurrent use.
type Recorder struct {
	warn func(string)

	mu    sync.Mutex
	file  *os.File // nil at the end
	begun time.Time
	left  int
}

type line struct {
	T     float64 `json:"t"`
	From  string  `json:"from,omitempty"`
	Frame *frame  `json:"frame,omitempty"`
	End   string  `json:"end,omitempty"`
}

// Open returns a recorder to the new file path, or if there is one, to path.2 and so on. It returns nil, and warns, if
// no such file can be created. program is what was spawned; only its base name is recorded.
func Open(path, implementation, program string, warn func(string)) *Recorder {
	file, err := create(path)
	if err != nil {
		warn(fmt.Sprintf("cannot write a trace: %v", err))
		return nil
	}
	if file.Name() != path {
		warn(fmt.Sprintf("%s exists; the trace goes to %s", path, file.Name()))
	}
	return newRecorder(file, implementation, program, limit, warn)
}

func newRecorder(file *os.File, implementation, program string, limit int, warn func(string)) *Recorder {
	r := &Recorder{warn: warn, file: file, begun: time.Now(), left: limit}
	problem := r.write(struct {
		Trace          int    `json:"trace"`
		Implementation string `json:"implementation"`
		Program        string `json:"program"`
		Time           string `json:"time"`
	}{format, implementation, filepath.Base(program), r.begun.UTC().Format("2006-01-02T15:04:05.000000Z")})
	if problem != nil {
		warn(problem.Error())
	}
	return r
}

func create(path string) (file *os.File, err error) {
	for number := 1; number <= filesMax; number++ {
		name := path
		if number > 1 {
			name = fmt.Sprintf("%s.%d", path, number)
		}
		file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
	return nil, err
}

// Sent records frames before they are written. The payload of the last may be missing.
func (r *Recorder) Sent(frames []byte) {
	for len(frames) > 0 {
		length, err := wire.FrameLength(frames)
		if err != nil {
			panic(err) // these frames are from this library
		}
		if head, canonical, _ := wire.ParseDataHead(frames[:min(len(frames), wire.LookAhead)]); canonical {
			r.record("caller", dataFrame(head))
			frames = frames[min(len(frames), head.Size+head.Length):]
			continue
		}
		message, err := wire.Decode(frames[wire.PrefixSize : wire.PrefixSize+length])
		if err != nil {
			panic(err)
		}
		r.record("caller", notationOf(message))
		frames = frames[wire.PrefixSize+length:]
	}
}

// Received records a frame that has been read.
func (r *Recorder) Received(message *pluginv1.Frame) { r.record("plugin", notationOf(message)) }

// ReceivedData records a data frame whose head has been read.
func (r *Recorder) ReceivedData(head wire.DataHead) { r.record("plugin", dataFrame(head)) }

// Close ends the trace, if there is one: r may be nil.
func (r *Recorder) Close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	problem := r.end("closed")
	r.mu.Unlock()
	r.tell(problem)
}

func dataFrame(head wire.DataHead) frame {
	return frame{StreamID: head.StreamID, EndStream: head.EndStream, Data: &head.Length}
}

func (r *Recorder) record(from string, shown frame) {
	r.mu.Lock()
	problem := r.write(line{T: r.elapsed(), From: from, Frame: &shown})
	if r.left < 0 && problem == nil {
		problem = r.end("limit")
	}
	r.mu.Unlock()
	r.tell(problem)
}

func (r *Recorder) end(why string) error {
	problem := r.write(line{T: r.elapsed(), End: why})
	r.close()
	return problem
}

func (r *Recorder) elapsed() float64 { return math.Round(time.Since(r.begun).Seconds()*1e6) / 1e6 }

// write appends a line to the file, if it is open. After an error it is closed.
func (r *Recorder) write(value any) error {
	if r.file == nil {
		return nil
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // it consists of numbers and text
	}
	r.left -= text.Len()
	_, err := r.file.Write(text.Bytes())
	if err != nil {
		r.close()
		return fmt.Errorf("the trace ends early: %w", err)
	}
	return nil
}

func (r *Recorder) close() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
}

// tell warns without the mutex.
func (r *Recorder) tell(problem error) {
	if problem != nil {
		r.warn(problem.Error())
	}
}
