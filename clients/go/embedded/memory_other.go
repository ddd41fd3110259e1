//go:build !linux

package embedded

import "errors"

func (p Plugin) load() (path string, added bool, err error) {
	return "", false, errors.New("only Linux can run a program from memory")
}
