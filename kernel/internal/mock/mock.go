// Package mock has an engine without Go in it, for tests of what stands round
// the engine.
package mock

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/kernel/engine/source"
)

// Engine runs cells of one command a line:
//
//	print N       N lines, each a piece of output of its own
//	out TEXT      text on stdout            errout TEXT   text on stderr
//	value TEXT    the cell's result         fail TEXT     an error
//	html TEXT     a display                 update ID TEXT   a display of that ID, updated
//	bare TEXT     an error without a traceback
//	clear         clear_output              input PROMPT  asks, and prints the answer
//	wait          until it is interrupted   hang          until the engine is closed
//	later TEXT    printed by this cell's "goroutine" when the next cell starts
//	exit CODE     ends the process that the engine is in
//	panic         panics in the engine
type Engine struct {
	sink   engine.Sink
	closed chan struct{}
	once   sync.Once

	Running chan string // if not nil, gets the ID of each cell that waits or hangs

	mu    sync.Mutex
	later func()
}

// New gives an engine.
func New(s engine.Sink) *Engine { return &Engine{sink: s, closed: make(chan struct{})} }

// Run runs a cell.
func (e *Engine) Run(ctx context.Context, c engine.Cell) engine.Result {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.later != nil {
		e.later()
		e.later = nil
	}
	var value *display.Bundle
	for line := range strings.Lines(c.Code) {
		command, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch command {
		case "print":
			n, _ := strconv.Atoi(arg)
			for i := range n {
				e.sink.Stream(c.ID, "stdout", fmt.Sprintf("line %d\n", i))
			}
		case "out":
			e.sink.Stream(c.ID, "stdout", arg+"\n")
		case "errout":
			e.sink.Stream(c.ID, "stderr", arg+"\n")
		case "value":
			value = display.Of(arg)
		case "html":
			e.sink.Display(c.ID, *display.Of(display.HTML(arg)))
		case "update":
			id, text, _ := strings.Cut(arg, " ")
			b := display.Of(text)
			b.ID, b.Update = id, true
			e.sink.Display(c.ID, *b)
		case "clear":
			e.sink.ClearOutput(c.ID, true)
		case "input":
			s, err := e.sink.Input(ctx, c.ID, arg, false)
			if err != nil {
				return fail(c, "InputError", err.Error())
			}
			e.sink.Stream(c.ID, "stdout", s+"\n")
		case "wait":
			e.tell(c.ID)
			select {
			case <-ctx.Done():
				return fail(c, "Interrupted", "the cell was interrupted")
			case <-e.closed:
				return fail(c, "SessionDied", "the engine was closed")
			}
		case "hang":
			e.tell(c.ID)
			<-e.closed
			return fail(c, "SessionDied", "the engine was closed")
		case "later":
			e.later = func() { e.sink.Stream(c.ID, "stdout", arg+"\n") }
		case "exit":
			code, _ := strconv.Atoi(arg)
			fmt.Fprintln(os.Stderr, "mock: exiting")
			os.Exit(code)
		case "panic":
			panic("mock: a fault in the engine")
		case "bare":
			return engine.Result{Err: &engine.Error{Name: "Bare", Value: arg}}
		case "fail":
			return fail(c, "MockError", arg)
		default:
			return fail(c, "SyntaxError", "unknown command "+command)
		}
	}
	return engine.Result{Value: value}
}

func (e *Engine) tell(id string) {
	if e.Running != nil {
		e.Running <- id
	}
}

func fail(c engine.Cell, name, value string) engine.Result {
	return engine.Result{Err: &engine.Error{Name: name, Value: value, Traceback: []string{fmt.Sprintf("cell[%d]: %s", c.Count, value)}}}
}

// IsComplete calls code that ends in { incomplete and code that has ?! invalid.
func (e *Engine) IsComplete(code string) (status, indent string) {
	switch {
	case strings.HasSuffix(code, "{"):
		return "incomplete", "\t"
	case strings.Contains(code, "?!"):
		return "invalid", ""
	}
	return "complete", ""
}

// Complete proposes the name with an exclamation mark, and nothing for no name.
func (e *Engine) Complete(code string, cursor int) source.Completion {
	before := string([]rune(code)[:min(cursor, len([]rune(code)))])
	name := before[strings.LastIndexAny(before, " .\n")+1:]
	c := source.Completion{Start: cursor - len([]rune(name)), End: cursor}
	if name != "" {
		c.Matches = []source.Match{{Text: name + "!", Kind: "function", Signature: "()"}}
	}
	return c
}

// Inspect knows whatever the code is.
func (e *Engine) Inspect(code string, cursor, detail int) *source.Inspection {
	if code == "" {
		return nil
	}
	return &source.Inspection{Signature: code, Source: strings.Repeat("detail", detail)}
}

// Close makes cells that wait or hang fail.
func (e *Engine) Close(context.Context) error {
	e.once.Do(func() { close(e.closed) })
	return nil
}
