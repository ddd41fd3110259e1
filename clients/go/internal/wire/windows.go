package wire

// Credit for data, per stream and direction (section 6).
//
// A receiver's window has no fixed size. credit is what the peer may still send; unread is what has arrived and has not
// been consumed yet. Together they never exceed size, which is therefore the memory that the stream can use. A stream
// whose consumer keeps up gets a larger size, from a budget shared by all streams. Credit is announced when half of the
// window is free: announcing every read would cost a frame per read, and announcing only at the end would make the
// sender wait.

// largestWindow is how many bytes one busy stream can be ahead. More than 4 to 8 MiB brings no gain.
const largestWindow = 8 << 20

// Budget is how many bytes windows can grow by, beyond the initial credit of each.
type Budget struct{ left int }

// NewBudget returns a budget of memory bytes.
func NewBudget(memory int) *Budget { return &Budget{left: memory} }

func (b *Budget) take(amount int) int {
	taken := min(amount, b.left)
	b.left -= taken
	return taken
}

type receiveWindow struct {
	budget  *Budget
	initial int
	size    int
	credit  int
	unread  int
	ended   bool
}

func newReceiveWindow(b *Budget, initial int) receiveWindow {
	return receiveWindow{budget: b, initial: initial, size: initial, credit: initial}
}

func (w *receiveWindow) receive(amount int) error {
	if amount > w.credit {
		return broken("credit", "received %d bytes of data with only %d bytes of credit", amount, w.credit)
	}
	w.credit -= amount
	w.unread += amount
	return nil
}

// consume accounts for bytes that were read, and returns the credit to announce now, which is usually 0.
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

// end notes that no more content will arrive. The window shrinks once everything has been read.
func (w *receiveWindow) end() {
	w.ended = true
	if w.unread == 0 {
		w.close()
	}
}

// close notes that nobody will read the rest. Further calls do nothing.
func (w *receiveWindow) close() {
	w.ended = true
	w.budget.left += w.size - w.initial
	w.size = w.initial
}

type sendWindow struct{ credit int }

func (w *sendWindow) grow(amount uint32) error {
	if amount == 0 || int64(amount) > MaxCredit-int64(w.credit) {
		return broken("window-update", "invalid window update of %d bytes: the credit is %d", amount, w.credit)
	}
	w.credit += int(amount)
	return nil
}
