package parallel

import (
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Spares are worker processes that were started ahead and wait for something to
// do: with one, a process starts in a tenth of a millisecond. The first process
// of a program is started without; then spares are made whenever no process that
// was started here is running, so that they take no time from those.
type spareRoom struct {
	mu     sync.Mutex
	want   int // -1: not set
	ready  []*spare
	filled chan struct{} // closed when spares have been made; nil while none are
	newest int           // version of the host's code that was used last
}

// A spare is a child and what it was started in: if that has changed, the child is
// of no use.
type spare struct {
	child  *child
	env    []string
	dir    string
	output [2]outputID
}

// An outputID tells whether standard output or error are what they were.
type outputID struct {
	file *os.File
	fileID
}

var spares = spareRoom{want: -1}

// defaultSpares is how many spares are kept where SetSpares was not called.
const defaultSpares = 2

// spareDelay is how long after the last process's end spares are made: a program
// that is about to end, or to start more, is not disturbed.
const spareDelay = 2 * time.Millisecond

// SetSpares sets how many worker processes are kept ready for Process and pools,
// 2 if it is never called. Each takes what the program takes when it has just
// started, some 5 MB for a small one. With 0 there are none, and those that are
// there end before SetSpares returns.
func SetSpares(n int) {
	spares.mu.Lock()
	spares.want = max(n, 0)
	for filled := spares.filled; filled != nil; filled = spares.filled {
		spares.mu.Unlock()
		<-filled
		spares.mu.Lock()
	}
	over := spares.ready
	if len(over) > spares.want {
		over = slices.Clone(over[spares.want:])
		spares.ready = spares.ready[:spares.want]
	} else {
		over = nil
	}
	spares.mu.Unlock()
	for _, s := range over {
		s.child.kill()
		s.child.wait()
	}
}

// version is that of the code of the spare that would be taken next, 0 if there is
// none.
func (r *spareRoom) version() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ready) > 0 {
		return r.ready[0].child.version
	}
	return 0
}

// seen notes which version of the host's code is in use.
func (r *spareRoom) seen(version int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.newest = max(r.newest, version)
}

// take gives a spare that is fit, nil if there is none.
func (r *spareRoom) take() *child {
	for {
		r.mu.Lock()
		if len(r.ready) == 0 {
			r.mu.Unlock()
			return nil
		}
		s := r.ready[0]
		r.ready = append(r.ready[:0:0], r.ready[1:]...)
		r.mu.Unlock()
		if s.fit() {
			return s.child
		}
		s.child.kill()
		go s.child.wait()
	}
}

func (s *spare) fit() bool {
	if ended(s.child.files[1]) {
		return false
	}
	dir, err := os.Getwd()
	return err == nil && dir == s.dir && slices.Equal(os.Environ(), s.env) && outputs() == s.output
}

func outputs() (ids [2]outputID) {
	for i, f := range []*os.File{os.Stdout, os.Stderr} {
		ids[i] = outputID{f, identify(f)}
	}
	return ids
}

// fill makes spares, in the background, if nothing else runs.
func (r *spareRoom) fill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.filled != nil || len(r.ready) >= r.target() {
		return
	}
	r.filled = make(chan struct{})
	time.AfterFunc(spareDelay, r.fillNow)
}

func (r *spareRoom) target() int {
	if r.want < 0 {
		return min(defaultSpares, runtime.NumCPU())
	}
	return r.want
}

func (r *spareRoom) fillNow() {
	for {
		r.mu.Lock()
		if len(r.ready) >= r.target() || len(Active()) > 0 {
			r.endFill() // the last process's end asks again
			r.mu.Unlock()
			return
		}
		version := r.newest
		r.mu.Unlock()
		s, err := newSpare(version)
		r.mu.Lock()
		switch {
		case err != nil:
			// Whoever starts a process next gets the error.
			r.endFill()
			r.mu.Unlock()
			return
		case len(r.ready) >= r.target(): // SetSpares came meanwhile
			r.mu.Unlock()
			s.child.kill()
			s.child.wait()
		default:
			r.ready = append(r.ready, s)
			r.mu.Unlock()
		}
	}
}

func (r *spareRoom) endFill() {
	close(r.filled)
	r.filled = nil
}

// newSpare starts a spare with the host's code as of a version.
func newSpare(version int) (*spare, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	host, err := functions()
	if err != nil {
		return nil, err
	}
	t := task{Warm: true}
	if host == nil {
		if t.Code, err = refer(idle); err != nil {
			return nil, err
		}
		one, err := encode(reflect.ValueOf(1))
		if err != nil {
			return nil, err
		}
		t.Args = [][]byte{one}
	} else if version > 0 {
		if t.Image, err = host.Image(0, version); err != nil {
			return nil, err
		}
	}
	s := &spare{dir: dir, env: os.Environ(), output: outputs()}
	if s.child, err = startCold(os.Stdout, os.Stderr); err != nil {
		return nil, err
	}
	if err := s.child.enc.Encode(t); err != nil {
		s.child.kill()
		s.child.wait()
		return nil, err
	}
	if t.Image != nil {
		s.child.version = version
	}
	return s, nil
}
