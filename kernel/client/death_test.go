//go:build unix

package client_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paragopher/paragopher/kernel/client"
	"github.com/paragopher/paragopher/kernel/wire"
)

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

func TestKernelEndsWithItsParent(t *testing.T) {
	where, err := wire.NewConnection("tcp", "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "kernel.json")
	if err := where.Write(file); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("sh", "-c", `JPY_PARENT_PID=$$ "$0" "$1" & echo $!; read wait`, os.Args[0], file)
	shell.Env = append(os.Environ(), role+"=kernel")
	in, err := shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	w, err := wire.Dial(limited(t), where, "t")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Ping(limited(t)); err != nil {
		t.Fatal(err)
	}
	in.Close()
	io.Copy(io.Discard, out) // until the kernel, which has the pipe too, has ended
	shell.Wait()
	if _, err := w.Receive(limited(t), wire.Shell); !errors.Is(err, wire.ErrClosed) {
		t.Errorf("error %v", err)
	}
}

func TestPortTakenMeanwhile(t *testing.T) {
	nothingLeft(t)
	k, err := client.Start(limited(t), spec("message", "taken"))
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Shutdown(limited(t)); err != nil {
		t.Fatal(err)
	}
}
