package parallel

import (
	"errors"
	"sync"
)

// An Executor runs functions that are given to it by Submit, Call and Map. The
// same code runs one after the other, in goroutines or in processes, by which
// executor it is given.
type Executor interface {
	// Workers is how many functions run at the same time.
	Workers() int
	// Close takes no more functions and waits for those it has. Further calls do nothing.
	Close() error

	submit(*job)
}

// ErrClosed is the error of what is submitted to a closed executor.
var ErrClosed = errors.New("parallel: the executor is closed")

// ErrInterrupted is the error of tasks that Interrupt stopped.
var ErrInterrupted = errors.New("parallel: interrupted")

// Serial gives the executor that runs each function when it is submitted, in the
// caller's goroutine: for comparison and for finding errors.
func Serial() Executor { return serial{} }

type serial struct{}

func (serial) Workers() int  { return 1 }
func (serial) Close() error  { return nil }
func (serial) submit(j *job) { j.hereIn(0) }

// A GoroutinePool runs functions in goroutines of this process, which share its
// memory: the ThreadPoolExecutor of Python, without its global lock.
type GoroutinePool struct {
	queue   *queue
	workers int
	running sync.WaitGroup
}

// Goroutines makes an executor of n goroutines; n < 1 counts as 1. Any function
// can be given to it, also one that captures variables.
func Goroutines(n int) *GoroutinePool {
	p := &GoroutinePool{queue: newQueue(), workers: max(n, 1)}
	for i := range p.workers {
		p.running.Go(func() {
			for {
				j, ok := p.queue.get()
				if !ok {
					return
				}
				j.hereIn(i + 1)
			}
		})
	}
	return p
}

// Workers implements Executor.
func (p *GoroutinePool) Workers() int { return p.workers }

// Close implements Executor. A pool that is never closed keeps its goroutines.
func (p *GoroutinePool) Close() error {
	p.queue.close()
	p.running.Wait()
	return nil
}

func (p *GoroutinePool) submit(j *job) { p.queue.put(j) }

// A queue holds jobs until a worker takes them, without bound.
type queue struct {
	mu     sync.Mutex
	change *sync.Cond
	jobs   []*job
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.change = sync.NewCond(&q.mu)
	return q
}

func (q *queue) put(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		j.finish(nil, ErrClosed)
		return
	}
	q.jobs = append(q.jobs, j)
	q.change.Signal()
}

// get waits for a job; ok is false when the queue is closed and empty.
func (q *queue) get() (j *job, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.jobs) == 0 && !q.closed {
		q.change.Wait()
	}
	if len(q.jobs) == 0 {
		return nil, false
	}
	j, q.jobs[0] = q.jobs[0], nil
	q.jobs = q.jobs[1:]
	return j, true
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.change.Broadcast()
}
