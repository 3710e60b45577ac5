package native

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A killed kernel's folder goes with the next kernel's start, a live one's stays.
func TestSweepRemovesWhatTheDeadLeft(t *testing.T) {
	dead := exec.Command(os.Args[0], "-test.run=^$")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder := func(pid int) string {
		name := filepath.Join(dir, fmt.Sprintf("%s%d-1", folderName, pid))
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(name, "c1.so"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		return name
	}
	left, live := folder(dead.Process.Pid), folder(os.Getpid())
	sweep(dir)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Errorf("the folder of a process that has ended is still there: %v", err)
	}
	if _, err := os.Stat(live); err != nil {
		t.Errorf("the folder of a live process: %v", err)
	}
}
