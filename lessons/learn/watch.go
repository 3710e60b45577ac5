package learn

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/paragopher/paragopher/lessons"
	"github.com/paragopher/paragopher/lessons/coach"
)

// lookTime is how often watch looks whether the file was saved.
const lookTime = 300 * time.Millisecond

// watch checks an exercise whenever its file is saved, and goes on to the next
// when it is right, until the learner quits or all are done.
func (l *learner) watch(ctx context.Context, e *lessons.Exercise) error {
	typed := make(chan string)
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer close(typed)
		for s := bufio.NewScanner(l.In); s.Scan(); {
			select {
			case typed <- strings.ToLower(strings.TrimSpace(s.Text())):
			case <-done:
				return
			}
		}
	}()
	tick := time.NewTicker(lookTime)
	defer tick.Stop()
	keys := (<-chan string)(typed)
	for e != nil {
		if err := l.task(e); err != nil {
			return err
		}
		l.line("\n%s", l.words["keys"])
		file, err := l.answer(e)
		if err != nil {
			return err
		}
		seen := saved(file)
		for passed := false; !passed; {
			select {
			case <-ctx.Done():
				return nil
			case key, open := <-keys:
				if !open {
					keys = nil // no more typing: go on watching, as in the background
					continue
				}
				again := false
				switch key {
				case "q", "quit":
					return nil
				case "h", "hint":
					err = l.say(coach.HintText(l.coach, e, l.Lang))
				case "s", "solution":
					err = l.say(coach.SolutionText(l.coach, e, l.Lang))
				case "l", "list":
					err = l.show()
				case "":
					again = true
				default:
					l.line("%s", l.words["keys"])
				}
				if err != nil {
					return err
				}
				if !again {
					continue
				}
			case <-tick.C:
				now := saved(file)
				if now == seen || now == 0 {
					continue // editors replace files: it may be away for a moment
				}
				seen = now
			}
			if passed, err = l.check(ctx, e); err != nil && !errors.Is(err, errNotRight) {
				if ctx.Err() != nil {
					return nil
				}
				return err
			}
			if !passed {
				l.line("%s", l.words["keys"])
			}
		}
		if e, err = l.exercise(""); err != nil {
			return err
		}
	}
	return nil
}

// saved tells one state of a file from another; 0 for no file.
func saved(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.ModTime().UnixNano() ^ info.Size()
}
