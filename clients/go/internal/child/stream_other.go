//go:build !linux

package child

import "os"

func input() (ours, theirs *os.File, err error) {
	theirs, ours, err = os.Pipe()
	return ours, theirs, err
}

func output() (ours, theirs *os.File, err error) { return os.Pipe() }
