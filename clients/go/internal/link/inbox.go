package link

import (
	"math/bits"
	"sync"
)

// inbox holds the payload that has arrived on one stream and has not been read. A waiting consumer lends its own
// buffer, and the payload is read directly into it; otherwise it is read into a pooled buffer. The link's mutex
// guards all of it, except the memory returned by claim until settle is called.
type inbox struct {
	chunks  []*chunk
	lent    []byte
	filled  int    // bytes of lent that have arrived
	coming  int    // bytes still missing of a payload whose head has arrived
	open    *chunk // is being filled, and not among chunks
	filling bool
	dropped bool
}

// chunk is part of a payload. buffer[start:end] has not been read.
type chunk struct {
	buffer []byte
	start  int
	end    int
}

const smallestChunk = 64 << 10

// pools hold buffers by size: powers of two from the smallest chunk to the largest payload.
var pools [5]sync.Pool

func newChunk(length int) *chunk {
	class := bits.Len(uint(length-1) / smallestChunk)
	if pooled, ok := pools[class].Get().(*chunk); ok {
		pooled.start, pooled.end = 0, 0
		return pooled
	}
	return &chunk{buffer: make([]byte, smallestChunk<<class)}
}

func (c *chunk) giveBack() { pools[bits.Len(uint(len(c.buffer)-1)/smallestChunk)].Put(c) }

// lend offers p to the goroutine that reads frames.
func (i *inbox) lend(p []byte) { i.lent, i.filled = p, 0 }

// reclaim takes the lent buffer back, and returns how many bytes it contains.
func (i *inbox) reclaim() int {
	n := i.filled
	i.lent, i.filled = nil, 0
	return n
}

// move copies content that has already arrived.
func (i *inbox) move(p []byte) int {
	if len(i.chunks) == 0 {
		return 0
	}
	first := i.chunks[0]
	n := copy(p, first.buffer[first.start:first.end])
	first.start += n
	if first.start == first.end {
		first.giveBack()
		i.chunks = i.chunks[1:]
	}
	return n
}

// expect announces a payload.
func (e *Exchange) expect(length int) {
	e.coming = length
	if length == 0 {
		e.wakeUp()
	}
}

// claim returns a buffer for part of a payload of which left bytes are missing. settle must follow.
func (e *Exchange) claim(left int) []byte {
	if e.dropped {
		return e.link.scratch(left)
	}
	e.filling = true
	if e.filled < len(e.lent) && len(e.chunks) == 0 {
		return e.lent[e.filled:min(len(e.lent), e.filled+left)]
	}
	last := len(e.chunks) - 1
	if last >= 0 && e.chunks[last].end < len(e.chunks[last].buffer) {
		e.open, e.chunks = e.chunks[last], e.chunks[:last]
	} else {
		e.open = newChunk(left)
	}
	end := e.open.end
	return e.open.buffer[end:min(len(e.open.buffer), end+left)]
}

// settle notes that n bytes have been read into the buffer from claim.
func (e *Exchange) settle(n int) {
	e.coming -= n
	if e.dropped && !e.filling {
		return
	}
	e.filling = false
	switch open := e.open; {
	case open == nil:
		e.filled += n
	case open.end+n > open.start:
		open.end += n
		e.chunks = append(e.chunks, open)
	default:
		open.giveBack()
	}
	e.open = nil
	if e.dropped {
		e.drop()
	}
	e.wakeUp()
}

// put adds a payload that is already in memory.
func (e *Exchange) put(payload []byte) {
	e.expect(len(payload))
	for len(payload) > 0 {
		n := copy(e.claim(len(payload)), payload)
		e.settle(n)
		payload = payload[n:]
	}
}

// drop discards content that was received and not read, and all content that is still to come.
func (e *Exchange) drop() {
	e.dropped = true
	unread := 0
	for _, c := range e.chunks {
		unread += c.end - c.start
		c.giveBack()
	}
	e.chunks = nil
	if unread > 0 {
		e.link.conn.Consume(e.stream, unread)
	}
}
