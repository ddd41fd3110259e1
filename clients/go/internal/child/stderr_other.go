//go:build !unix

package child

import "os"

// stderr is this side's end of the child's standard error.
type stderr struct{ file *os.File }

// end can wake nobody here: a grandchild that holds the other end open is waited for, within a bound.
func (s *stderr) end() {}

func (s *stderr) Read(p []byte) (int, error) { return s.file.Read(p) }
