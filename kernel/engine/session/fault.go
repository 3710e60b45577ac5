package session

import (
	"context"
	"errors"
	"fmt"
)

// A Panic is a panic of the notebook's code.
type Panic struct {
	Value  string
	Frames []Frame // the notebook's frames, innermost first
}

// A Frame is a place in a cell.
type Frame struct {
	Func            string
	Cell, Line, Col int
}

// Error gives the panic's value.
func (p *Panic) Error() string { return "panic: " + p.Value }

// Traceback words the panic as Go does, with the notebook's frames only.
func (p *Panic) Traceback() []string {
	lines := []string{red("panic") + ": " + p.Value}
	for i, f := range p.Frames {
		if i == 50 {
			lines = append(lines, fmt.Sprintf("    ... %d more calls", len(p.Frames)-i))
			break
		}
		at := fmt.Sprintf("    cell[%d]:%d", f.Cell, f.Line)
		if f.Func != "" {
			at += " in " + f.Func
		}
		lines = append(lines, at)
	}
	return lines
}

// An Exit is the end that a cell asked for by os.Exit or log.Fatal: of the cell, not
// of the session.
type Exit struct{ Code int }

func (e *Exit) Error() string { return fmt.Sprintf("os.Exit(%d)", e.Code) }

// wordError gives a cell's error as Jupyter shows it.
func wordError(err error) *Error {
	var p *Panic
	var exit *Exit
	named := func(name, text string) *Error {
		return &Error{Name: name, Value: text, Traceback: []string{red(name) + ": " + text}}
	}
	switch {
	case errors.As(err, &exit):
		return named("Exit", fmt.Sprintf("the cell called os.Exit(%d); the session goes on", exit.Code))
	case errors.Is(err, context.Canceled):
		e := named("Interrupted", "the cell was interrupted")
		e.Traceback[0] += "; its variables keep the values they had"
		var left *Left
		if errors.As(err, &left) {
			e.Traceback = append(e.Traceback, left.Note)
		}
		return e
	case errors.As(err, &p):
		return &Error{Name: "Panic", Value: p.Value, Traceback: p.Traceback()}
	}
	return named("InterpreterError", err.Error())
}

// Left is context.Canceled for a cell that could not be stopped: it is left behind.
type Left struct{ Note string }

func (l *Left) Error() string { return l.Note }

// Unwrap gives context.Canceled.
func (l *Left) Unwrap() error { return context.Canceled }

func red(s string) string { return "\x1b[31m" + s + "\x1b[0m" }
