//go:build !unix

package client

import (
	"errors"
	"os"
	"os/exec"
)

func setProcess(*exec.Cmd) {}

func interruptProcess(*os.Process) error {
	return errors.New("kernels that are interrupted by a signal cannot be here")
}

func killProcess(p *os.Process) error { return p.Kill() }
