package kernel

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Entry is one cell that was run.
type Entry struct {
	Session int // the kernel's run; the current one is 1
	Line    int // the execution count
	Input   string
	Output  string // the text of the result, "" for none
}

// History remembers what was run ("History"). A count or stop of -1 means
// without limit. Entries come oldest first.
type History interface {
	Add(e Entry)
	// Tail gives the last n entries.
	Tail(n int) []Entry
	// Range gives the lines from start up to, but without, stop. Session 0 is
	// the current one, negative ones count back from it.
	Range(session, start, stop int) []Entry
	// Search gives the last n entries whose input matches pattern, in which *
	// stands for any text and ? for any character; with unique, the last of each input.
	Search(pattern string, n int, unique bool) []Entry
}

// Memory is the history of this run of the kernel, forgotten when it ends.
type Memory struct {
	mu      sync.Mutex
	entries []Entry
}

// Add appends an entry.
func (h *Memory) Add(e Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = append(h.entries, e)
}

// Tail gives the last n entries.
func (h *Memory) Tail(n int) []Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	return last(n, slices.Clone(h.entries))
}

// Range gives a piece of the current session; there are no others.
func (h *Memory) Range(session, start, stop int) []Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []Entry
	for _, e := range h.entries {
		if (session == 0 || session == e.Session) && e.Line >= start && (stop < 0 || e.Line < stop) {
			found = append(found, e)
		}
	}
	return found
}

// Search gives the last n entries that match.
func (h *Memory) Search(pattern string, n int, unique bool) []Entry {
	re := glob(pattern)
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []Entry
	seen := map[string]bool{}
	for _, e := range slices.Backward(h.entries) {
		if !re.MatchString(e.Input) || unique && seen[e.Input] {
			continue
		}
		seen[e.Input] = true
		found = append(found, e)
	}
	slices.Reverse(found)
	return last(n, found)
}

func last(n int, es []Entry) []Entry {
	if n < 0 || n > len(es) {
		return es
	}
	return es[len(es)-n:]
}

// glob gives the expression for a pattern. Everything but * and ? stands for
// itself.
func glob(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(pattern)
	quoted = strings.ReplaceAll(quoted, `\*`, `.*`)
	quoted = strings.ReplaceAll(quoted, `\?`, `.`)
	return regexp.MustCompile(`(?s)\A` + quoted + `\z`)
}
