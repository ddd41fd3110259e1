package link

import (
	"io"

	"udist.dev/plugin/udist/internal/wire"
)

// input reads frames from a pipe: heads through a small buffer, payloads directly into their destination. Any call may
// return errInterrupted. Then nothing is lost, and the same call continues.
type input struct {
	pipe  source
	ahead [4096]byte // read ahead; a larger buffer would copy payloads
	start int
	end   int

	message []byte // a partly read frame that is too long for ahead
	filled  int
}

// next returns the next frame: either the head of a canonical data frame, whose payload must be read next, or the
// message of any other frame, which is valid until the next call. The error is io.EOF at the end.
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

// payload reads once into target, which must end within the frame, and the head of the next frame with it: more would be
// copied, and would leave the rest of that frame's payload to be read to another offset within a page than it has in the
// kernel. Some processors copy at half their speed then.
func (in *input) payload(target []byte) (int, error) {
	copied := copy(target, in.ahead[in.start:in.end])
	in.start += copied
	if copied == len(target) {
		return copied, nil
	}
	in.start, in.end = 0, 0
	n, err := in.pipe.read(target[copied:], in.ahead[:wire.LookAhead], true)
	n += copied
	if n > len(target) {
		in.end = n - len(target)
		n = len(target)
	}
	return n, err
}

// beginning returns what was read ahead and not used: text in place of a frame.
func (in *input) beginning() []byte {
	return append([]byte(nil), in.ahead[in.start:in.end]...)
}

// have reads ahead until there are size bytes.
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
