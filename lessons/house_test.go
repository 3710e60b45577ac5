package lessons_test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/paragopher/paragopher"

// rooms says which of this module's packages each room may import, by prefixes; a
// room is the longest prefix of a package's path. Arrows point down only.
var rooms = map[string][]string{
	"":                                {"kernel", "lessons", "parallel"},
	"kernel":                          {"kernel"},
	"kernel/bench":                    {"kernel/client", "kernel/kernelspec"},
	"kernel/client":                   {"kernel/wire", "kernel/kernelspec"},
	"kernel/display":                  {},
	"kernel/engine":                   {"kernel/engine", "kernel/display", "parallel"},
	"kernel/engine/bench":             {"kernel/engine", "kernel/display"},
	"kernel/engine/glue":              {"kernel/engine/glue/eval", "kernel/engine/source"},
	"kernel/engine/glue/eval":         {},
	"kernel/engine/glue/std":          {},
	"kernel/engine/glue/stdtable":     {},
	"kernel/engine/interp":            {"kernel/engine/session", "kernel/engine/source", "kernel/display", "parallel", "plots"},
	"kernel/engine/interp/symbols":    {"kernel/engine/source"},
	"kernel/engine/native":            {"kernel/engine/source", "kernel/engine/native/rt", "kernel/engine/glue"},
	"kernel/engine/native/host":       {"kernel/engine/native/rt", "kernel/engine/glue", "kernel/engine/session", "kernel/display", "parallel"},
	"kernel/engine/native/rt":         {},
	"kernel/engine/native/sources":    {},
	"kernel/engine/session":           {"kernel/display", "parallel"},
	"kernel/engine/source":            {},
	"kernel/engine/source/exportdata": {},
	"kernel/internal/mock":            {"kernel"},
	"kernel/kernelspec":               {},
	"kernel/wire":                     {},
	"lessons":                         {"kernel", "lessons", "parallel", "plots"},
	"parallel":                        {"parallel/internal"},
	"parallel/internal":               {"parallel/internal"},
	"parallel/timing":                 {"parallel"},
	"plots":                           {"parallel/timing"},
}

// standardOnly are rooms that depend on the standard library alone: notebooks' hosts
// and users' programs link them.
var standardOnly = []string{"parallel", "parallel/timing", "kernel/display", "kernel/engine/session", "kernel/engine/native/rt", "kernel/engine/native/host", "kernel/engine/glue/eval", "kernel/engine/glue/std"}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportsPointDown(t *testing.T) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		path := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		may, ok := rooms[room(path)]
		if !ok || room(path) == "" && path != "" {
			t.Errorf("%s is in no room of the table", path)
			continue
		}
		for _, im := range p.Imports {
			down, own := strings.CutPrefix(im, module+"/")
			switch {
			case own && !below(down, may):
				t.Errorf("%s imports %s: not in the design's table", path, down)
			case !own && strings.Contains(strings.Split(im, "/")[0], ".") && below(path, standardOnly) && room(path) == path:
				t.Errorf("%s imports %s: it must depend on the standard library alone", path, im)
			}
		}
	}
}

// room finds the longest entry of the table that path is in.
func room(path string) (best string) {
	for r := range rooms {
		if len(r) > len(best) && below(path, []string{r}) {
			best = r
		}
	}
	return best
}

func below(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if path == p || strings.HasPrefix(path, p+"/") {
			return true
		}
	}
	return false
}
