package wire

// Constants of version 1 (section 1, "Limits").
const (
	// Version is the protocol version that this package implements.
	Version = 1
	// PrefixSize is one flag byte, which is always 0, and four bytes for the frame's length, big-endian.
	PrefixSize = 5
	// MaxData is the largest payload of a data frame, in bytes.
	MaxData = 1 << 20
	// MaxControl is the largest frame without canonical data, in bytes, not counting the prefix.
	MaxControl = 64 << 10
	// InitialCredit is how many bytes either side can send on a new stream before the peer grants more.
	InitialCredit = 256 << 10

	// SmallCredit is how much of that a stream has that is opened while InitialStreams others are open.
	SmallCredit = 16 << 10

	// DeclaredCredit is the capability of a caller whose requests say how much credit their stream begins with, and of
	// a plugin that heeds it.
	DeclaredCredit = "initial-credit"
	// MaxCredit is the highest credit of a stream.
	MaxCredit = 1<<31 - 1
	// InitialStreams is how many streams can be open before the plugin's settings allow more.
	InitialStreams = 64
	// MaxStreamID is the highest stream ID.
	MaxStreamID = 1<<31 - 1
	// LookAhead is how many bytes are enough to recognize the head of a canonical data frame.
	LookAhead = PrefixSize + 13

	maxDataHead = 32
	maxMessage  = 4096
)
