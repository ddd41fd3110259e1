package udist

import "time"

// SetPatience shortens each wait for a store, and gives back what undoes that.
func SetPatience(short time.Duration) (undo func()) {
	before := patience
	patience = short
	return func() { patience = before }
}
