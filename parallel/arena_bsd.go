//go:build unix && !linux

package parallel

import "os"

func anonymousFile(size int64) (*os.File, error) { return unlinkedFile(os.TempDir(), size) }
