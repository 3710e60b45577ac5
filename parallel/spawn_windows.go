package parallel

import (
	"errors"
	"os"
	"os/exec"
)

func program() (string, error) {
	return "", errors.New("processes cannot be started on Windows yet: use Goroutines, or WSL")
}

func childAttributes(*exec.Cmd) {}

func closeOnExec(int) {}

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

func ended(*os.File) bool { return false }

type fileID struct{}

func identify(*os.File) fileID { return fileID{} }

// diesWithParent tells whether the system ends a child when its parent ends.
const diesWithParent = false
