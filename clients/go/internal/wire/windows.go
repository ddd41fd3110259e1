package wire

// Credit for data, per stream and direction (section 6).
//
// A receiver's window has no fixed size. Credit is what the peer may still send, unread what has come and
// was not consumed yet; together they never exceed size, so size is the memory that the stream may take. A
// stream whose consumer keeps up is given a larger size out of a budget that all streams share. Credit is
// announced when half of the window is free: an announcement for each read would cost a frame a read, and
// one at the very end would leave the sender waiting for it.

// largestWindow is what one busy stream may be ahead, in bytes: beyond 4 to 8 MiB nothing is gained.
const largestWindow = 8 << 20

// budget is bytes that windows may grow by, beyond the initial credit of each.
type budget struct{ left int }

func (b *budget) take(amount int) int {
	taken := min(amount, b.left)
	b.left -= taken
	return taken
}

type receiveWindow struct {
	budget *budget
	size   int
	credit int
	unread int
	ended  bool
}

func newReceiveWindow(b *budget) receiveWindow {
	return receiveWindow{budget: b, size: InitialCredit, credit: InitialCredit}
}

func (w *receiveWindow) receive(amount int) error {
	if amount > w.credit {
		return broken("credit", "%d bytes of data with %d bytes of credit", amount, w.credit)
	}
	w.credit -= amount
	w.unread += amount
	return nil
}

// consume accounts for bytes that were read, and returns the credit to announce now, mostly 0.
func (w *receiveWindow) consume(amount int) int {
	w.unread -= amount
	if w.ended {
		w.end()
		return 0
	}
	free := w.size - w.credit - w.unread
	if free*2 < w.size {
		return 0
	}
	grown := w.budget.take(min(w.size, largestWindow-w.size))
	w.size += grown
	w.credit += free + grown
	return free + grown
}

// end says that no more will come: what the window had grown by is free once everything was read.
func (w *receiveWindow) end() {
	w.ended = true
	if w.unread == 0 {
		w.close()
	}
}

// close says that nobody will read either; twice is once.
func (w *receiveWindow) close() {
	w.ended = true
	w.budget.left += w.size - InitialCredit
	w.size = InitialCredit
}

type sendWindow struct{ credit int }

func (w *sendWindow) grow(amount uint32) error {
	if amount == 0 || int64(amount) > MaxCredit-int64(w.credit) {
		return broken("window-update", "a window update of %d bytes on %d", amount, w.credit)
	}
	w.credit += int(amount)
	return nil
}
