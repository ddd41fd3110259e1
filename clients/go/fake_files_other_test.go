//go:build !linux

package udist_test

import "udist.dev/plugin/udist/internal/pluginv1"

func (s *fakeStream) file(*pluginv1.Frame, bool, string) {}
