package wire

import (
	"encoding/binary"
	"math/bits"
)

// DataHead is the head of a canonical data frame: Size bytes of prefix and head, then Length of payload.
type DataHead struct {
	StreamID  uint32
	EndStream bool
	Length    int
	Size      int
}

// FrameLength returns the length in the five-byte prefix. It checks the limit before anything is buffered.
func FrameLength(prefix []byte) (int, error) {
	if prefix[0] != 0 {
		return 0, broken("first-byte", "a frame must start with byte 0, not %#02x", prefix[0])
	}
	length := binary.BigEndian.Uint32(prefix[1:PrefixSize])
	if length > MaxData+maxDataHead {
		return 0, broken("frame-length", "a frame of %d bytes exceeds the limit of %d", length, MaxData+maxDataHead)
	}
	return int(length), nil
}

// CheckControlLength checks the length of a frame that is not canonical data.
func CheckControlLength(length int) error {
	if length > MaxControl {
		return broken("frame-length",
			"a frame of %d bytes that is not canonical data exceeds the limit of %d", length, MaxControl)
	}
	return nil
}

// ParseDataHead parses the head of a canonical data frame (section 1, "Data frames") at the beginning of ahead, which
// must hold the first LookAhead bytes of the frame, or all of it. It returns false for any other frame, which must be
// read completely and decoded.
func ParseDataHead(ahead []byte) (DataHead, bool, error) {
	total := int(binary.BigEndian.Uint32(ahead[1:PrefixSize]))
	message := ahead[PrefixSize:min(len(ahead), PrefixSize+total)]
	if len(message) == 0 || message[0] != 0x08 {
		return DataHead{}, false, nil
	}
	id, position, ok := shortestVarint(message, 1)
	if !ok || id == 0 {
		return DataHead{}, false, nil
	}
	end := position+1 < len(message) && message[position] == 0x10 && message[position+1] == 0x01
	if end {
		position += 2
	}
	if position >= len(message) || message[position] != 0x7a {
		return DataHead{}, false, nil
	}
	length, position, ok := shortestVarint(message, position+1)
	if !ok || int64(position)+int64(length) != int64(total) {
		return DataHead{}, false, nil
	}
	if length > MaxData {
		return DataHead{}, false, broken("payload-length", "a payload of %d bytes exceeds the limit of %d", length, MaxData)
	}
	return DataHead{StreamID: id, EndStream: end, Length: int(length), Size: PrefixSize + position}, true, nil
}

// AppendDataHead appends the head of a canonical data frame to b.
func AppendDataHead(b []byte, id uint32, length int, end bool) []byte {
	size := 2 + varintSize(uint64(id)) + varintSize(uint64(length)) + length
	if end {
		size += 2
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(size))
	b = binary.AppendUvarint(append(b, 0x08), uint64(id))
	if end {
		b = append(b, 0x10, 0x01)
	}
	return binary.AppendUvarint(append(b, 0x7a), uint64(length))
}

// shortestVarint returns the number of at most 32 bits at position, and the position after it. It returns false if
// there is none, or it is not in its shortest form.
func shortestVarint(b []byte, position int) (value uint32, behind int, ok bool) {
	wide, size := binary.Uvarint(b[position:])
	if size <= 0 || wide > 1<<32-1 || size != varintSize(wide) {
		return 0, position, false
	}
	return uint32(wide), position + size, true
}

func varintSize(value uint64) int { return (bits.Len64(value|1) + 6) / 7 }
