package parallel

import (
	"fmt"
	"sync"
	"syscall"
)

// A ProcessPool runs functions in worker processes, which have memory of their
// own: Python's ProcessPoolExecutor and Pool. A worker is started when there is
// work for it and replaced when it dies; its death is the error of the one task
// that it had.
type ProcessPool struct {
	queue   *queue
	workers []*poolWorker
	running sync.WaitGroup
}

// A poolWorker is a place in a pool; its process may change.
type poolWorker struct {
	mu          sync.Mutex
	child       *child
	version     int // of the host's code that the child has
	busy        bool
	interrupted bool
}

// A WorkerDied is the error of a task whose worker process ended under it.
type WorkerDied struct {
	PID  int
	Code int // as ExitCode gives it: that of os.Exit, or -N for signal N
}

func (e *WorkerDied) Error() string {
	how := fmt.Sprintf("exited with code %d", e.Code)
	if e.Code < 0 {
		how = fmt.Sprintf("was ended by signal %d (%s)", -e.Code, syscall.Signal(-e.Code))
	}
	return fmt.Sprintf("parallel: worker process %d %s while it ran this task", e.PID, how)
}

// Processes makes an executor of n worker processes; n < 1 counts as 1. Functions
// and arguments follow the rules of NewProcess, and one result comes back as a
// copy. Workers end with Close, and with this process at the latest.
func Processes(n int) *ProcessPool {
	p := &ProcessPool{queue: newQueue()}
	for range max(n, 1) {
		w := &poolWorker{}
		p.workers = append(p.workers, w)
		p.running.Go(func() { w.work(p.queue) })
	}
	active.mu.Lock()
	defer active.mu.Unlock()
	if active.pools == nil {
		active.pools = map[*ProcessPool]bool{}
	}
	active.pools[p] = true
	return p
}

// Workers implements Executor.
func (p *ProcessPool) Workers() int { return len(p.workers) }

// Close implements Executor: it waits for the tasks and ends the workers.
func (p *ProcessPool) Close() error {
	p.queue.close()
	p.running.Wait()
	active.mu.Lock()
	defer active.mu.Unlock()
	delete(active.pools, p)
	return nil
}

func (p *ProcessPool) submit(j *job) { p.queue.put(j) }

// interrupt ends the tasks that run and those that wait.
func (p *ProcessPool) interrupt() {
	p.queue.mu.Lock()
	waiting := p.queue.jobs
	p.queue.jobs = nil
	p.queue.mu.Unlock()
	for _, j := range waiting {
		j.finish(nil, ErrInterrupted)
	}
	for _, w := range p.workers {
		w.mu.Lock()
		if w.busy && w.child != nil {
			w.interrupted = true
			w.child.kill()
		}
		w.mu.Unlock()
	}
}

// work takes jobs from the queue until it is closed.
func (w *poolWorker) work(q *queue) {
	for {
		j, ok := q.get()
		if !ok {
			break
		}
		value, err := w.do(j)
		j.finish(value, err)
	}
	if w.child != nil {
		w.child.files[0].Close() // no more tasks: it ends
		w.child.wait()
	}
}

// do runs one job in the worker's process.
func (w *poolWorker) do(j *job) (any, error) {
	w.mu.Lock()
	child := w.child
	version := w.version
	w.mu.Unlock()
	if child == nil {
		version = 0
	}
	// Before a process is started for it: it may not be able to travel.
	t, err := j.call.task(version)
	if err != nil {
		return nil, fmt.Errorf("parallel: %w", err)
	}
	if child == nil {
		if child, err = startChild(); err != nil {
			return nil, fmt.Errorf("parallel: starting a worker process: %w", err)
		}
		if version = child.version; version > 0 {
			if t, err = j.call.task(version); err != nil {
				child.kill()
				child.wait()
				return nil, fmt.Errorf("parallel: %w", err)
			}
		}
	}
	w.mu.Lock()
	w.child, w.busy, w.interrupted = child, true, false
	w.version = max(version, t.Ref.Version)
	w.mu.Unlock()
	var r reply
	err = child.enc.Encode(t)
	if err == nil {
		err = child.dec.Decode(&r)
	}
	w.mu.Lock()
	w.busy = false
	if err != nil {
		w.child = nil
	}
	interrupted := w.interrupted
	w.mu.Unlock()
	if err != nil {
		child.kill() // a worker that does not talk sense is as good as dead
		child.wait()
		if interrupted {
			return nil, ErrInterrupted
		}
		return nil, &WorkerDied{PID: child.pid(), Code: child.exitCode()}
	}
	switch {
	case r.Panic != nil:
		return nil, r.Panic
	case r.Err != "":
		return nil, fmt.Errorf("parallel: %s in worker process %d: %s", funcName(j.call.fn), child.pid(), r.Err)
	case j.call.typ.NumOut() == 0:
		return nil, nil
	}
	v, err := decode(r.Value, j.call.typ.Out(0))
	if err != nil {
		return nil, fmt.Errorf("parallel: the result of %s did not arrive: %w", funcName(j.call.fn), err)
	}
	return v.Interface(), nil
}
