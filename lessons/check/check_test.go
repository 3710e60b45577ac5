package check_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/lessons"
	"github.com/paragopher/paragopher/lessons/check"
	"github.com/paragopher/paragopher/parallel"
)

// The sessions of these tests, and the processes of the answers, are this binary.
func TestMain(m *testing.M) {
	engine.Main()
	parallel.Main()
	os.Exit(m.Run())
}

// Every solution passes, every wrong answer is refused for its own reason, and in
// words that are not the answer.
func TestAnswers(t *testing.T) {
	list, err := lessons.Exercises()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("there are no exercises")
	}
	for _, e := range list {
		for i, lang := range lessons.Languages {
			t.Run(e.ID+"/solution-"+lang, func(t *testing.T) {
				t.Parallel()
				if v := check.Run(context.Background(), e, e.Solution(lang), lang); !v.Passed {
					t.Errorf("refused as %s: %s\n%s", v.Kind, v.Says, v.Output)
				}
			})
			if i == 0 {
				t.Run(e.ID+"/stub", func(t *testing.T) {
					t.Parallel()
					if v := check.Run(context.Background(), e, e.Stub(lang), lang); v.Passed || v.Kind == check.Broken || v.Kind == check.Shape {
						t.Errorf("what is to be completed: %+v", v)
					}
				})
			}
		}
		for i, w := range e.Wrong() {
			lang := lessons.Languages[i%len(lessons.Languages)]
			t.Run(e.ID+"/"+w.ID, func(t *testing.T) {
				t.Parallel()
				v := check.Run(context.Background(), e, w.Code, lang)
				if v.Passed || v.Kind != w.Kind {
					t.Errorf("got %q, want %q: %s\n%s", v.Kind, w.Kind, v.Says, v.Output)
				}
				if v.Says == "" || strings.Contains(v.Says, "{1}") || strings.HasPrefix(v.Says, v.Kind+":") {
					t.Errorf("it says %q", v.Says)
				}
				if len(e.Hints(v.Kind, lang)) == 0 {
					t.Errorf("there is no hint for %s", v.Kind)
				}
			})
		}
	}
}

// What no exercise foresees is stopped and explained.
func TestHostileAnswers(t *testing.T) {
	list, err := lessons.Exercises()
	if err != nil {
		t.Fatal(err)
	}
	e := list[0]
	for _, test := range []struct{ name, code, kind string }{
		{"not Go", "x := )", check.Compile},
		{"dies", "os.Exit(3)", check.Died},
		{"panics", "panic(\"no\")", check.Panic},
		{"prints", "for { fmt.Println(\"a gigabyte, some day\") }", check.Flood},
		{"prints one line", "for { fmt.Print(\"a gigabyte, some day\") }", check.Flood},
		{"renames", "func another() {}", check.Shape},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := check.Run(context.Background(), e, test.code, "ko")
			if v.Passed || v.Kind != test.kind || v.Says == "" {
				t.Errorf("%+v", v)
			}
			if len(v.Output) > 4000 {
				t.Errorf("%d bytes of output are kept", len(v.Output))
			}
		})
	}
	t.Run("endless", func(t *testing.T) {
		t.Parallel()
		if v := check.Run(context.Background(), e, "for {}", "en", check.Patience(time.Second)); v.Kind != check.Endless || v.Says == "" {
			t.Errorf("%+v", v)
		}
	})
}
