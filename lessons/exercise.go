package lessons

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// AnyKind is the kind of hints that help whatever went wrong.
const AnyKind = "any"

// An Exercise is a task of a lesson with all that belongs to it.
type Exercise struct {
	ID     string
	Lesson *Lesson

	blocks []Block // of the lesson that are for it
	task   Block
}

// A WrongAnswer is one that the check must refuse, and why.
type WrongAnswer struct {
	ID, Kind, Code string
}

// Exercises lists the lesson's exercises in their order.
func (l *Lesson) Exercises() (list []*Exercise) {
	for _, b := range l.Blocks {
		if b.Role != Task {
			continue
		}
		e := &Exercise{ID: b.ID, Lesson: l, task: b}
		for _, c := range l.Blocks {
			if c.For == b.ID {
				e.blocks = append(e.blocks, c)
			}
		}
		list = append(list, e)
	}
	return list
}

// Exercises lists all exercises of the course in their order.
func Exercises() ([]*Exercise, error) {
	ls, err := All()
	if err != nil {
		return nil, err
	}
	var list []*Exercise
	for _, l := range ls {
		list = append(list, l.Exercises()...)
	}
	return list, nil
}

// FindExercise finds an exercise by its id. The error lists what there is.
func FindExercise(id string) (*Exercise, error) {
	list, err := Exercises()
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range list {
		if e.ID == id {
			return e, nil
		}
		ids = append(ids, e.ID)
	}
	return nil, fmt.Errorf("there is no exercise %q; there are %s", id, strings.Join(ids, ", "))
}

// Find finds a lesson by its name, its slug or its number. The error lists what
// there is.
func Find(name string) (*Lesson, error) {
	ls, err := All()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range ls {
		number, _, _ := strings.Cut(l.Name, "-")
		if name == l.Name || name == l.Slug || name != "" && strings.TrimLeft(name, "0") == strings.TrimLeft(number, "0") {
			return l, nil
		}
		names = append(names, l.Name)
	}
	return nil, fmt.Errorf("there is no lesson %q; there are %s", name, strings.Join(names, ", "))
}

// KnownLanguage gives an error that lists the languages if lang is none of them.
func KnownLanguage(lang string) error {
	if slices.Contains(Languages, lang) {
		return nil
	}
	return fmt.Errorf("there are no lessons in %q; they are in %s", lang, strings.Join(Languages, ", "))
}

// Text gives a block as it reads in a language.
func (l *Lesson) Text(b Block, lang string) string {
	t := l.translations[lang]
	if t == nil {
		return b.Text
	}
	x, ok := t.texts[b.ID]
	switch {
	case ok && b.Code:
		return translate(b.Text, x.parts)
	case ok:
		return x.text
	}
	return b.Text
}

// Marker is the first line of the exercise's cell, by which an answer is known.
func Marker(id string) string { return "//exercise:" + id }

// Stub is what the learner starts from.
func (e *Exercise) Stub(lang string) string {
	return Marker(e.ID) + "\n" + e.Lesson.Text(e.task, lang)
}

// Solution is an answer that is right.
func (e *Exercise) Solution(lang string) string {
	for _, b := range e.blocks {
		if b.Role == Solution {
			return Marker(e.ID) + "\n" + e.Lesson.Text(b, lang)
		}
	}
	return ""
}

// Check is the code that runs after an answer.
func (e *Exercise) Check() (code string) {
	for _, b := range e.blocks {
		if b.Role == Check {
			code = b.Text
		}
	}
	return code
}

// Wrong lists answers that the check must refuse.
func (e *Exercise) Wrong() (list []WrongAnswer) {
	for _, b := range e.blocks {
		if b.Role == Wrong {
			list = append(list, WrongAnswer{b.ID, b.On, Marker(e.ID) + "\n" + b.Text})
		}
	}
	return list
}

// Uses gives the code that must have run before an answer, cell by cell.
func (e *Exercise) Uses() (cells []string) {
	for _, b := range e.Lesson.Blocks {
		if slices.Contains(e.task.Uses, b.ID) {
			cells = append(cells, b.Text)
		}
	}
	return cells
}

// Says is what the lesson says to a kind of failure, "" if nothing of its own.
func (e *Exercise) Says(kind, lang string) string {
	for _, b := range e.blocks {
		if b.Role == Says && b.On == kind {
			return e.Lesson.Text(b, lang)
		}
	}
	return ""
}

// Hints gives the hints for a kind of failure in their order, those for any kind
// after those for it.
func (e *Exercise) Hints(kind, lang string) (texts []string) {
	var own, others []Block
	for _, b := range e.blocks {
		switch {
		case b.Role != Hint:
		case b.On == kind:
			own = append(own, b)
		case b.On == AnyKind:
			others = append(others, b)
		}
	}
	for _, list := range [][]Block{own, others} {
		slices.SortStableFunc(list, func(a, b Block) int { return cmp.Compare(a.Step, b.Step) })
		for _, b := range list {
			texts = append(texts, e.Lesson.Text(b, lang))
		}
	}
	return texts
}

// Title is the heading that the exercise stands under.
func (e *Exercise) Title(lang string) string {
	title := ""
	for _, b := range e.Lesson.Blocks {
		if b.ID == e.ID {
			break
		}
		text := e.Lesson.Text(b, lang)
		if first, _, _ := strings.Cut(text, "\n"); !b.Code && b.Role == Plain && strings.HasPrefix(first, "#") {
			title = strings.TrimLeft(first, "# ")
		}
	}
	return title
}

// Statement is the text right before the exercise: what is to be done.
func (e *Exercise) Statement(lang string) (text string) {
	for _, b := range e.Lesson.Blocks {
		if b.ID == e.ID {
			break
		}
		if !b.Code && b.Role == Plain {
			text = e.Lesson.Text(b, lang)
		}
	}
	return text
}
