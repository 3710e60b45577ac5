package parallel

import (
	"bytes"
	"io"
	"sync"
)

// A lineWriter hands whole lines on, each with a tag.
type lineWriter struct {
	w    io.Writer
	tag  string
	mu   *sync.Mutex // of w
	rest []byte
}

func (l *lineWriter) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	end := bytes.LastIndexByte(l.rest, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	err := l.put(l.rest[:end])
	l.rest = append(l.rest[:0], l.rest[end:]...)
	return len(p), err
}

func (l *lineWriter) put(lines []byte) error {
	if l.tag != "" {
		tagged := make([]byte, 0, len(lines)+64)
		for line := range bytes.Lines(lines) {
			tagged = append(append(tagged, l.tag...), line...)
		}
		lines = tagged
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.w.Write(lines)
	return err
}

// flush hands on a last line without an end.
func (l *lineWriter) flush() {
	if len(l.rest) > 0 {
		// There is nobody left to tell.
		_ = l.put(append(l.rest, '\n'))
		l.rest = nil
	}
}
