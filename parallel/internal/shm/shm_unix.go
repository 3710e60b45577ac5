//go:build unix

package shm

import (
	"os"
	"syscall"
)

func mapShared(file *os.File, size int) ([]byte, error) {
	return syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED|noReserve)
}

// MapPrivate gives zeroed memory of this process alone, at a fixed address, whose
// pages are taken when they are touched.
func MapPrivate(size int) ([]byte, error) {
	return syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON|noReserve)
}

// unlinkedFile makes a file that has lost its name, so that it goes with the last
// process that has it open.
func unlinkedFile(dir string, size int64) (*os.File, error) {
	file, err := os.CreateTemp(dir, "parallel")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, err
	}
	if err := file.Truncate(size); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}
