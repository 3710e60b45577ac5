package coach

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paragopher/paragopher/kernel"
	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/lessons"
	"github.com/paragopher/paragopher/parallel"
)

// The sessions of these tests are this binary.
func TestMain(m *testing.M) {
	engine.Main()
	parallel.Main()
	os.Exit(m.Run())
}

// quiet is a notebook's engine that runs nothing.
type quiet struct {
	kernel.Engine
	ran []string
}

func (q *quiet) Run(_ context.Context, c engine.Cell) engine.Result {
	q.ran = append(q.ran, c.Code)
	return engine.Result{}
}
func (q *quiet) IsComplete(string) (string, string) { return "incomplete", "" }

func TestClassroom(t *testing.T) {
	c := &Coach{File: filepath.Join(t.TempDir(), "deep", "progress.json")}
	q := &quiet{}
	room := Classroom(q, c)
	e, err := lessons.FindExercise("cut")
	if err != nil {
		t.Fatal(err)
	}
	say := func(code string) string {
		t.Helper()
		r := room.Run(context.Background(), engine.Cell{Code: code})
		if r.Err != nil {
			return r.Err.Value
		}
		if r.Value == nil {
			return ""
		}
		if r.Value.Data[display.MIMETypeMarkdown] == nil {
			t.Errorf("%s has no Markdown", code)
		}
		return r.Value.Text()
	}
	wrong := e.Wrong()[0]
	for _, step := range []struct{ code, want string }{
		{`check("cut")`, "no answer yet"},
		{`check("none")`, "there are cut, "},
		{`check("cut", "xx")`, "they are in en, ko"},
		{wrong.Code, ""},
		{`%check cut`, "✗ "},
		{`hint("cut")`, "Hint 1 of 3"},
		{` hint( "cut" , "ko" ) `, "힌트 2/3"},
		{`%hint cut ko`, "힌트 3/3"},
		{`hint("cut")`, "Hint 3 of 3"},
		{`solution("cut")`, "ask once more"},
		{`solution("cut")`, "```go\n//exercise:cut\nfunc cut"},
		{e.Solution("ko"), ""},
		{`check("cut", "ko")`, "✓ 맞았습니다"},
	} {
		if got := say(step.code); !strings.Contains(got, step.want) || step.want == "" && got != "" {
			t.Errorf("%s: got %q, want %q", step.code, got, step.want)
		}
	}
	if len(q.ran) != 2 {
		t.Errorf("the notebook ran %q", q.ran)
	}
	p, err := c.Progress()
	if a := p.Exercises["cut"]; err != nil || a.Done == nil || a.Tries != 2 || a.Failure != "" {
		t.Errorf("%+v, %v", a, err)
	}
	if status, _ := room.IsComplete(`check("cut")`); status != "complete" {
		t.Errorf("%s", status)
	}
	if err := c.SetLanguage("ko"); err != nil {
		t.Fatal(err)
	}
	if p, _ := c.Progress(); p.Language != "ko" || p.Exercises["cut"].Done == nil {
		t.Errorf("the language takes the progress with it: %+v", p)
	}
	if err := c.Reset("cut"); err != nil {
		t.Fatal(err)
	}
	if p, _ := c.Progress(); len(p.Exercises) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestDamagedProgressIsKeptAside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "progress.json")
	if err := os.WriteFile(file, []byte(`{"exercises": {"cut": {"tri`), 0o644); err != nil {
		t.Fatal(err)
	}
	var warning string
	c := &Coach{File: file, Warn: func(s string) { warning = s }}
	if p, err := c.Progress(); err != nil || len(p.Exercises) != 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	aside, _ := filepath.Glob(file + ".damaged-*")
	if len(aside) != 1 || !strings.Contains(warning, aside[0]) {
		t.Fatalf("%q, %q", aside, warning)
	}
	if data, _ := os.ReadFile(aside[0]); !strings.HasSuffix(string(data), `{"tri`) {
		t.Errorf("%s", data)
	}
}
