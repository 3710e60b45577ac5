package coach

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/paragopher/paragopher/kernel"
	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/lessons"
)

// call is a cell that asks the coach for something: check("id"), hint("id", "ko"),
// %check id, %solution id ko.
var call = regexp.MustCompile(`^\s*(?:(check|hint|solution)\(\s*"([a-z0-9-]+)"\s*(?:,\s*"([a-z]+)"\s*)?\)|%(check|hint|solution)\s+([a-z0-9-]+)(?:\s+([a-z]+))?)\s*$`)

var marker = regexp.MustCompile(`(?m)^//exercise:([a-z0-9-]+)\s*$`)

// Classroom makes an engine of a notebook know check, hint and solution. Other
// cells go through; those that answer an exercise are remembered for its check,
// which runs in a session of its own and cannot harm the notebook's.
func Classroom(e kernel.Engine, c *Coach) kernel.Engine {
	return &classroom{Engine: e, coach: c, answers: map[string]string{}}
}

type classroom struct {
	kernel.Engine
	coach *Coach

	mu      sync.Mutex
	answers map[string]string // by exercise: the last cell that ran for it
}

// Run implements kernel.Engine.
func (r *classroom) Run(ctx context.Context, cell engine.Cell) engine.Result {
	if m := call.FindStringSubmatch(cell.Code); m != nil {
		return r.serve(ctx, m[1]+m[4], m[2]+m[5], m[3]+m[6])
	}
	if m := marker.FindStringSubmatch(cell.Code); m != nil {
		r.mu.Lock()
		r.answers[m[1]] = cell.Code
		r.mu.Unlock()
	}
	return r.Engine.Run(ctx, cell)
}

// IsComplete implements kernel.Engine.
func (r *classroom) IsComplete(code string) (status, indent string) {
	if call.MatchString(code) {
		return "complete", ""
	}
	return r.Engine.IsComplete(code)
}

func (r *classroom) serve(ctx context.Context, what, id, lang string) engine.Result {
	e, err := lessons.FindExercise(id)
	if lang == "" {
		lang = lessons.Languages[0]
	}
	if err == nil {
		err = lessons.KnownLanguage(lang)
	}
	if err != nil {
		return failed(err)
	}
	var text string
	switch what {
	case "check":
		r.mu.Lock()
		answer := r.answers[id]
		r.mu.Unlock()
		text, err = r.check(ctx, e, answer, lang)
	case "hint":
		text, err = HintText(r.coach, e, lang)
	case "solution":
		text, err = SolutionText(r.coach, e, lang)
		if strings.HasPrefix(text, lessons.Marker(id)) {
			text = "```go\n" + text + "\n```"
		}
	}
	if err != nil {
		return failed(err)
	}
	return engine.Result{Value: &display.Bundle{Data: map[string]any{
		display.MIMETypeText:     text,
		display.MIMETypeMarkdown: text,
	}}}
}

func (r *classroom) check(ctx context.Context, e *lessons.Exercise, answer, lang string) (string, error) {
	w := words[lang]
	if answer == "" {
		return fmt.Sprintf(w.noAnswer, lessons.Marker(e.ID)), nil
	}
	v, err := r.coach.Check(ctx, e, answer, lang)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	text := "✗ " + v.Says
	if v.Passed {
		text = "✓ " + v.Says
	} else {
		text += "\n\n" + fmt.Sprintf(w.help, e.ID, suffix(lang))
	}
	if err != nil {
		text += "\n\n" + w.unsaved + " " + err.Error()
	}
	return text, nil
}

// suffix is what a call in a notebook needs to be answered in a language.
func suffix(lang string) string {
	if lang == lessons.Languages[0] {
		return ""
	}
	return fmt.Sprintf(", %q", lang)
}

func failed(err error) engine.Result {
	return engine.Result{Err: &engine.Error{Name: "ExerciseError", Value: err.Error(), Traceback: []string{"ExerciseError: " + err.Error()}}}
}

var words = map[string]struct{ noAnswer, help, unsaved, noHint, hint, notYet string }{
	"en": {
		"There is no answer yet: run the cell that begins with `%s` first.",
		"`hint(\"%[1]s\"%[2]s)` helps on.",
		"Your progress could not be saved:",
		"There is no further hint.",
		"Hint %d of %d: %s",
		"The solution appears when your answer is right. If you want to see it now, ask once more.",
	},
	"ko": {
		"아직 답이 없습니다. `%s`로 시작하는 셀을 먼저 실행하세요.",
		"도움이 필요하면 `hint(\"%[1]s\"%[2]s)`를 실행하세요.",
		"진행 상황을 저장하지 못했습니다:",
		"더 드릴 힌트가 없습니다.",
		"힌트 %d/%d: %s",
		"풀이는 답이 맞으면 나타납니다. 지금 보고 싶다면 한 번 더 요청하세요.",
	},
}

// HintText is the next hint as it is shown.
func HintText(c *Coach, e *lessons.Exercise, lang string) (string, error) {
	text, n, of, err := c.Hint(e, lang)
	if err != nil {
		return "", err
	}
	if of == 0 {
		return words[lang].noHint, nil
	}
	return fmt.Sprintf(words[lang].hint, n, of, text), nil
}

// SolutionText is the solution, or the words that it is too early.
func SolutionText(c *Coach, e *lessons.Exercise, lang string) (string, error) {
	code, err := c.Solution(e, lang)
	if err == nil && code == "" {
		code = words[lang].notYet
	}
	return code, err
}
