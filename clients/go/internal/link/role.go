package link

import (
	"context"
	"slices"
)

// waiter is a goroutine's place to sleep at. Its gate gets a token whenever it is taken from the list.
type waiter struct {
	gate   chan struct{}
	listed bool
}

// wait returns once ready, reading frames meanwhile if nobody else does. ready must be true once the link
// has failed. Under mu.
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

// follow sleeps until woken, for an event of one's own or to take the role. Under mu.
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

// wake lets w look again. Under mu.
func (l *Link) wake(w *waiter) {
	if w.listed {
		l.waiting = slices.DeleteFunc(l.waiting, func(other *waiter) bool { return other == w })
		w.listed = false
		w.gate <- struct{}{}
	}
}

// passOn gives the role, if it is free, to somebody who waits. Under mu.
func (l *Link) passOn() {
	switch {
	case l.leading || l.over:
	case len(l.waiting) > 0:
		l.wake(l.waiting[0])
	case l.blocked > 0:
		l.standBy()
	}
}

// lead reads until ready. Under mu, which is let go of for every read.
func (l *Link) lead(ready func() bool) {
	l.leading = true
	for !l.over && !ready() {
		if err := l.step(); err != nil {
			l.end(err, l.in.beginning())
		}
	}
	l.leading = false
}

// disturb makes the reader look up from a pipe that gives nothing. Under mu.
func (l *Link) disturb() {
	if l.leading && !l.disturbed {
		l.disturbed = true
		l.in.pipe.interrupt()
	}
}

// calm lets the reader wait again. Under mu.
func (l *Link) calm() {
	if l.disturbed {
		l.disturbed = false
		l.in.pipe.resume()
	}
}

// waitContext is wait for as long as ctx lets it, and as the link lives. Under mu.
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
