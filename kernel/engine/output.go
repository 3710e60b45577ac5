package engine

import (
	"bytes"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/session"
)

const (
	flushDelay = 25 * time.Millisecond // text waits this long for more
	flushSize  = 64 << 10              // or until it is this much
	tailSize   = 8 << 10               // of stderr, kept to explain a death
	syncTime   = 2 * time.Second       // for marks that a broken session may never write
	heldSize   = 1 << 20               // bytes that may wait behind a mark for its event
)

// An output reads a session's standard output and error as they are written and
// passes them on in large pieces: complete before a cell ends, in order with the
// session's displays.
type output struct {
	sink    Sink
	streams [2]*stream
	mu      sync.Mutex // also held during calls of sink: one at a time
	changed *sync.Cond
	cell    string
	passed  uint64 // the last mark whose event has been dealt with; what is behind a later one waits
}

// A stream is one of the two. Sessions write marks into it: private byte strings
// with a number, which are cut out.
type stream struct {
	name    string
	mark    []byte // what marks begin with
	pending []byte
	seen    uint64 // last mark
	ended   bool
	timer   *time.Timer
	tail    []byte
	crash   bool // a crash dump is coming, which nobody wants to read
}

func newOutput(sink Sink, token string, stdout, stderr io.Reader) *output {
	o := &output{sink: sink}
	o.changed = sync.NewCond(&o.mu)
	for i, r := range []io.Reader{stdout, stderr} {
		o.streams[i] = &stream{name: []string{"stdout", "stderr"}[i], mark: []byte(session.MarkPrefix(token))}
		go o.read(o.streams[i], r)
	}
	return o
}

// begin makes cell the one that output belongs to from now on.
func (o *output) begin(cell string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.streams {
		if s.seen <= o.passed {
			o.emit(s, s.whole())
		}
		s.tail, s.crash = nil, false
	}
	o.cell = cell
}

func (o *output) read(s *stream, r io.Reader) {
	buf := make([]byte, flushSize)
	for {
		n, err := r.Read(buf)
		o.mu.Lock()
		s.pending = append(s.pending, buf[:n]...)
		o.take(s)
		for err == nil && s.seen > o.passed && len(s.pending) > heldSize {
			o.changed.Wait()
		}
		if err != nil {
			s.ended = true
			o.take(s)
			o.emit(s, len(s.pending))
			o.changed.Broadcast()
			o.mu.Unlock()
			return
		}
		o.mu.Unlock()
	}
}

// take cuts marks out of what came and emits what is enough. It stops behind a mark
// whose event has not been dealt with.
func (o *output) take(s *stream) {
	for {
		if s.seen > o.passed && !s.ended {
			return
		}
		i := bytes.Index(s.pending, s.mark)
		if i < 0 {
			break
		}
		rest := s.pending[i+len(s.mark):]
		end := bytes.Index(rest, []byte(session.MarkEnd))
		if end < 0 {
			break
		}
		n, err := strconv.ParseUint(string(rest[:end]), 10, 64)
		after := bytes.Clone(rest[end+len(session.MarkEnd):])
		s.pending = s.pending[:i]
		o.emit(s, i)
		s.pending = after
		if err == nil {
			s.seen = n
			o.changed.Broadcast()
		}
	}
	if len(s.pending) >= flushSize {
		o.emit(s, s.whole())
	}
	if len(s.pending) > 0 && s.timer == nil {
		s.timer = time.AfterFunc(flushDelay, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			s.timer = nil
			if s.seen <= o.passed || s.ended {
				o.emit(s, s.whole())
			}
		})
	}
}

// whole is how much of what is pending can be shown: not the beginning of a mark,
// not a part of a character.
func (s *stream) whole() int {
	n := len(s.pending)
	if i := bytes.Index(s.pending, s.mark); i >= 0 {
		return i
	}
	for k := min(len(s.mark)-1, n); k > 0; k-- {
		if bytes.HasPrefix(s.mark, s.pending[n-k:]) {
			n -= k
			break
		}
	}
	for k := 1; k <= min(utf8.UTFMax-1, n); k++ {
		if c := s.pending[n-k]; utf8.RuneStart(c) {
			if !utf8.FullRune(s.pending[n-k : n]) {
				n -= k
			}
			break
		}
	}
	return n
}

var crashDump = regexp.MustCompile(`(?m)^(panic: |fatal error: |runtime: goroutine stack exceeds|SIG[A-Z]+: )`)

// emit passes on the first n bytes of what is pending.
func (o *output) emit(s *stream, n int) {
	if n == 0 {
		return
	}
	text := strings.ToValidUTF8(string(s.pending[:n]), "\uFFFD")
	s.pending = s.pending[n:]
	if len(s.pending) == 0 {
		s.pending = nil
	}
	if s.name == "stderr" {
		s.tail = append(s.tail, text...)
		if s.crash {
			return
		}
		if i := strings.Index(text, "\ngoroutine "); i >= 0 && crashDump.Match(s.tail) {
			s.crash = true
			text = text[:i+1]
		}
		if len(s.tail) > 2*tailSize {
			// The beginning of a dump says most.
			s.tail = append(s.tail[:tailSize:tailSize], s.tail[len(s.tail)-tailSize:]...)
		}
	}
	if text != "" {
		o.sink.Stream(o.cell, s.name, text)
	}
}

// display passes on a display that stands at a mark.
func (o *output) display(mark uint64, b display.Bundle) {
	o.at(mark, func() { o.sink.Display(o.cell, b) })
}

// clear passes on that the output before a mark is to be removed.
func (o *output) clear(mark uint64, wait bool) {
	o.at(mark, func() { o.sink.ClearOutput(o.cell, wait) })
}

// complete returns when all output before a mark has been passed on.
func (o *output) complete(mark uint64) { o.at(mark, func() {}) }

// at waits until both streams have come to a mark, calls f, and lets through what
// is behind the mark.
func (o *output) at(mark uint64, f func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	late := false
	timeout := time.AfterFunc(syncTime, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		late = true // it will not come any more
		o.changed.Broadcast()
	})
	defer timeout.Stop()
	for _, s := range o.streams {
		for s.seen < mark && !s.ended && !late {
			o.changed.Wait()
		}
	}
	f()
	o.passed = mark
	o.changed.Broadcast()
	for _, s := range o.streams {
		o.take(s)
	}
}

// end waits until the writers of both streams are gone.
func (o *output) end(within time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.passed = math.MaxUint64 // no event comes any more
	o.changed.Broadcast()
	late := false
	timeout := time.AfterFunc(within, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		late = true
		o.changed.Broadcast()
	})
	defer timeout.Stop()
	for _, s := range o.streams {
		for !s.ended && !late {
			o.changed.Wait()
		}
		o.emit(s, len(s.pending))
	}
}

// lastWords is what the session said on standard error before it died, a line.
func (o *output) lastWords() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	tail := string(o.streams[1].tail)
	if m := crashDump.FindStringIndex(tail); m != nil {
		line, _, _ := strings.Cut(tail[m[0]:], "\n")
		line = strings.TrimSuffix(line, " [recovered]")
		if strings.HasPrefix(line, "runtime: goroutine stack exceeds") {
			return "fatal error: stack overflow (a function that calls itself without end?)"
		}
		return line
	}
	return ""
}
