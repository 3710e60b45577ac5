package timing

import (
	"slices"
	"sync"
	"time"
)

// A tree is this process with all that it has started, directly or not.
type tree struct{ pids []int } // of the others, that live

func newTree() *tree {
	t := &tree{}
	t.refresh()
	return t
}

// refresh looks which processes there are. It costs some 0.1 ms.
func (t *tree) refresh() { t.pids = descendants() }

// cpu is the time that all processes of the tree have used so far, without those
// that grandchildren have waited for. It costs about 1 µs for each process.
func (t *tree) cpu() time.Duration {
	sum := ownCPU()
	for _, pid := range t.pids {
		sum += processCPU(pid)
	}
	return sum
}

// watchEvery is how often the memory of processes is looked at.
const watchEvery = 10 * time.Millisecond

// A watch looks at the memory of a tree until it is stopped.
type watch struct {
	end  chan struct{}
	done sync.WaitGroup
	tree *tree
	most int64
}

func (t *tree) watch() *watch {
	w := &watch{end: make(chan struct{}), tree: t}
	w.done.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look()
			case <-w.end:
				w.look()
				return
			}
		}
	})
	return w
}

func (w *watch) look() {
	w.tree.refresh()
	for _, pid := range append([]int{self}, w.tree.pids...) {
		w.most = max(w.most, resident(pid))
	}
}

// stop gives the most memory that one of the processes had.
func (w *watch) stop() int64 {
	close(w.end)
	w.done.Wait()
	return w.most
}

// A MemoryUse is how much memory each process of a tree had while some work ran.
type MemoryUse struct {
	Every     time.Duration   `json:"every"` // between two looks
	Processes []ProcessMemory `json:"processes"`
	Problem   string          `json:"problem,omitempty"`
}

// ProcessMemory is that of one process, in the order of the looks; 0 while it was
// not there.
type ProcessMemory struct {
	Name  string  `json:"name"` // "main", or "process N" in the order they appeared
	PID   int     `json:"pid"`
	Bytes []int64 `json:"bytes"` // resident, which counts memory that processes share in each
}

// Memory runs work and looks at the memory of this process and all that it starts,
// every 10 ms. A panic of work is the result's Err.
func Memory(work func()) (m *MemoryUse) {
	m = &MemoryUse{Every: watchEvery}
	if work == nil {
		m.Problem = "there is no work to look at"
		return m
	}
	var mu sync.Mutex
	looks := 0
	look := func() {
		mu.Lock()
		defer mu.Unlock()
		for _, pid := range append([]int{self}, descendants()...) {
			bytes := resident(pid)
			if bytes == 0 {
				continue
			}
			i := slices.IndexFunc(m.Processes, func(p ProcessMemory) bool { return p.PID == pid })
			if i < 0 {
				i = len(m.Processes)
				m.Processes = append(m.Processes, ProcessMemory{Name: processName(i), PID: pid})
			}
			p := &m.Processes[i]
			p.Bytes = append(p.Bytes, make([]int64, looks-len(p.Bytes))...)
			p.Bytes = append(p.Bytes, bytes)
		}
		looks++
	}
	look()
	end := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				look()
			case <-end:
				return
			}
		}
	})
	_, err := once(Case{"the work", work}, 1)
	close(end)
	done.Wait()
	look()
	for i := range m.Processes {
		p := &m.Processes[i]
		p.Bytes = append(p.Bytes, make([]int64, looks-len(p.Bytes))...)
	}
	if err != nil {
		m.Problem = err.Error()
	}
	return m
}

// Err says why m cannot be used, nil if it can.
func (m *MemoryUse) Err() error {
	switch {
	case m == nil:
		return errNone("memory use")
	case m.Problem != "":
		return problem(m.Problem)
	case len(m.Processes) == 0 || len(m.Processes[0].Bytes) == 0:
		return problem("no process's memory could be seen (it is looked up in /proc, which Linux has)")
	case m.Every <= 0:
		return problem("the time between two looks at the memory must be more than 0")
	}
	for _, p := range m.Processes {
		if len(p.Bytes) != len(m.Processes[0].Bytes) {
			return problem("the processes have been looked at a different number of times")
		}
		if slices.Min(p.Bytes) < 0 {
			return problem("process " + p.Name + " has less than no memory")
		}
	}
	return nil
}

// Peak is the most that all processes together had.
func (m *MemoryUse) Peak() (most int64) {
	if m.Err() != nil {
		return 0
	}
	for i := range m.Processes[0].Bytes {
		sum := int64(0)
		for _, p := range m.Processes {
			sum += p.Bytes[i]
		}
		most = max(most, sum)
	}
	return most
}

// Save writes m as JSON to a file, whole or not at all.
func (m *MemoryUse) Save(file string) error { return saveJSON(file, "memory use", m) }

// LoadMemory reads what Save wrote.
func LoadMemory(file string) (*MemoryUse, error) {
	m := &MemoryUse{}
	if err := loadJSON(file, "memory use", m); err != nil {
		return nil, err
	}
	return m, nil
}
