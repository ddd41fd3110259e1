package link

import (
	"context"
	"slices"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// Open waits for a slot and sends a request's head. If whole is true, it also sends the content of at most
// wire.SmallCredit bytes. When ctx ends, the exchange is canceled. The error is a *NotSentError.
func (l *Link) Open(ctx context.Context, head *pluginv1.Request, content []byte, whole bool) (*Exchange, error) {
	e := &Exchange{link: l, ctx: ctx}
	for {
		if err := l.awaitSlot(ctx); err != nil {
			return nil, &NotSentError{err}
		}
		if err := l.out.acquire(false, ctx.Done()); err != nil {
			return nil, &NotSentError{l.whyNot(ctx)}
		}
		frame, err := l.open(e, head, content, whole)
		if frame == nil {
			l.out.release(nil)
			if err != nil {
				return nil, &NotSentError{err}
			}
			continue // another request took the slot
		}
		if ctx.Done() != nil {
			e.stop = context.AfterFunc(ctx, func() { e.cancel(context.Cause(ctx)) })
		}
		l.out.post(frame)
		return e, nil
	}
}

// open returns the bytes that open a stream, or nil if there is no slot or an error.
func (l *Link) open(e *Exchange, head *pluginv1.Request, content []byte, whole bool) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.notTaking(); err != nil || !l.conn.CanOpen() {
		return nil, err
	}
	stream, frame, err := l.conn.Open(head, whole && len(content) == 0)
	if err != nil {
		return nil, err
	}
	e.stream, stream.Owner = stream, e
	if whole && len(content) > 0 {
		if frame, err = l.conn.SendData(frame, stream, len(content), true); err != nil {
			panic(err) // a new stream has credit for it
		}
		frame = append(frame, content...)
	}
	return frame, nil
}

// notTaking returns the reason why no more streams can be opened, or nil. Call it with mu locked.
func (l *Link) notTaking() error {
	switch {
	case l.err != nil:
		return l.err
	case l.closing != nil:
		return l.closing
	case l.conn.GoingAway() != nil:
		return &ExhaustedError{Reason: l.conn.GoingAway().GetMessage()}
	case l.conn.Exhausted():
		return &ExhaustedError{Reason: "all of its stream IDs have been used"}
	}
	return nil
}

// Spent reports whether no more streams can be opened. used reports whether all stream IDs have been used.
func (l *Link) Spent() (spent, used bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over || l.notTaking() != nil, !l.over && l.err == nil && l.conn.UsedUp()
}

// awaitSlot waits until a stream can be opened, or none ever again.
func (l *Link) awaitSlot(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	ready := func() bool { return l.conn.CanOpen() || l.notTaking() != nil }
	if ready() {
		return l.notTaking()
	}
	w := &waiter{}
	l.forSlots = append(l.forSlots, w)
	err := l.waitContext(ctx, w, ready)
	l.noSlotFor(w)
	if err != nil {
		return err
	}
	return l.notTaking()
}

// wakeForSlot wakes the first goroutine that waits for a slot, if there is one. Call it with mu locked.
func (l *Link) wakeForSlot() {
	if len(l.forSlots) > 0 && (l.conn.CanOpen() || l.notTaking() != nil) {
		l.wake(l.forSlots[0])
	}
}

// noSlotFor removes w from the goroutines that wait for a slot, and offers the slot to the next. Call it with mu
// locked.
func (l *Link) noSlotFor(w *waiter) {
	l.forSlots = slices.DeleteFunc(l.forSlots, func(other *waiter) bool { return other == w })
	l.wakeForSlot()
}

// whyNot returns the reason why there was no turn: the end of ctx, or the last words of a plugin that has stopped
// reading. A plugin that died may have been closed since, so its death takes precedence.
func (l *Link) whyNot(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.waitContext(ctx, &waiter{}, func() bool { return l.closing != nil }); err != nil {
		return err
	}
	return l.notTaking()
}
