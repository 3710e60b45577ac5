//go:build unix

package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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
	case "taken":
		// The first time, somebody else has our port.
		marker := filepath.Join(os.Getenv("TMPDIR"), "marker")
		if f, err := os.OpenFile(marker, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			f.Close()
			fmt.Fprintln(os.Stderr, "listen for shell: address already in use")
			os.Exit(1)
		}
		os.Remove(marker)
		os.Setenv(role, "kernel")
		if err := syscall.Exec(os.Args[0], os.Args, os.Environ()); err != nil {
			panic(err)
		}
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
			if c, err := k.Complete(ctx, "a", 1); c.Status != "ok" || len(c.Matches) != 1 || c.Matches[0] != "a!" || c.End != 1 || err != nil {
				t.Errorf("Complete: %+v %v", c, err)
			}
			if i, err := k.Inspect(ctx, "a", 1, 0); !i.Found || err != nil {
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
	n := 100_000
	if testing.Short() {
		n /= 10
	}
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
			if mode == "message" { // a signal might arrive in the next cell
				if err := k.Interrupt(ctx); err != nil { // nothing runs
					t.Error(err)
				}
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

// TestKernelEndsWithItsClient kills a client process; its kernel must follow.
// TestKernelEndsWithItsParent has a kernel started by a shell that then ends, as
// by a server that crashes; nobody tells the kernel.
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
