// Package link carries the caller's frames over a pair of pipes, for any number of goroutines.
//
// Reading is a role. A goroutine that waits for something takes the role if it is free, reads frames for everybody
// until its own wait is over, and passes the role on; the others sleep. So a goroutine usually reads the frame that it
// waits for itself, into its own buffer, and messages rarely change goroutines. The holder of the role never writes,
// and waits for nothing but the pipe. A goroutine that is busy elsewhere does not hold the role. Writing happens in
// turns.
//
// Lock order: first a turn of the output, then the link's mutex. The mutex guards the state of the connection and of
// every exchange, and is never held during I/O.
package link
