package timing

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// descendants lists the processes below this one (proc(5), task/TID/children).
func descendants() (pids []int) {
	for todo := []int{self}; len(todo) > 0; todo = todo[1:] {
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", todo[0]))
		if err != nil {
			continue // it has ended
		}
		for _, t := range tasks {
			data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", todo[0], t.Name()))
			if err != nil {
				continue
			}
			for _, f := range bytes.Fields(data) {
				if pid, err := strconv.Atoi(string(f)); err == nil {
					pids, todo = append(pids, pid), append(todo, pid)
				}
			}
		}
	}
	slices.Sort(pids)
	return pids
}

// processCPU is what a living process has used. Source: clock_getcpuclockid(3),
// the kernel's encoding of a process number in a clock's.
func processCPU(pid int) time.Duration {
	var ts syscall.Timespec
	const scheduled = 2
	clock := int32(^pid<<3 | scheduled)
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}

// resident is the memory of a process in bytes, 0 if it cannot be seen.
func resident(pid int) int64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
