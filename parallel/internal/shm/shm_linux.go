package shm

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

// AnonymousFile makes a file of memory that can be handed to children and has no
// name, so that it goes with the last process that has it.
// Source: memfd_create(2).
func AnonymousFile(size int64) (*os.File, error) {
	number := map[string]uintptr{"amd64": 319, "arm64": 279, "386": 356, "arm": 385, "riscv64": 279, "loong64": 279, "ppc64le": 360, "s390x": 350}[runtime.GOARCH]
	if number == 0 {
		return unlinkedFile("/dev/shm", size)
	}
	name := [...]byte{'p', 'a', 'r', 'a', 'l', 'l', 'e', 'l', 0}
	const closeOnExec = 1
	fd, _, errno := syscall.Syscall(number, uintptr(unsafe.Pointer(&name[0])), closeOnExec, 0)
	if errno != 0 {
		return nil, fmt.Errorf("memfd_create: %w", errno)
	}
	file := os.NewFile(fd, "shared memory")
	if err := file.Truncate(size); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

const noReserve = syscall.MAP_NORESERVE

// discard gives a range's whole pages back to the system; they read as zero
// afterwards. Source: fallocate(2).
func discard(file *os.File, _ []byte, o Offset, n int) bool {
	const keepSize, punchHole = 1, 2
	return n%Page == 0 && syscall.Fallocate(int(file.Fd()), keepSize|punchHole, int64(o), int64(n)) == nil
}
