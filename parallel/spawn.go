package parallel

import (
	"encoding/gob"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
)

type childCommand = *exec.Cmd

// spawner starts all children from one thread that never ends: Linux kills a
// child with Pdeathsig when the thread that made it ends (golang/go#27505).
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// startChild starts a worker process: this program again, told by its
// environment, with pipes for tasks and replies and the shared memory.
func startChild() (*child, error) {
	if _, err := functions(); err != nil {
		return nil, err
	}
	memory, err := arenaFile()
	if err != nil {
		return nil, err
	}
	program, err := program()
	if err != nil {
		return nil, err
	}
	tasksR, tasksW, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	repliesR, repliesW, err := os.Pipe()
	if err != nil {
		tasksR.Close()
		tasksW.Close()
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	cmd := exec.Command(program)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), roleVariable+"=worker")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{tasksR, repliesW, memory}
	childAttributes(cmd)
	started := make(chan error, 1)
	spawner() <- func() { started <- cmd.Start() }
	err = <-started
	tasksR.Close()
	repliesW.Close()
	if err != nil {
		tasksW.Close()
		repliesR.Close()
		return nil, err
	}
	return &child{cmd: cmd, enc: gob.NewEncoder(tasksW), dec: gob.NewDecoder(repliesR), files: []*os.File{tasksW, repliesR}}, nil
}
