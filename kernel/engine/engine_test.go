package engine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/display"
	"github.com/paragopher/paragopher/kernel/engine/native"
)

// The sessions of these tests are this binary.
func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// A recorder is a Sink that keeps what came, in order.
type recorder struct {
	mu    sync.Mutex
	items []item
	heard *sync.Cond
}

type item struct{ cell, kind, text string }

func newRecorder() *recorder {
	r := &recorder{}
	r.heard = sync.NewCond(&r.mu)
	return r
}

func (r *recorder) add(i item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.items); n > 0 && r.items[n-1].cell == i.cell && r.items[n-1].kind == i.kind && strings.HasPrefix(i.kind, "std") {
		r.items[n-1].text += i.text
	} else {
		r.items = append(r.items, i)
	}
	r.heard.Broadcast()
}

func (r *recorder) Stream(cell, name, text string)        { r.add(item{cell, name, text}) }
func (r *recorder) Display(cell string, b display.Bundle) { r.add(item{cell, "display", b.Text()}) }
func (r *recorder) ClearOutput(cell string, wait bool)    { r.add(item{cell, "clear", fmt.Sprint(wait)}) }
func (r *recorder) Input(context.Context, string, string, bool) (string, error) {
	return "", fmt.Errorf("nobody to ask")
}

// take gives what has come so far and forgets it.
func (r *recorder) take() []item {
	r.mu.Lock()
	defer r.mu.Unlock()
	items := r.items
	r.items = nil
	return items
}

func (r *recorder) stdout() (text string) {
	for _, i := range r.take() {
		if i.kind == "stdout" {
			text += i.text
		}
	}
	return text
}

// await waits until text has come on a stream.
func (r *recorder) await(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for _, i := range r.items {
			if strings.Contains(i.text, text) {
				return
			}
		}
		r.heard.Wait()
	}
}

// A notebook is an engine whose cells are numbered.
type notebook struct {
	*testing.T
	engine *Engine
	*recorder
	count int
}

func newNotebook(t *testing.T) *notebook {
	t.Helper()
	return newNotebookOn(t, "")
}

// newNotebookOn makes a notebook whose cells an engine runs.
func newNotebookOn(t *testing.T, engine string) *notebook {
	t.Helper()
	r := newRecorder()
	e, err := New(Options{Engine: engine}, r)
	if err != nil {
		t.Fatal(err)
	}
	n := &notebook{T: t, engine: e, recorder: r}
	t.Cleanup(func() {
		session := e.session.pid()
		pids := append(descendants(session), session)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
		awaitEnd(t, pids)
	})
	return n
}

func (n *notebook) cell(code string) Result {
	n.count++
	return n.engine.Run(context.Background(), Cell{ID: fmt.Sprint("cell-", n.count), Count: n.count, Code: code})
}

// ok runs a cell that must go well and gives the text of its result.
func (n *notebook) ok(code string) string {
	n.Helper()
	r := n.cell(code)
	if r.Err != nil {
		n.Fatalf("%s\n%s", code, strings.Join(r.Err.Traceback, "\n"))
	}
	return r.Value.Text()
}

func (n *notebook) fails(name, text, code string) {
	n.Helper()
	r := n.cell(code)
	if r.Err == nil {
		n.Fatalf("%s\ngave no error", code)
	}
	if r.Err.Name != name || !strings.Contains(strings.Join(r.Err.Traceback, "\n"), text) {
		n.Fatalf("%s\ngave %s: %s\nwant %s: %s", code, r.Err.Name, strings.Join(r.Err.Traceback, "\n"), name, text)
	}
}

func (n *notebook) equal(got, want string) {
	n.Helper()
	if got != want {
		n.Fatalf("got %q, want %q", got, want)
	}
}

