package wire

// Constants of version 1 (section 1, "Limits").
const (
	// Version is the one that is spoken here.
	Version = 1
	// PrefixSize counts one flag byte, always 0, and the frame's length, four bytes, big-endian.
	PrefixSize = 5
	// MaxData is the largest payload of a data frame, in bytes.
	MaxData = 1 << 20
	// MaxControl is the largest frame that carries no canonical data, in bytes without the prefix.
	MaxControl = 64 << 10
	// InitialCredit is what either side may send on a new stream before the peer grants more, in bytes.
	InitialCredit = 256 << 10
	// MaxCredit is the most that a stream may be granted.
	MaxCredit = 1<<31 - 1
	// InitialStreams may be open before the plugin's settings allow more.
	InitialStreams = 64
	// MaxStreamID is the highest id of a stream.
	MaxStreamID = 1<<31 - 1
	// LookAhead bytes suffice to tell a canonical data frame's head from anything else.
	LookAhead = PrefixSize + 13

	maxDataHead = 32
	maxMessage  = 4096
)
