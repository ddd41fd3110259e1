package link

import (
	"errors"
	"slices"
	"sync"
)

// output is the pipe to which frames are written in turns: one goroutine at a time, small frames before bulk data, and
// one frame per turn. With a plain lock, one stream could take turn after turn.
type output struct {
	sink    sink
	control func() []byte // returns the control frames that are owed
	blocked func(int)     // called with 1 when a writer starts to wait for room, and with -1 after it
	failed  func(error)   // called once, when writing has failed

	recorder Recorder // may be nil

	mu     sync.Mutex
	busy   bool
	owed   bool // control frames have become owed during this turn
	broken error
	small  []chan struct{}
	bulk   []chan struct{}
}

var errGivenUp = errors.New("gave up waiting for a turn")

// acquire waits for a turn. The error is errGivenUp if done was closed, or else the error that broke the output.
func (o *output) acquire(bulk bool, done <-chan struct{}) error {
	o.mu.Lock()
	if o.broken != nil || !o.busy {
		o.busy = true
		defer o.mu.Unlock()
		return o.broken
	}
	gate := make(chan struct{})
	queue := &o.small
	if bulk {
		queue = &o.bulk
	}
	*queue = append(*queue, gate)
	o.mu.Unlock()
	select {
	case <-gate:
	case <-done:
		if o.leave(queue, gate) {
			return errGivenUp
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.broken
}

// leave removes gate from queue. It returns false if gate already has its turn.
func (o *output) leave(queue *[]chan struct{}, gate chan struct{}) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	i := slices.Index(*queue, gate)
	if i < 0 {
		return false
	}
	*queue = slices.Delete(*queue, i, i+1)
	return true
}

// post writes a frame and ends the turn without waiting for room. If there is no room, a goroutine writes the rest, so
// the caller must not use the frame any more.
func (o *output) post(frame []byte) {
	o.record(frame)
	rest, err := o.sink.write(frame, nil, false, nil)
	if err != nil || len(rest) == 0 {
		o.release(err)
		return
	}
	go func() { o.release(o.writeRest(rest, nil)) }()
}

// write writes two buffers during a turn, waiting for room. second is the payload of the frame in first.
func (o *output) write(first, second []byte) error {
	o.record(first)
	return o.writeRest(first, second)
}

func (o *output) record(frames []byte) {
	if o.recorder != nil {
		o.recorder.Sent(frames)
	}
}

func (o *output) writeRest(first, second []byte) error {
	_, err := o.sink.write(first, second, true, o.blocked)
	return err
}

// flush writes the control frames that are owed. If another goroutine has the turn, that one writes them. It returns no
// error: the next read or write fails as well.
func (o *output) flush() {
	o.mu.Lock()
	o.owed = true
	if o.busy || o.broken != nil {
		o.mu.Unlock()
		return
	}
	o.busy = true
	o.mu.Unlock()
	o.release(nil)
}

// release ends a turn, in which writing had the result err, and passes it on, first to control frames.
func (o *output) release(err error) {
	if err != nil {
		o.fail(err)
		return
	}
	o.mu.Lock()
	if o.owed && o.broken == nil {
		o.owed = false
		o.mu.Unlock()
		o.post(o.control())
		return
	}
	defer o.mu.Unlock()
	queue := &o.small
	if len(o.small) == 0 {
		queue = &o.bulk
	}
	if len(*queue) == 0 {
		o.busy = false
		return
	}
	close((*queue)[0])
	*queue = slices.Delete(*queue, 0, 1)
}

// fail stops all writing, because the last frame may be incomplete.
func (o *output) fail(err error) {
	o.mu.Lock()
	first := o.broken == nil
	if first {
		o.broken = err
	}
	for _, queue := range []*[]chan struct{}{&o.small, &o.bulk} {
		for _, gate := range *queue {
			close(gate)
		}
		*queue = nil
	}
	o.mu.Unlock()
	if first {
		o.failed(err)
	}
}