// All these tests hold for compiled cells too.
func TestNative(t *testing.T) {
	if os.Getenv(engineVariable) != "" {
		t.Skip("these are that")
	}
	if _, err := native.Open(t.Context(), func(string) {}); err != nil {
		t.Skip("cells cannot be compiled here: ", err)
	}
	// The sessions name their engine themselves.
	cmd := exec.Command(os.Args[0], "-test.v", "-test.skip=^TestSessions")
	cmd.Env = append(os.Environ(), engineVariable+"="+compiled)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// Without a C compiler the notebook goes on, interpreted, and says why, once.
func TestNativeWithoutCompiler(t *testing.T) {
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("there is no go command, so there is nothing to lack")
	}
	n := newNotebookOn(t, interpreted)
	n.ok("x := 20")
	dir := t.TempDir()
	if err := os.Symlink(goTool, filepath.Join(dir, "go")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	t.Setenv("PATH", dir)
	n.take()
	n.equal(n.ok("%engine native\nx + 22"), "42")
	said := 0
	for _, i := range n.take() {
		if strings.Contains(i.text, "Cells are interpreted, not compiled: there is no C compiler") {
			said++
		}
	}
	if said != 1 {
		t.Errorf("it was said %d times that cells are interpreted", said)
	}
	n.equal(n.ok("x"), "20")
	if items := n.take(); len(items) != 0 {
		t.Errorf("the next cell says %v", items)
	}
}

// descendants lists the processes below one. It knows Linux only.
func descendants(pid int) (found []int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range threads {
		data, _ := os.ReadFile(file)
		for _, f := range strings.Fields(string(data)) {
			child, _ := strconv.Atoi(f)
			found = append(append(found, child), descendants(child)...)
		}
	}
	return found
}

// awaitEnd fails the test when one of the processes is still there after a second.
func awaitEnd(t *testing.T, pids []int) {
	t.Helper()
	deadline := time.Now().Add(time.Second)
	for _, pid := range pids {
		for alive(pid) {
			if time.Now().After(deadline) {
				cmd, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				t.Errorf("process %d is left: %q", pid, cmd)
				break
			}
			time.Sleep(time.Millisecond) // a process that is not a child cannot be waited for
		}
	}
}

func alive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(data), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestCells(t *testing.T) {
	n := newNotebook(t)
	n.equal(n.ok("x := 41\nfunc f() int { return x + 1 }\nf()"), "42")
	n.equal(n.ok(`fmt.Println("hello"); x++`), "")
	n.equal(n.stdout(), "hello\n")
	n.equal(n.ok("func f() int { return -x }; f()"), "-42")
	n.fails("CompileError", "cell[4]:2:13: cannot use \"a\"", "var ok = 1\nvar y int = \"a\"")
	n.fails("CompileError", "undefined: ok", "ok")
	n.fails("Panic", "cell[6]:1", "panic(fmt.Sprint(x))")
	n.equal(n.ok("x"), "42")
}

func TestOutputIsWholeAndOrdered(t *testing.T) {
	n := newNotebook(t)
	n.ok(`for i := 0; i < 100000; i++ { fmt.Println("line", i) }`)
	var want strings.Builder
	for i := range 100000 {
		fmt.Fprintln(&want, "line", i)
	}
	if got := n.stdout(); got != want.String() {
		t.Fatalf("%d bytes came of %d", len(got), want.Len())
	}

	n.ok(`fmt.Print("a"); Display(display.HTML("<i>b</i>")); fmt.Print("c"); display.Show("d"); os.Stdout.WriteString("e"); display.Clear(true)`)
	var order string
	for _, i := range n.take() {
		order += i.kind + "=" + i.text + " "
	}
	n.equal(order, "stdout=a display=<i>b</i> stdout=c display=d stdout=e clear=true ")

	// From a child process, and without a new line at the end.
	n.ok(`import "os/exec"
c := exec.Command("printf", "%s", "한글 of a child")
c.Stdout = os.Stdout
c.Run()`)
	n.equal(n.stdout(), "한글 of a child")

	// A character that is written in two pieces is shown whole.
	n.ok(`s := "한"; os.Stdout.WriteString(s[:1]); time.Sleep(60*time.Millisecond); os.Stdout.WriteString(s[1:])`)
	n.equal(n.stdout(), "한")
}

func TestLaterOutput(t *testing.T) {
	n := newNotebook(t)
	n.ok(`go func() { fmt.Println("later") }()`)
	n.await("later")
}

func TestSessionLosses(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signals")
	}
	for _, loss := range []struct{ name, code, text string }{
		{"exit", "import \"syscall\"\nsyscall.Exit(3)", "code 3"},
		{"kill", `p, _ := os.FindProcess(os.Getpid()); p.Kill(); time.Sleep(time.Minute)`, "killed"},
		{"maps", `m := map[int]int{}
for i := 0; i < 4; i++ { go func() { for { m[1] = 2 } }() }
time.Sleep(20 * time.Second)`, "concurrent map"},
		{"stack", "func r(i int) int { return r(i+1) + 1 }\nr(0)", "stack"},
	} {
		t.Run(loss.name, func(t *testing.T) {
			t.Parallel()
			n := newNotebook(t)
			n.ok("type T struct{ A int }\nfunc twice(i int) int { return 2 * i }\nconst c = 5\nkept := 1")
			n.ok(`fmt.Println("before")`)
			n.fails("SessionDied", loss.text, `fmt.Println("said"); `+loss.code)
			if out := n.stdout(); !strings.Contains(out, "said") {
				t.Errorf("the output before the death is lost: %q", out)
			}
			n.equal(n.ok("T{twice(c)}"), "{10}")
			n.fails("CompileError", "kept", "kept")
		})
	}
}

