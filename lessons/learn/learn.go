// Package learn is the course in a terminal: one command for each thing a learner
// wants, and a watch that checks an answer whenever its file is saved. It writes
// lines and reads lines, so it works over SSH, in a pipe and without colour.
package learn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paragopher/paragopher/lessons"
	"github.com/paragopher/paragopher/lessons/coach"
)

// Options say where the learner is.
type Options struct {
	Dir    string    // for the answers, made if need be
	File   string    // with the progress
	Lang   string    // "": that of the progress, English at first
	In     io.Reader // watch reads what the learner types
	Out    io.Writer
	Colour bool
}

// Commands are what Run knows, in the order of the help.
var Commands = []string{"list", "read", "next", "check", "watch", "hint", "solution", "reset", "lang"}

// errNotRight is the end of a check that fails: scripts want an exit code.
var errNotRight = errors.New("not right yet")

type learner struct {
	Options
	coach *coach.Coach
	words map[string]string
	list  []*lessons.Exercise
}

// Run does one command of "paragopher learn"; none shows the first screen. The
// error says what was wrong with the command, or that an answer is not right.
func Run(ctx context.Context, o Options, args []string) error {
	l := &learner{Options: o, coach: &coach.Coach{File: o.File}}
	l.coach.Warn = func(s string) { l.line("%s\n", l.paint("33", s)) }
	p, err := l.coach.Progress()
	if err != nil {
		return err
	}
	if l.Lang == "" {
		l.Lang = p.Language
	}
	if l.Lang == "" {
		l.Lang = lessons.Languages[0]
	}
	if err := lessons.KnownLanguage(l.Lang); err != nil {
		return err
	}
	l.words = phrases[l.Lang]
	if l.list, err = lessons.Exercises(); err != nil {
		return err
	}
	command, arg := "", ""
	if len(args) > 0 {
		command = args[0]
	}
	if len(args) > 1 {
		arg = args[1]
	}
	if len(args) > 2 {
		return fmt.Errorf("learn %s takes one argument, not %q", command, args[1:])
	}
	switch command {
	case "":
		return l.first()
	case "list":
		return l.show()
	case "read":
		return l.read(arg)
	case "lang":
		return l.language(arg)
	case "reset":
		return l.reset(arg)
	}
	if !slices.Contains(Commands, command) {
		return fmt.Errorf("there is no learn %q; there are %s", command, strings.Join(Commands, ", "))
	}
	e, err := l.exercise(arg)
	if err != nil || e == nil {
		return err
	}
	switch command {
	case "next":
		return l.task(e)
	case "check":
		_, err = l.check(ctx, e)
		return err
	case "watch":
		return l.watch(ctx, e)
	case "hint":
		return l.say(coach.HintText(l.coach, e, l.Lang))
	}
	return l.say(coach.SolutionText(l.coach, e, l.Lang))
}

func (l *learner) line(format string, args ...any) { fmt.Fprintf(l.Out, format+"\n", args...) }

func (l *learner) say(text string, err error) error {
	if err == nil {
		l.line("%s", text)
	}
	return err
}

