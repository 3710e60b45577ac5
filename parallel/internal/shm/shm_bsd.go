//go:build unix && !linux

package shm

import "os"

// AnonymousFile makes a file that can be handed to children and has no name.
func AnonymousFile(size int64) (*os.File, error) { return unlinkedFile(os.TempDir(), size) }

const noReserve = 0

func discard(*os.File, []byte, Offset, int) bool { return false }
