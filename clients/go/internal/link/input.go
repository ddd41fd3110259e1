package link

import (
	"io"

	"udist.dev/plugin/udist/internal/wire"
)

// input takes frames off a pipe: heads through a small buffer, payloads straight to where they belong. Any
// call may end with errInterrupted: nothing is lost, and the same call goes on.
type input struct {
	pipe  source
	ahead [4096]byte // read ahead of what is needed; a larger one would copy payloads
	start int
	end   int

	message []byte // a frame being read that is too long for ahead
	filled  int
}

// next is the next frame: the head of a canonical data frame, whose payload must then be read; or any other
// frame's message, valid until the next call. The error is io.EOF at the end.
func (in *input) next() (head wire.DataHead, message []byte, err error) {
	if in.message == nil {
		if err := in.have(wire.PrefixSize); err != nil {
			return head, nil, err
		}
		length, err := wire.FrameLength(in.ahead[in.start:in.end])
		if err != nil {
			return head, nil, err
		}
		if err := in.have(min(wire.PrefixSize+length, wire.LookAhead)); err != nil {
			return head, nil, err
		}
		head, canonical, err := wire.ParseDataHead(in.ahead[in.start:in.end])
		if err != nil {
			return head, nil, err
		}
		if canonical {
			in.start += head.Size
			return head, nil, nil
		}
		if err := wire.CheckControlLength(length); err != nil {
			return head, nil, err
		}
		in.start += wire.PrefixSize
		if length <= in.end-in.start {
			message := in.ahead[in.start : in.start+length]
			in.start += length
			return head, message, nil
		}
		in.message, in.filled = make([]byte, length), 0
	}
	for in.filled < len(in.message) {
		n, err := in.payload(in.message[in.filled:])
		in.filled += n
		if err == io.EOF {
			return head, nil, wire.Truncated(len(in.message) - in.filled)
		}
		if err != nil {
			return head, nil, err
		}
	}
	message, in.message = in.message, nil
	return head, message, nil
}

// payload reads once into target, which reaches no further than the frame, and reads ahead what comes with
// it.
func (in *input) payload(target []byte) (int, error) {
	if in.start < in.end {
		n := copy(target, in.ahead[in.start:in.end])
		in.start += n
		return n, nil
	}
	in.start, in.end = 0, 0
	n, err := in.pipe.read(target, in.ahead[:], true)
	if n > len(target) {
		in.end = n - len(target)
		n = len(target)
	}
	return n, err
}

// beginning is what was read ahead and not used: the text that stands where a frame should.
func (in *input) beginning() []byte {
	return append([]byte(nil), in.ahead[in.start:in.end]...)
}

// have reads until size bytes stand ahead.
func (in *input) have(size int) error {
	if in.end-in.start >= size {
		return nil
	}
	in.end = copy(in.ahead[:], in.ahead[in.start:in.end])
	in.start = 0
	for in.end < size {
		n, err := in.pipe.read(in.ahead[in.end:], nil, in.end > 0)
		in.end += n
		if n == 0 && err == io.EOF && in.end > 0 {
			if in.ahead[0] != 0 {
				_, err := wire.FrameLength(in.ahead[:wire.PrefixSize])
				return err
			}
			return wire.Truncated(0)
		}
		if n == 0 && err != nil {
			return err
		}
	}
	return nil
}
