//go:build unix && !linux

package shm

import "os"

func anonymousFile(size int64) (*os.File, error) { return unlinkedFile(os.TempDir(), size) }

const noReserve = 0

func discard(*os.File, []byte, Offset, int) bool { return false }
