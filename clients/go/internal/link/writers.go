package link

import (
	"fmt"
	"slices"
	"time"
)

// lastWords is how long to wait for more from a plugin that reads no more: what it said before may be an
// answer.
const lastWords = 5 * time.Second

// StuckError says that the plugin reads no more, though it has not ended.
type StuckError struct{ Err error }

func (e *StuckError) Error() string { return fmt.Sprintf("the plugin reads no more: %v", e.Err) }

func (e *StuckError) Unwrap() error { return e.Err }

// takeControl is the frames that the protocol itself owes.
func (l *Link) takeControl() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn.TakeControl()
}

// flushElsewhere has what is owed written by another goroutine, one at a time: the reader never writes.
// Under mu.
func (l *Link) flushElsewhere() {
	if l.flushing {
		return
	}
	l.flushing = true
	go func() {
		l.mu.Lock()
		l.flushing = false
		l.mu.Unlock()
		l.out.flush()
	}()
}

// writerFailed waits for the end of the plugin's output, which tells why, but not for long.
func (l *Link) writerFailed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil || l.closing {
		return
	}
	time.AfterFunc(lastWords, func() { l.endBy(&StuckError{err}) })
}

// writerBlocked counts the writers that wait for room. Somebody must read meanwhile: the plugin may wait for
// that before it takes more.
func (l *Link) writerBlocked(change int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocked += change
	if l.blocked == 0 && l.standing != nil {
		l.wake(l.standing)
		l.disturb()
		return
	}
	l.passOn()
}

// standBy reads in a goroutine of its own while writers wait. Under mu.
func (l *Link) standBy() {
	if l.standing != nil {
		return
	}
	l.standing = &waiter{}
	go func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.wait(l.standing, func() bool { return l.blocked == 0 || l.err != nil })
		l.standing = nil
	}()
}

// readAlways is for systems where a reader cannot be interrupted: it holds the role, and nobody else.
func (l *Link) readAlways() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait(&waiter{}, func() bool { return l.err != nil })
}

// wakeForSlot wakes whoever waits first for a slot, if there is one. Under mu.
func (l *Link) wakeForSlot() {
	if len(l.forSlots) > 0 && (l.conn.CanOpen() || l.notTaking() != nil) {
		l.wake(l.forSlots[0])
	}
}

// noSlotFor takes w off the list of those who wait for a slot; there may be one for the next. Under mu.
func (l *Link) noSlotFor(w *waiter) {
	l.forSlots = slices.DeleteFunc(l.forSlots, func(other *waiter) bool { return other == w })
	l.wakeForSlot()
}
