package engine

import (
	"errors"
	"os"
	"os/exec"
)

// ownGroup does nothing: sessions do not start on Windows yet, see self.
func ownGroup(*exec.Cmd) {}

func killGroup(p *os.Process) error { return p.Kill() }

func signalOf(*os.ProcessState) string { return "" }

func self() (string, error) {
	return "", errors.New("cells cannot run on Windows yet: session processes are handed their pipes in a way that Windows lacks; use WSL")
}
