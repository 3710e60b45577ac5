package coach

import (
	"context"
	"fmt"
	"time"

	"github.com/paragopher/paragopher/lessons"
	"github.com/paragopher/paragopher/lessons/check"
)

// A Coach works with one progress file. Its methods read and write the file each
// time, so that several programs can share it.
type Coach struct {
	File string
	Warn func(string) // told once when a damaged file was kept aside; nil: nobody
}

// update changes the file.
func (c *Coach) update(change func(*Progress)) error {
	p, err := c.Progress()
	if err != nil {
		return err
	}
	change(&p)
	return p.Save(c.File)
}

// Progress reads the file.
func (c *Coach) Progress() (Progress, error) {
	p, aside, err := Load(c.File)
	if aside != "" && c.Warn != nil {
		c.Warn(fmt.Sprintf("Your progress file was damaged. It is kept as %s, and progress begins anew.", aside))
	}
	return p, err
}

// Check checks an answer and notes the result. The error is about the file; the
// verdict holds all the same.
func (c *Coach) Check(ctx context.Context, e *lessons.Exercise, answer, lang string, opts ...check.Option) (check.Verdict, error) {
	v := check.Run(ctx, e, answer, lang, opts...)
	if v.Kind == check.Broken {
		return v, nil
	}
	return v, c.update(func(p *Progress) {
		a := p.Exercises[e.ID]
		a.Tries++
		if v.Kind != a.Failure {
			a.Failure, a.Hints = v.Kind, 0
		}
		if v.Passed && a.Done == nil {
			now := time.Now().UTC().Truncate(time.Second)
			a.Done = &now
		}
		p.Exercises[e.ID] = a
	})
}

// Hint gives the next hint for how the last answer failed: which it is, of how
// many. After the last it is the last again.
func (c *Coach) Hint(e *lessons.Exercise, lang string) (text string, n, of int, err error) {
	err = c.update(func(p *Progress) {
		a := p.Exercises[e.ID]
		hints := e.Hints(a.Failure, lang)
		if of = len(hints); of == 0 {
			return
		}
		a.Hints = min(a.Hints+1, of)
		n, text = a.Hints, hints[a.Hints-1]
		p.Exercises[e.ID] = a
	})
	return text, n, of, err
}

// Solution gives the solution of an exercise that is done, or asked for a second
// time; "" otherwise.
func (c *Coach) Solution(e *lessons.Exercise, lang string) (code string, err error) {
	err = c.update(func(p *Progress) {
		a := p.Exercises[e.ID]
		a.Asked++
		if a.Done != nil || a.Asked > 1 {
			code = e.Solution(lang)
		}
		p.Exercises[e.ID] = a
	})
	return code, err
}

// Reset forgets one exercise, or all for "".
func (c *Coach) Reset(id string) error {
	return c.update(func(p *Progress) {
		if id == "" {
			p.Exercises = map[string]Attempt{}
		}
		delete(p.Exercises, id)
	})
}

// SetLanguage changes the language and nothing else.
func (c *Coach) SetLanguage(lang string) error {
	if err := lessons.KnownLanguage(lang); err != nil {
		return err
	}
	return c.update(func(p *Progress) { p.Language = lang })
}
