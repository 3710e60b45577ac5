//go:build unix

package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel"
	"github.com/paragopher/paragopher/kernel/client"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/kernel/internal/mock"
	"github.com/paragopher/paragopher/kernel/wire"
)

// The test binary plays the kernel, and a client, when this says so.
const role = "PARAGOPHER_CLIENT_TEST"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "kernel":
		err := kernel.Serve(context.Background(), os.Args[1], func(s engine.Sink) (kernel.Engine, error) { return mock.New(s), nil })
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	case "dies":
		fmt.Fprintln(os.Stderr, "cannot find my feet")
		os.Exit(3)
	case "mute":
		time.Sleep(time.Hour)
	case "client":
		// Starts a kernel, says which, and waits to be killed.
		k, err := client.Start(context.Background(), spec("message", "kernel"))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(k.PID())
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

func spec(interrupt, what string) client.Spec {
	return client.Spec{
		Name: "mock", Argv: []string{os.Args[0], "{connection_file}"},
		InterruptMode: interrupt, Env: map[string]string{role: what},
	}
}

// start starts a kernel whose temporary files are watched.
func start(t *testing.T, interrupt string, opts ...client.Option) *client.Kernel {
	t.Helper()
	nothingLeft(t)
	k, err := client.Start(limited(t), spec(interrupt, "kernel"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		k.Kill()
		if alive(k.PID()) {
			t.Errorf("process %d is left", k.PID())
		}
	})
	return k
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// nothingLeft fails when the test leaves temporary files or goroutines.
func nothingLeft(t *testing.T) {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg") // short enough for Unix sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	t.Cleanup(func() {
		if left, _ := filepath.Glob(dir + "/*/*"); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
		os.RemoveAll(dir)
		deadline := time.Now().Add(10 * time.Second)
		for {
			buf := make([]byte, 1<<20)
			stacks := string(buf[:runtime.Stack(buf, true)])
			if !strings.Contains(stacks, "client.(*Kernel)") && !strings.Contains(stacks, "wire.(*") {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("goroutines left behind:\n%s", stacks)
				return
			}
			runtime.Gosched()
		}
	})
}

func TestExecuteAndQueries(t *testing.T) {
	for _, transport := range []string{"tcp", "ipc"} {
		t.Run(transport, func(t *testing.T) {
			k := start(t, "message", client.WithTransport(transport), client.WithInput(func(prompt string, password bool) (string, error) {
				return "answer to " + prompt, nil
			}))
			ctx := limited(t)
			if i := k.Info(); i.LanguageInfo.Name != "go" || i.Status != "ok" {
				t.Errorf("info %+v", i)
			}
			var got []string
			reply, err := k.Execute(ctx, "out a\nerrout b\nhtml <i>\nupdate id c\nclear\ninput who\nvalue 42", func(o client.Output) {
				got = append(got, fmt.Sprintf("%s %s%s%v%v%s%v%d", o.Type, o.Name, o.Text, o.Data["text/html"], o.Data["text/plain"], o.Display, o.Wait, o.Count))
			})
			if err != nil || reply.Status != "ok" || reply.Count != 1 {
				t.Fatalf("%+v %v", reply, err)
			}
			want := []string{"stream stdouta\n<nil><nil>false0", "stream stderrb\n<nil><nil>false0", "display_data <i><i>false0",
				"update_display_data <nil>cidfalse0", "clear_output <nil><nil>true0", "stream stdoutanswer to who\n<nil><nil>false0", "execute_result <nil>42false1"}
			if strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("got\n%q\nwant\n%q", got, want)
			}
			got = nil
			reply, err = k.Execute(ctx, "fail x", func(o client.Output) { got = append(got, o.Type+o.EName+o.EValue) })
			if err != nil || reply.Status != "error" || reply.EName != "MockError" || len(reply.Traceback) != 1 || len(got) != 1 || got[0] != "errorMockErrorx" {
				t.Errorf("%+v %v %q", reply, err, got)
			}
			if status, indent, err := k.IsComplete(ctx, "{"); status != "incomplete" || indent != "\t" || err != nil {
				t.Errorf("IsComplete: %q %q %v", status, indent, err)
			}
			if c, err := k.Complete(ctx, "a", 1); c.Status != "ok" || len(c.Matches) != 0 || c.End != 1 || err != nil {
				t.Errorf("Complete: %+v %v", c, err)
			}
			if i, err := k.Inspect(ctx, "a", 1, 0); i.Found || err != nil {
				t.Errorf("Inspect: %+v %v", i, err)
			}
			if h, err := k.History(ctx, 1); len(h) != 1 || h[0] != "fail x" || err != nil {
				t.Errorf("History: %q %v", h, err)
			}
			if c, err := k.CommInfo(ctx, ""); len(c) != 0 || err != nil {
				t.Errorf("CommInfo: %v %v", c, err)
			}
			if err := k.Ping(ctx); err != nil {
				t.Error(err)
			}
			if err := k.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			if err := k.Shutdown(ctx); err != nil {
				t.Errorf("second shutdown: %v", err)
			}
			if _, err := k.Execute(ctx, "value 1", nil); err == nil || !strings.Contains(err.Error(), `"mock"`) {
				t.Errorf("a cell after the shutdown: %v", err)
			}
		})
	}
}

