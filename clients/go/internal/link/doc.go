// Package link carries the caller's frames over a pair of pipes, for any number of goroutines.
//
// Reading is a role. A goroutine that waits for something takes it if it is free, reads frames for
// everybody until its own wait is over, and passes it on; the others sleep. So the frame that somebody
// waits for is read by whoever waits, into that one's buffer, and mostly no message changes goroutines. The
// holder never writes, and waits for nothing but the pipe; a goroutine that is busy elsewhere does not hold
// the role. Writing goes by turns.
//
// Lock order: a turn of the output first, then the link's mutex, which guards the connection's state and
// every exchange and is never held across I/O.
package link
