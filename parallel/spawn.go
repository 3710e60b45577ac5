package parallel

import (
	"bufio"
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/paragopher/paragopher/parallel/internal/shm"
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

// startChild gives a worker process, from the spares if there is one: this program
// again, told by its environment, with pipes for tasks and replies and the shared
// memory. Its version says which code of the host it has already.
func startChild() (*child, error) {
	began := spanBegin()
	c := spares.take()
	if c == nil {
		var err error
		if c, err = startCold(os.Stdout, os.Stderr); err != nil {
			return nil, err
		}
	}
	spanEnd(spanStart, 0, c.pid(), "start", began)
	return c, nil
}

// startCold starts a worker process with outputs of its own.
func startCold(stdout, stderr io.Writer) (*child, error) {
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
	// Where it writes what the runtime says when it crashes: a file, which never
	// makes the writer wait. Without one, that is only on standard error.
	crash, err := shm.AnonymousFile(0)
	if err != nil {
		crash = nil
	}
	cmd := exec.Command(program)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), roleVariable+"=worker")
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = time.Second // for copying output that the child's children hold open
	cmd.ExtraFiles = []*os.File{tasksR, repliesW, memory}
	if crash != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, crash)
	}
	childAttributes(cmd)
	started := make(chan error, 1)
	spawner() <- func() { started <- cmd.Start() }
	err = <-started
	tasksR.Close()
	repliesW.Close()
	if err != nil {
		tasksW.Close()
		repliesR.Close()
		if crash != nil {
			crash.Close()
		}
		return nil, err
	}
	replies := bufio.NewReader(repliesR)
	return &child{cmd: cmd, enc: gob.NewEncoder(tasksW), replies: replies, dec: gob.NewDecoder(replies), files: []*os.File{tasksW, repliesR}, crash: crash}, nil
}