// TestManyLines: 100,000 pieces of output arrive whole and in order, also when
// the client is slow at first.
func TestManyLines(t *testing.T) {
	k := start(t, "message")
	const n = 100_000
	next := 0
	reply, err := k.Execute(limited(t), fmt.Sprintf("print %d", n), func(o client.Output) {
		if next == 0 {
			time.Sleep(200 * time.Millisecond) // a slow reader, not a wait
		}
		if want := fmt.Sprintf("line %d\n", next); o.Text != want {
			t.Fatalf("got %q, want %q", o.Text, want)
		}
		next++
	})
	if err != nil || reply.Status != "ok" || next != n {
		t.Fatalf("%d lines, %+v %v", next, reply, err)
	}
}

func TestInterrupt(t *testing.T) {
	for _, mode := range []string{"message", "signal"} {
		t.Run(mode, func(t *testing.T) {
			k := start(t, mode)
			ctx := limited(t)
			for range 3 {
				reply, err := k.Execute(ctx, "out go\nwait", func(o client.Output) {
					if o.Text == "go\n" {
						if err := k.Interrupt(ctx); err != nil {
							t.Error(err)
						}
					}
				})
				if err != nil || reply.EName != "Interrupted" {
					t.Fatalf("%+v %v", reply, err)
				}
			}
			if err := k.Interrupt(ctx); err != nil { // nothing runs
				t.Error(err)
			}
			if reply, err := k.Execute(ctx, "value 1", nil); err != nil || reply.Status != "ok" || reply.Count != 4 {
				t.Errorf("%+v %v", reply, err)
			}
		})
	}
}

func TestExecuteGivesUpWithItsContext(t *testing.T) {
	k := start(t, "message")
	ctx, cancel := context.WithCancel(limited(t))
	if _, err := k.Execute(ctx, "out go\nwait", func(client.Output) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if err := k.Interrupt(limited(t)); err != nil {
		t.Fatal(err)
	}
	if reply, err := k.Execute(limited(t), "value 1", nil); err != nil || reply.Status != "ok" && reply.Status != "aborted" {
		t.Fatalf("%+v %v", reply, err)
	}
}

func TestKernelThatDiesAtStart(t *testing.T) {
	nothingLeft(t)
	_, err := client.Start(limited(t), spec("", "dies"))
	var died *client.DiedError
	if !errors.As(err, &died) || died.How != "exit status 3" || !strings.Contains(err.Error(), "cannot find my feet") || !strings.Contains(err.Error(), `"mock"`) {
		t.Fatalf("error %v", err)
	}
}

func TestKernelThatCannotBeStarted(t *testing.T) {
	nothingLeft(t)
	_, err := client.Start(limited(t), client.Spec{Name: "none", Argv: []string{"/nonexistent/kernel"}})
	if err == nil || !strings.Contains(err.Error(), "/nonexistent/kernel") {
		t.Fatalf("error %v", err)
	}
	if _, err = client.Start(limited(t), client.Spec{Name: "none"}); err == nil || !strings.Contains(err.Error(), "argv") {
		t.Fatalf("error %v", err)
	}
	if _, err = client.Start(limited(t), spec("", "kernel"), client.WithTransport("pigeon")); err == nil || !strings.Contains(err.Error(), "pigeon") {
		t.Fatalf("error %v", err)
	}
}

func TestKernelThatDoesNotAnswer(t *testing.T) {
	nothingLeft(t)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := client.Start(ctx, spec("", "mute")); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer") {
		t.Fatalf("error %v", err)
	}
}

