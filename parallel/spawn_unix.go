//go:build unix

package parallel

import (
	"os"
	"syscall"
)

func closeOnExec(fd int) { syscall.CloseOnExec(fd) }

// exitCode is 0 to 255, or the negative number of the signal that ended the process.
func exitCode(state *os.ProcessState) int {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return -int(ws.Signal())
	}
	return state.ExitCode()
}

// ended tells whether whoever writes to a pipe is gone. Nothing has been written.
func ended(pipe *os.File) bool {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return true
	}
	var n int
	var readErr error
	err = conn.Read(func(fd uintptr) bool {
		n, readErr = syscall.Read(int(fd), make([]byte, 1))
		return true
	})
	return err != nil || n == 0 && readErr == nil
}

// A fileID is what a descriptor leads to.
type fileID struct{ dev, ino uint64 }

func identify(f *os.File) (id fileID) {
	var st syscall.Stat_t
	if f != nil && syscall.Fstat(int(f.Fd()), &st) == nil {
		id = fileID{uint64(st.Dev), uint64(st.Ino)}
	}
	return id
}
