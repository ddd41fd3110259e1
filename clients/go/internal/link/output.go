package link

import (
	"errors"
	"slices"
	"sync"
)

// output is the pipe that frames are written to, in turns: one goroutine at a time, small requests before
// bulk data, each stream one frame a turn. A plain lock would let whoever asks first keep asking first.
type output struct {
	sink    sink
	control func() []byte // the frames that the protocol itself owes
	blocked func(int)     // a writer waits for room (1), or does no more (-1)
	failed  func(error)   // writing has failed, once

	mu     sync.Mutex
	busy   bool
	owed   bool // control is owed since the turn was taken
	broken error
	small  []chan struct{}
	bulk   []chan struct{}
}

var errGivenUp = errors.New("the wait for a turn was given up")

// acquire waits for a turn. The error is errGivenUp once done is closed, or what broke the output.
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

// leave takes gate out of queue; false if it has got its turn.
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

// post writes a frame and ends the turn, without waiting for room: what finds none is written by a
// goroutine, so nobody else may use the frame any more.
func (o *output) post(frame []byte) {
	rest, err := o.sink.write(frame, nil, false, nil)
	if err != nil || len(rest) == 0 {
		o.release(err)
		return
	}
	go func() { o.release(o.write(rest, nil)) }()
}

// write writes two buffers, within a turn, waiting for room.
func (o *output) write(first, second []byte) error {
	_, err := o.sink.write(first, second, true, o.blocked)
	return err
}

// flush writes what control frames are owed, unless somebody has the turn: then that one does. That the
// plugin is gone, whoever reads or writes next will find.
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

// release ends a turn in which writing went as err says, and hands it on, to control frames first.
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

// fail lets nobody write any more: a frame may stand half written.
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
