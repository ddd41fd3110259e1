//go:build !linux && !darwin

package embedded

import (
	"errors"
	"runtime"
)

func (p Plugin) unpackInto(string, func(string)) (string, error) {
	return "", errors.New("programs for " + runtime.GOOS + " cannot carry a plugin")
}