// paint colours text if the terminal shows colours.
func (l *learner) paint(code, text string) string {
	if !l.Colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// exercise finds the named exercise, or for "" the first that is not done; nil
// when all are.
func (l *learner) exercise(id string) (*lessons.Exercise, error) {
	if id != "" {
		return lessons.FindExercise(id)
	}
	p, err := l.coach.Progress()
	if err != nil {
		return nil, err
	}
	for _, e := range l.list {
		if p.Exercises[e.ID].Done == nil {
			return e, nil
		}
	}
	l.line("%s", l.words["all done"])
	return nil, nil
}

// first is the screen that explains itself.
func (l *learner) first() error {
	l.line("%s\n\n%s", l.paint("1", l.words["title"]), l.words["about"])
	if err := l.bar(); err != nil {
		return err
	}
	e, err := l.exercise("")
	if err != nil {
		return err
	}
	if e != nil {
		l.line("%s %s\n  %s\n", l.words["next"], l.paint("1", e.Lesson.Title(l.Lang)), e.Title(l.Lang))
	}
	l.line("%s", l.words["help"])
	return nil
}

// bar shows how far the learner is.
func (l *learner) bar() error {
	p, err := l.coach.Progress()
	if err != nil {
		return err
	}
	done := 0
	for _, e := range l.list {
		if p.Exercises[e.ID].Done != nil {
			done++
		}
	}
	const width = 30
	full := done * width / max(len(l.list), 1)
	l.line("\n[%s%s] %d/%d\n", l.paint("32", strings.Repeat("#", full)), strings.Repeat("-", width-full), done, len(l.list))
	return nil
}

// show lists lessons and exercises.
func (l *learner) show() error {
	p, err := l.coach.Progress()
	if err != nil {
		return err
	}
	last := ""
	for _, e := range l.list {
		if e.Lesson.Name != last {
			last = e.Lesson.Name
			l.line("%s  %s", last[:2], l.paint("1", e.Lesson.Title(l.Lang)))
		}
		mark := "[ ]"
		switch a := p.Exercises[e.ID]; {
		case a.Done != nil:
			mark = l.paint("32", "[x]")
		case a.Tries > 0:
			mark = l.paint("33", "[~]")
		}
		l.line("    %s %-14s %s", mark, e.ID, e.Title(l.Lang))
	}
	return l.bar()
}

// read prints a lesson.
func (l *learner) read(name string) error {
	var lesson *lessons.Lesson
	if name == "" {
		e, err := l.exercise("")
		if err != nil || e == nil {
			return err
		}
		lesson = e.Lesson
	} else {
		var err error
		if lesson, err = lessons.Find(name); err != nil {
			return err
		}
	}
	for _, b := range lesson.Blocks {
		if !b.Shown() {
			continue
		}
		text := lesson.Text(b, l.Lang)
		switch {
		case b.Role == lessons.Quiz:
			q := lessons.ParseQuiz(text)
			l.line("%s %s\n", l.paint("36", "?"), q.Question)
			for i, o := range q.Options {
				l.line("  %s) %s", lessons.Letter(i), o.Text)
			}
			l.line("\n  (%s %s) %s\n", l.words["answer"], q.Answer(), q.Why)
		case b.Code:
			l.line("%s\n", l.paint("34", "    "+strings.ReplaceAll(text, "\n", "\n    ")))
		default:
			title, rest, _ := strings.Cut(text, "\n")
			if strings.HasPrefix(title, "#") {
				title = l.paint("1", strings.TrimLeft(title, "# "))
			}
			l.line("%s\n%s\n", title, rest)
		}
	}
	return nil
}

// answer is the file with the learner's answer, written with the stub if it is not
// there.
func (l *learner) answer(e *lessons.Exercise) (file string, err error) {
	file = filepath.Join(l.Dir, e.Lesson.Name[:2]+"-"+e.ID+".go")
	if _, err := os.Stat(file); err == nil || !errors.Is(err, os.ErrNotExist) {
		return file, err
	}
	if err := os.MkdirAll(l.Dir, 0o755); err != nil {
		return file, fmt.Errorf("making the folder for your answers: %w", err)
	}
	if err := os.WriteFile(file, []byte(e.Stub(l.Lang)+"\n"), 0o644); err != nil {
		return file, fmt.Errorf("writing the file for your answer: %w", err)
	}
	return file, nil
}

// task says what is to be done, and where.
func (l *learner) task(e *lessons.Exercise) error {
	file, err := l.answer(e)
	if err != nil {
		return err
	}
	l.line("%s  %s\n", l.paint("1", e.Title(l.Lang)), e.ID)
	_, text, _ := strings.Cut(e.Statement(l.Lang), "\n")
	l.line("%s\n", strings.TrimSpace(text))
	l.line(l.words["edit"], l.paint("1", file))
	return nil
}

// check checks the file of an exercise.
func (l *learner) check(ctx context.Context, e *lessons.Exercise) (passed bool, err error) {
	file, err := l.answer(e)
	if err != nil {
		return false, err
	}
	code, err := os.ReadFile(file)
	if err != nil {
		return false, fmt.Errorf("reading your answer: %w", err)
	}
	v, err := l.coach.Check(ctx, e, string(code), l.Lang)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return false, err
	}
	if v.Output != "" {
		l.line("%s\n  %s", l.words["printed"], strings.ReplaceAll(strings.TrimRight(v.Output, "\n"), "\n", "\n  "))
	}
	if !v.Passed {
		l.line("%s %s", l.paint("31", "✗ "+e.ID+":"), v.Says)
		return false, errNotRight
	}
	l.line("%s %s", l.paint("32", "✓ "+e.ID+":"), v.Says)
	return true, l.bar()
}

func (l *learner) language(lang string) error {
	if lang == "" {
		l.line("%s (%s)", l.Lang, strings.Join(lessons.Languages, ", "))
		return nil
	}
	if err := l.coach.SetLanguage(lang); err != nil {
		return err
	}
	l.Lang, l.words = lang, phrases[lang]
	l.line("%s", l.words["language"])
	return nil
}

// reset forgets an exercise, or all; answers are kept aside, not lost.
func (l *learner) reset(id string) error {
	var of []*lessons.Exercise
	switch id {
	case "":
		return errors.New("learn reset wants the id of an exercise, or all")
	case "all":
		of, id = l.list, ""
	default:
		e, err := lessons.FindExercise(id)
		if err != nil {
			return err
		}
		of = []*lessons.Exercise{e}
	}
	for _, e := range of {
		file := filepath.Join(l.Dir, e.Lesson.Name[:2]+"-"+e.ID+".go")
		switch err := os.Rename(file, file+".old"); {
		case err == nil:
			l.line(l.words["kept"], file+".old")
		case !errors.Is(err, os.ErrNotExist):
			return fmt.Errorf("keeping your answer aside: %w", err)
		}
	}
	if err := l.coach.Reset(id); err != nil {
		return err
	}
	l.line("%s", l.words["reset"])
	return nil
}