func TestSessionLostBetweenCells(t *testing.T) {
	n := newNotebook(t)
	n.ok("x := 1\nfunc f() int { return 7 }")
	session := n.engine.session
	session.kill()
	<-session.dead
	n.equal(n.ok("f()"), "7")
	n.await("x")
}

func TestPanics(t *testing.T) {
	n := newNotebook(t)
	n.ok("x := 7")
	n.fails("Panic", "runtime error: integer divide by zero", "y := x - 7\nx / y")
	n.fails("Panic", "runtime error: invalid memory address or nil pointer dereference", "var p *int\n*p")
	n.fails("Panic", "index out of range", "[]int{1}[x]")
	n.ok(`go func() { panic("in a goroutine") }()`)
	n.await("in a goroutine")
	n.equal(n.ok("x"), "7")
}

func TestExit(t *testing.T) {
	n := newNotebook(t)
	n.ok("x := 7")
	n.fails("Exit", "os.Exit(3)", "os.Exit(3); x = 8")
	n.fails("Exit", "os.Exit(1)", `log.SetFlags(0); log.Fatalf("x is %d", x)`)
	n.await("x is 7")
	n.equal(n.ok("x"), "7")
}

func TestInterrupt(t *testing.T) {
	for name, code := range map[string]string{
		"loop":    `fmt.Println("go"); for {}`,
		"sleep":   `fmt.Println("go"); time.Sleep(time.Hour)`,
		"channel": `fmt.Println("go"); <-make(chan int)`,
		"lock":    `var mu sync.Mutex; mu.Lock(); fmt.Println("go"); mu.Lock()`,
		"worker": `import "parallel"
func rest() { fmt.Println("go"); time.Sleep(time.Hour) }
p := parallel.NewProcess(rest); p.Start(); p.Join()`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNotebook(t)
			n.ok("x := 5")
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan Result)
			go func() { done <- n.engine.Run(ctx, Cell{ID: "running", Count: 9, Code: code}) }()
			n.await("go")
			cancel()
			r := <-done
			if r.Err == nil || r.Err.Name != "Interrupted" {
				t.Fatalf("%+v", r.Err)
			}
			n.equal(n.ok("x"), "5")
		})
	}
}

// A cell may close or replace what it likes.
func TestBrokenStreams(t *testing.T) {
	n := newNotebook(t)
	n.ok("x := 1\nos.Stdout.Close()")
	n.equal(n.ok("x"), "1")
}

func TestWorkersEndWithTheSession(t *testing.T) {
	n := newNotebook(t)
	n.ok(`import "parallel"
func rest() { fmt.Println("go"); time.Sleep(time.Hour) }
ps := []*parallel.Process{}
for i := 0; i < 3; i++ { p := parallel.NewProcess(rest); p.Start(); ps = append(ps, p) }`)
	n.await("go\n")
	pids := descendants(n.engine.session.pid())
	if len(pids) < 3 && runtime.GOOS == "linux" {
		t.Fatalf("workers %v", pids)
	}
	n.fails("SessionDied", "code 1", `import "syscall"; syscall.Exit(1)`)
	awaitEnd(t, pids)
}

