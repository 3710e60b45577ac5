package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paragopher/paragopher/kernel/engine/native"
)

// A script is a session of testdata/sessions: cells and what must come of them.
//
//	== name            a session begins
//	>                  a cell begins
//	< stdout           what the cell before must print, to the next mark; without it, nothing
//	< result           the text of its result; without it, there must be none
//	< error            what its error's text must contain; without it, there must be none
//
// The results are those of Go itself, whatever the engine.
type script struct {
	file, name string
	cells      []scriptCell
}

type scriptCell struct{ code, stdout, result, err *string }

// scripts reads all sessions.
func scripts(t *testing.T) (all []*script) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "sessions", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sessions: %v", err)
	}
	names := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s *script
		var text *string
		for n, line := range strings.SplitAfter(string(data), "\n") {
			mark := strings.TrimSuffix(line, "\n")
			name, isName := strings.CutPrefix(mark, "== ")
			if !isName && mark != "" && s == nil {
				t.Fatalf("%s:%d: text before the first session", file, n+1)
			}
			text2 := new(string)
			var c *scriptCell
			if s != nil && len(s.cells) > 0 {
				c = &s.cells[len(s.cells)-1]
			}
			switch {
			case isName:
				if names[name] {
					t.Fatalf("%s:%d: a second session %q", file, n+1, name)
				}
				names[name] = true
				s = &script{file: filepath.Base(file), name: name}
				all = append(all, s)
			case mark == ">":
				s.cells = append(s.cells, scriptCell{code: text2})
			case mark == "< stdout" && c != nil:
				c.stdout = text2
			case mark == "< result" && c != nil:
				c.result = text2
			case mark == "< error" && c != nil:
				c.err = text2
			case text != nil:
				*text += line
				continue
			}
			text = text2
		}
	}
	return all
}

// trimmed is a text without the line end that the file needs behind it.
func trimmed(s *string) string {
	if s == nil {
		return ""
	}
	return strings.TrimRight(*s, "\n")
}

// run runs a session and tells what is not as it must be.
func (s *script) run(n *notebook) (wrong []string) {
	for i, c := range s.cells {
		complain := func(what, got, want string) {
			wrong = append(wrong, fmt.Sprintf("cell %d:\n%s%s\n%s\nwant\n%s", i+1, *c.code, what, got, want))
		}
		r := n.cell(strings.TrimSuffix(*c.code, "\n"))
		stdout := n.stdout()
		switch {
		case r.Err == nil && c.err != nil:
			complain("no error", "", trimmed(c.err))
		case r.Err != nil && c.err == nil:
			complain("error", r.Err.Name+": "+strings.Join(r.Err.Traceback, "\n"), "none")
			return wrong // what follows would only be a consequence
		case r.Err != nil && !strings.Contains(r.Err.Value+"\n"+strings.Join(r.Err.Traceback, "\n"), trimmed(c.err)):
			complain("error", r.Err.Name+": "+strings.Join(r.Err.Traceback, "\n"), trimmed(c.err))
		}
		if got := trimmed(&stdout); got != trimmed(c.stdout) {
			complain("stdout", got, trimmed(c.stdout))
		}
		result := r.Value.Text()
		if got := trimmed(&result); got != trimmed(c.result) || (r.Value == nil) != (c.result == nil) {
			complain("result", got, trimmed(c.result))
		}
	}
	return wrong
}

// runSessions runs all sessions over one engine. cannot lists those that it does not
// run rightly, by name, with the reason; one of them that passes fails the test, so
// that the list says what is so.
func runSessions(t *testing.T, engine string, cannot map[string]string) {
	known := map[string]bool{}
	for _, s := range scripts(t) {
		known[s.name] = true
		t.Run(strings.TrimSuffix(s.file, ".txt")+"/"+s.name, func(t *testing.T) {
			if reason := interpUnsure[s.name]; reason != "" && engine == "interp" {
				t.Skip(reason)
			}
			wrong := s.run(newNotebookOn(t, engine))
			if reason := cannot[s.name]; reason != "" {
				if len(wrong) == 0 {
					t.Errorf("passes, although it is listed: %s", reason)
				}
				return
			}
			for _, w := range wrong {
				t.Error(w)
			}
		})
	}
	for name := range cannot {
		if !known[name] {
			t.Errorf("there is no session %q", name)
		}
	}
}

// interpCannot are the sessions that the interpreter refuses or runs wrongly.
var interpCannot = map[string]string{
	"%T and %#v": "%T of a notebook's type",
	"JSON with tags, unexported fields and methods":    "unexported fields are shown",
	"MarshalJSON of a notebook's type":                 "compiled code does not see a notebook's methods",
	"a Stringer, also inside of others":                "compiled code does not see a notebook's methods",
	"a panic with a value of one's own":                "compiled code does not see a notebook's methods",
	"a stack":                                          "%T of a notebook's type",
	"a type switch over notebook types and errors":     "case error does not match compiled errors",
	"a typed nil in an interface":                      "an interface with a typed nil is nil",
	"defer changes a named result, recover":            "texts of runtime errors",
	"errors.As and errors.Is with a notebook's errors": "compiled code does not see a notebook's methods",
	"fmt.Formatter and GoStringer":                     "compiled code does not see a notebook's methods",
	"generic methods as values, explicit instances":    "instances as values",
	"goroutines and a WaitGroup":                       "a loop variable is shared in a function passed to a method",
	"index out of range":                               "texts of runtime errors",
	"iter.Pull":                                        "no package iter",
	"method values copy their receiver":                "a method value shares its receiver",
	"pointer constraint":                               "constraints on the pointer of a type parameter",
	"recover and panic again":                          "a panic in a deferred function is not recovered by the next",
	"recursive function type":                          "recursive function types",
	"reflect sees a notebook's types":                  "compiled code does not see a notebook's methods",
	"slice bounds":                                     "texts of runtime errors",
	"text/template calls methods":                      "compiled code does not see a notebook's methods",
}

// interpUnsure are the sessions that the interpreter runs rightly on some days only.
var interpUnsure = map[string]string{
	"consts and iota": "whether a constant's String is called differs from run to run of the same code",
}

func TestSessionsInterpreted(t *testing.T) { runSessions(t, "interp", interpCannot) }

func TestSessionsNative(t *testing.T) {
	if _, err := native.Open(t.Context(), func(string) {}); err != nil {
		t.Skip("cells cannot be compiled here: ", err)
	}
	runSessions(t, "native", nil)
}
