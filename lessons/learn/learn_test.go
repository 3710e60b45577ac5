package learn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

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

// A learner's way through the first exercise.
func TestLearning(t *testing.T) {
	dir := t.TempDir()
	o := Options{Dir: filepath.Join(dir, "answers"), File: filepath.Join(dir, "progress.json")}
	learn := func(args ...string) (string, error) {
		var out bytes.Buffer
		o.Out = &out
		err := Run(context.Background(), o, args)
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("%v: colours: %q", args, &out)
		}
		return out.String(), err
	}
	expect := func(want string, args ...string) {
		t.Helper()
		if out, err := learn(args...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%v: got %v and %q, want %q", args, err, out, want)
		}
	}
	file := filepath.Join(o.Dir, "01-cut.go")
	expect("paragopher learn watch")
	expect("0/", "list")
	expect("What parallel processing is", "read")
	expect("Processes: start", "read", "2")
	expect(file, "next")
	if out, err := learn("check"); !errors.Is(err, errNotRight) || !strings.Contains(out, "✗ cut:") {
		t.Errorf("%v %s", err, out)
	}
	expect("Hint 1", "hint")
	expect("ask once more", "solution", "cut")
	expect("func cut", "solution", "cut")
	e, err := lessons.FindExercise("cut")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(e.Solution("en")), 0o644); err != nil {
		t.Fatal(err)
	}
	expect("✓ cut", "check")
	expect("진행 상황은 그대로", "lang", "ko")
	expect("[x] cut", "list")
	expect("start-both", "next")
	expect(".old", "reset", "cut")
	expect("[ ] cut", "list")
	for _, test := range []struct{ want, args string }{
		{"there are cut", "check nothing"}, {"there is no learn", "dance"}, {"en, ko", "lang xx"}, {"or all", "reset"}, {"01-parallel", "read 99"},
	} {
		if _, err := learn(strings.Fields(test.args)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.args, err)
		}
	}
}

// buffer is a writer that can be read while others write.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		b.mu.Lock()
		found := strings.Contains(b.text.String(), text)
		b.mu.Unlock()
		if found {
			return
		}
	}
	t.Fatalf("no %q in %s", text, b.text.String())
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	in, keys := io.Pipe()
	out := &buffer{}
	o := Options{Dir: dir, File: filepath.Join(dir, "progress.json"), In: in, Out: out}
	ended := make(chan error, 1)
	go func() { ended <- Run(context.Background(), o, []string{"watch"}) }()
	out.wait(t, "h hint")
	e, err := lessons.FindExercise("cut")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "01-cut.go")
	if err := os.WriteFile(file, []byte(e.Wrong()[0].Code), 0o644); err != nil {
		t.Fatal(err)
	}
	out.wait(t, "✗ cut")
	io.WriteString(keys, "h\n")
	out.wait(t, "Hint 1 of 3")
	if err := os.WriteFile(file, []byte(e.Solution("en")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	out.wait(t, "✓ cut")
	out.wait(t, "start-both.go") // the next
	io.WriteString(keys, "q\n")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
