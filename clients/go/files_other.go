//go:build !linux

package udist

import (
	"errors"
	"os"

	"udist.dev/plugin/udist/internal/pluginv1"
)

const canShareFiles = false

func openProcess(int) (*os.File, error) { return nil, errors.ErrUnsupported }

func (*peerFiles) open(*pluginv1.File) (*os.File, error) { return nil, errors.ErrUnsupported }

func describe(*os.File, int64, int64) *pluginv1.File { return nil }
