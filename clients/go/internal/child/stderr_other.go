//go:build !unix

package child

import "os"

// stderr is this side's end of the child's standard error.
type stderr struct{ file *os.File }

// end cannot wake up a waiting Read here. If a grandchild keeps the other end open, Process waits for draining.
func (s *stderr) end() {}

func (s *stderr) Read(p []byte) (int, error) { return s.file.Read(p) }