func TestClose(t *testing.T) {
	n := newNotebook(t)
	done := make(chan Result)
	go func() {
		done <- n.engine.Run(context.Background(), Cell{ID: "c", Count: 1, Code: `fmt.Println("go"); for {}`})
	}()
	n.await("go")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := n.engine.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if r := <-done; r.Err == nil {
		t.Error("the cell went well")
	}
	if r := n.cell("1"); r.Err == nil || r.Err.Name != "EngineClosed" {
		t.Errorf("a closed engine ran a cell: %+v", r)
	}
}

func TestStartFails(t *testing.T) {
	for _, command := range []string{"/does/not/exist", "/bin/false"} {
		if _, err := New(Options{Command: []string{command}}, newRecorder()); err == nil || !strings.Contains(err.Error(), "session process") {
			t.Errorf("%s: %v", command, err)
		}
	}
}

func TestPackageForms(t *testing.T) {
	n := newNotebook(t)
	n.ok("package main\nfunc init() { fmt.Println(\"init\", x) }\nvar x = y + 1\nvar y = f()\nfunc f() int { return z }\nvar z = 10\nfunc init() { fmt.Println(\"again\") }\nfunc main() { fmt.Println(\"main\", x) }")
	n.equal(n.stdout(), "init 11\nagain\nmain 11\n")
	n.ok("var p, q = q * 2, g()\nfunc g() int { return 21 }")
	n.equal(n.ok("fmt.Sprint(p, q)"), "42 21")
	n.ok("import . \"strings\"\nimport _ \"image/png\"\nfunc up(s string) string { return ToUpper(s) }")
	n.equal(n.ok("up(Repeat(\"a\", 3))"), "AAA")
	n.ok("a := 1\nfunc init() { a *= 2 }\nfmt.Println(a)\nfunc init() { a *= 5 }\nfmt.Println(a)")
	n.equal(n.stdout(), "2\n10\n")
	n.fails("Panic", "cell[7]:3", "var u = v + 1\nvar v =\n[]int{}[a]")
	n.ok("// Doc explains.\nfunc Doc(x int) int")
	n.await("taken as documentation")
	n.fails("CompileError", "undefined: Doc", "Doc(1)")
	n.fails("CompileError", "unexpected semicolon or newline before {", "func h() int\n{ return 1 }")
	n.fails("CompileError", "initialization cycle", "var r = s\nvar s = r")
	n.ok("func main() { fmt.Println(\"later\") }")
	n.ok("main()")
	n.ok("if a > 0 { return }\nfmt.Println(\"never\")")
}

func TestVarOfParallel(t *testing.T) {
	n := newNotebook(t)
	n.ok("import \"github.com/paragopher/paragopher/parallel\"\nvar x = parallel.NewValue(0)")
	n.equal(n.ok("x.Load()"), "0")
}

func TestCompleteAndInspect(t *testing.T) {
	n := newNotebook(t)
	n.ok("type P struct{ X, Y int }\nfunc (P) String() string { select {} }\n// Twice doubles.\nfunc Twice(i int) int { return 2 * i }")
	n.ok("p := P{1, 2}\nxs := make([]int, 3)\ncount := 41\nname := \"gopher\"")
	for code, want := range map[string]string{"count": "41", "name": "\"gopher\"", "xs": "length 3", "p": ""} {
		in := n.engine.Inspect(code, len(code), 0)
		if in == nil || in.Value != want {
			t.Errorf("%s: %+v, want the value %q", code, in, want)
		}
	}
	if in := n.engine.Inspect("Twice(", 6, 1); in == nil || !strings.Contains(in.Text(), "Twice doubles.") || !strings.Contains(in.Text(), "return 2 * i") {
		t.Errorf("Twice: %+v", in)
	}
	// While a cell runs all is known but the values.
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan Result)
	go func() {
		ended <- n.engine.Run(ctx, Cell{ID: "loop", Count: 9, Code: `fmt.Println("go"); for { count++ }`})
	}()
	n.await("go\n")
	if in := n.engine.Inspect("count", 3, 0); in == nil || in.Value != "" || in.Signature != "var count int" {
		t.Errorf("while a cell runs: %+v", in)
	}
	if c := n.engine.Complete("p.", 2); len(c.Matches) != 3 {
		t.Errorf("while a cell runs: %+v", c)
	}
	stop()
	<-ended
	// Code for values leaves nothing behind.
	n.equal(n.ok("name"), "gopher")
}