func TestKernelThatDiesInACell(t *testing.T) {
	for _, code := range []string{"out last words\nexit 7", "out last words\nwait"} {
		t.Run(code, func(t *testing.T) {
			var log syncBuffer
			k := start(t, "message", client.WithOutput(&log))
			var out string
			_, err := k.Execute(limited(t), code, func(o client.Output) {
				out += o.Text
				if strings.Contains(code, "wait") {
					syscall.Kill(k.PID(), syscall.SIGKILL)
				}
			})
			var died *client.DiedError
			if !errors.As(err, &died) || died.Kernel != "mock" {
				t.Fatalf("error %v", err)
			}
			if strings.Contains(code, "exit") {
				if died.How != "exit status 7" || !strings.Contains(died.Stderr, "mock: exiting") || !strings.Contains(log.String(), "mock: exiting") {
					t.Errorf("%+v", died)
				}
			} else if died.How != "signal: killed" || out != "last words\n" {
				t.Errorf("%+v, output %q", died, out)
			}
			<-k.Done()
		})
	}
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func TestShutdownWhileACellRuns(t *testing.T) {
	for _, code := range []string{"out go\nwait", "out go\nhang"} {
		k := start(t, "message")
		ended := make(chan error, 1)
		_, err := k.Execute(limited(t), code, func(client.Output) {
			go func() { ended <- k.Shutdown(limited(t)) }()
		})
		if e := <-ended; e != nil {
			t.Errorf("%q: shutdown: %v (the cell: %v)", code, e, err)
		}
	}
}

func TestShutdownKillsAKernelThatStays(t *testing.T) {
	k := start(t, "message")
	if err := syscall.Kill(k.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := k.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("error %v", err)
	}
}

func TestSIGTERMEndsTheKernelProperly(t *testing.T) {
	var log syncBuffer
	k := start(t, "message", client.WithOutput(&log))
	syscall.Kill(k.PID(), syscall.SIGTERM)
	select {
	case <-k.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("it stays")
	}
	var died *client.DiedError
	if _, err := k.Execute(limited(t), "value 1", nil); !errors.As(err, &died) || died.How != "exit status 0" {
		t.Errorf("error %v", err)
	}
}

// TestKernelEndsWithItsClient kills a client process; its kernel must follow.
func TestKernelEndsWithItsClient(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"=client", "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 100)
	n, err := out.Read(line)
	pid, e := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	if err != nil || e != nil {
		t.Fatalf("%q %v", line[:n], err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	for deadline := time.Now().Add(20 * time.Second); alive(pid); runtime.Gosched() {
		// A zombie answers to signals: it waits for whatever is init here.
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && bytes.Contains(stat, []byte(") Z ")) {
			break
		}
		if time.Now().After(deadline) {
			syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the kernel lives on")
		}
	}
}

func TestSeveralCellsAtOnce(t *testing.T) {
	k := start(t, "message")
	ctx := limited(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			var out string
			_, err := k.Execute(ctx, fmt.Sprintf("out %d\nout %d", i, i), func(o client.Output) { out += o.Text })
			if want := fmt.Sprintf("%d\n%d\n", i, i); err != nil || out != want {
				t.Errorf("got %q %v, want %q", out, err, want)
			}
		})
	}
	wg.Wait()
}

func TestRequestsOfOtherKinds(t *testing.T) {
	k := start(t, "message")
	m, err := k.Request(limited(t), wire.Shell, "execute_request", map[string]any{"code": "value 1", "silent": true}, func(o client.Output) {
		t.Errorf("a silent cell put out %s", o.Type)
	})
	if err != nil || m.Header.Type != "execute_reply" {
		t.Fatalf("%v %v", m, err)
	}
}
