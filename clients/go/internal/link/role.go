package link

import (
	"context"
	"slices"
)

// waiter is a sleeping goroutine. Its gate receives a token when it is removed from the list.
type waiter struct {
	gate   chan struct{}
	listed bool
}

// wait returns once ready, and reads frames meanwhile if nobody else does. ready must be true once the link has failed.
// Call it with mu locked.
func (l *Link) wait(w *waiter, ready func() bool) {
	for !ready() {
		if l.leading || l.over {
			l.follow(w)
		} else {
			l.lead(ready)
		}
	}
	l.passOn()
}

// follow sleeps until woken, either by an event or to take the role. Call it with mu locked.
func (l *Link) follow(w *waiter) {
	if w.gate == nil {
		w.gate = make(chan struct{}, 1)
	}
	w.listed = true
	l.waiting = append(l.waiting, w)
	l.mu.Unlock()
	<-w.gate
	l.mu.Lock()
}

// wake lets w check again. Call it with mu locked.
func (l *Link) wake(w *waiter) {
	if w.listed {
		l.waiting = slices.DeleteFunc(l.waiting, func(other *waiter) bool { return other == w })
		w.listed = false
		w.gate <- struct{}{}
	}
}

// passOn passes the role, if it is free, to a waiting goroutine. Call it with mu locked.
func (l *Link) passOn() {
	switch {
	case l.leading || l.over:
	case len(l.waiting) > 0:
		l.wake(l.waiting[0])
	case l.blocked > 0:
		l.standBy()
	}
}

// lead reads until ready. Call it with mu locked; it unlocks mu during each read.
func (l *Link) lead(ready func() bool) {
	l.leading = true
	for !l.over && !ready() {
		if err := l.step(); err != nil {
			l.end(err, l.in.beginning())
		}
	}
	l.leading = false
}

// disturb interrupts the reader if it waits for the pipe. Call it with mu locked.
func (l *Link) disturb() {
	if l.leading && !l.disturbed {
		l.disturbed = true
		l.in.pipe.interrupt()
	}
}

// calm lets the reader wait again. Call it with mu locked.
func (l *Link) calm() {
	if l.disturbed {
		l.disturbed = false
		l.in.pipe.resume()
	}
}

// waitContext is wait, but also ends when ctx ends or the link fails. Call it with mu locked.
func (l *Link) waitContext(ctx context.Context, w *waiter, ready func() bool) error {
	given := false
	if ctx.Done() != nil {
		defer context.AfterFunc(ctx, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			given = true
			l.wake(w)
			l.disturb()
		})()
	}
	l.wait(w, func() bool { return ready() || given || l.err != nil })
	switch {
	case ready():
		return nil
	case l.err != nil:
		return l.err
	}
	return context.Cause(ctx)
}

// writerBlocked counts the writers that wait for room. A goroutine must read meanwhile, because the plugin may wait for
// that before it reads more.
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

// standBy reads in a separate goroutine while writers wait. Call it with mu locked.
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

// readAlways holds the role for good, on systems where a reader cannot be interrupted.
func (l *Link) readAlways() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait(&waiter{}, func() bool { return l.err != nil })
}
