package engine

import (
	"crypto/rand"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"github.com/paragopher/paragopher/kernel/engine/session"
)

// A process is a running session process, seen from the kernel process.
type process struct {
	cmd    *exec.Cmd
	orders *session.Sender
	events chan session.Event
	output *output
	dead   chan struct{} // closed when it has ended and its output is in
	files  []*os.File
}

// A spawner starts session processes from one thread that lives as long as they
// do: Linux ends a child with Pdeathsig when the thread that made it ends
// (golang/go#27505).
type spawner struct {
	work    chan func()
	mu      sync.Mutex
	current *process
	stopped bool
}

func newSpawner() *spawner {
	s := &spawner{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for f := range s.work {
			f()
		}
		runtime.UnlockOSThread()
	}()
	return s
}

// stop kills the session process there is and refuses to start another.
func (s *spawner) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.current != nil {
		s.current.kill()
	}
}

func (s *spawner) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// close ends the spawner's thread, after its children.
func (s *spawner) close() {
	s.stop()
	close(s.work)
}

// start makes a session process and the goroutines that listen to it.
func (s *spawner) start(o Options, sink Sink) (*process, error) {
	command := o.Command
	if len(command) == 0 {
		self, err := self()
		if err != nil {
			return nil, fmt.Errorf("finding this program to start a session process: %w", err)
		}
		command = []string{self}
	}
	token := rand.Text()
	p := &process{events: make(chan session.Event), dead: make(chan struct{})}
	ours, theirs, err := pipes()
	if err != nil {
		return nil, fmt.Errorf("making the session's pipes: %w", err)
	}
	p.files = ours
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Dir = o.Dir
	p.cmd.Env = append(append(os.Environ(), o.Env...), session.RoleVariable+"=session", session.TokenVariable+"="+token)
	p.cmd.Stdout, p.cmd.Stderr = theirs[2], theirs[3]
	p.cmd.ExtraFiles = theirs[:2] // 3: orders, 4: events
	ownGroup(p.cmd)
	failed := make(chan error, 1)
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		closeAll(ours, theirs)
		return nil, errors.New("the kernel is shutting down")
	}
	s.work <- func() { failed <- p.cmd.Start() }
	err = <-failed
	if err == nil {
		s.current = p
	}
	s.mu.Unlock()
	closeAll(theirs)
	if err != nil {
		closeAll(ours)
		return nil, fmt.Errorf("starting the session process %s: %w", command[0], err)
	}
	p.orders = session.NewSender(ours[0])
	p.output = newOutput(sink, token, ours[2], ours[3])
	listening := make(chan struct{})
	go p.listen(ours[1], listening)
	go p.wait(listening)
	return p, nil
}

// pipes makes the four pipes of a session: orders, events, stdout, stderr; first
// this process's ends, then the session's.
func pipes() (ours, theirs []*os.File, err error) {
	for i := range 4 {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(ours, theirs)
			return nil, nil, err
		}
		if i == 0 {
			r, w = w, r
		}
		ours, theirs = append(ours, r), append(theirs, w)
	}
	return ours, theirs, nil
}

func closeAll(lists ...[]*os.File) {
	for _, files := range lists {
		for _, f := range files {
			f.Close()
		}
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) send(o session.Order) error { return p.orders.Send(o) }

// listen passes on events until the session is gone, each when the output before
// it has been. What is not an event means
// that user code wrote to the control pipe: the session cannot be trusted any more.
func (p *process) listen(r *os.File, done chan<- struct{}) {
	defer close(done)
	dec := gob.NewDecoder(r)
	for {
		var ev session.Event
		if err := dec.Decode(&ev); err != nil {
			if !errors.Is(err, os.ErrClosed) {
				p.kill()
			}
			return
		}
		switch {
		case ev.Display != nil:
			p.output.display(ev.Mark, *ev.Display)
			continue
		case ev.Clear != nil:
			p.output.clear(ev.Mark, ev.Clear.Wait)
			continue
		case ev.Done != nil:
			p.output.complete(ev.Mark)
		}
		select {
		case p.events <- ev:
		case <-p.dead:
			return
		}
	}
}

// wait reaps the session, takes the rest of its output and then tells that it is dead.
func (p *process) wait(listening <-chan struct{}) {
	// The error is in ProcessState.
	_ = p.cmd.Wait()
	p.kill() // what else is in its group
	p.output.end(time.Second)
	close(p.dead)
	closeAll(p.files)
	<-listening
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// kill ends the session's process group. Workers end with the session.
func (p *process) kill() {
	// The error means that it is gone already.
	_ = killGroup(p.cmd.Process)
}

// cause says how a dead session ended, for its user.
func (p *process) cause() string {
	how := "it ended by itself"
	if state := p.cmd.ProcessState; state != nil {
		if sig := signalOf(state); sig != "" {
			how = "it was ended by the signal " + sig
			if sig == "killed" {
				how += " (out of memory, or kill -9)"
			}
		} else if code := state.ExitCode(); code > 0 {
			how = fmt.Sprintf("it exited with code %d", code)
		}
	}
	if words := p.output.lastWords(); words != "" {
		return words
	}
	return "the session process is gone: " + how
}
