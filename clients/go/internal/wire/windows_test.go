package wire

import (
	"errors"
	"math/rand/v2"
	"testing"

	"udist.dev/plugin/udist/internal/pluginv1"
)

// TestWindows reads and receives at random: no window ever holds more than its size, all of them together no
// more than their budget, and in the end the budget is whole.
func TestWindows(t *testing.T) {
	const memory = 20 << 20
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		shared := Budget{left: memory}
		windows := make([]receiveWindow, 5)
		for i := range windows {
			windows[i] = newReceiveWindow(&shared, InitialCredit)
		}
		for range 500 {
			window := &windows[random.IntN(len(windows))]
			before := window.credit
			switch random.IntN(3) {
			case 0, 1:
				if err := window.receive(random.IntN(min(before, MaxData) + 1)); err != nil {
					t.Fatal(err)
				}
			case 2:
				if window.unread == 0 {
					continue
				}
				if granted := window.consume(1 + random.IntN(window.unread)); window.credit != before+granted {
					t.Fatalf("%d credit after %d and %d granted", window.credit, before, granted)
				}
			}
			grown := 0
			for _, window := range windows {
				if window.credit+window.unread > window.size || window.size > largestWindow {
					t.Fatalf("%+v", window)
				}
				if free := window.size - window.credit - window.unread; free*2 >= window.size+2*MaxData {
					t.Fatalf("%d free of %d and not granted", free, window.size)
				}
				grown += window.size - InitialCredit
			}
			if grown+shared.left != memory {
				t.Fatalf("%d grown and %d left of %d", grown, shared.left, memory)
			}
		}
		for i := range windows {
			windows[i].end()
			windows[i].consume(windows[i].unread)
		}
		if shared.left != memory {
			t.Fatalf("%d left of %d", shared.left, memory)
		}
	}
}

func TestBeyondCredit(t *testing.T) {
	window := newReceiveWindow(&Budget{}, InitialCredit)
	var broken *ConnectionError
	if err := window.receive(InitialCredit + 1); !errors.As(err, &broken) || broken.Name != "credit" {
		t.Errorf("%v", err)
	}
}

// TestUsedUp opens the last stream that there can be.
func TestUsedUp(t *testing.T) {
	c := NewConnection(0)
	c.highestID = MaxStreamID - 2
	request := &pluginv1.Request{Method: "GET", Scheme: "http", Target: "/"}
	stream, _, err := c.Open(request, true)
	if err != nil || stream.ID != MaxStreamID || !c.UsedUp() || !c.Exhausted() {
		t.Fatalf("%+v, %v", stream, err)
	}
	if _, _, err := c.Open(request, true); err == nil {
		t.Error("one more was opened")
	}
}
