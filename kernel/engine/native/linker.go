package native

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The Go linker has gcc link a plugin's objects, and tries gcc out three times before.
// This program stands in for gcc: it answers the trials and calls the linker behind
// gcc at once, which halves the time that a cell takes.

// The environment of the stand-in.
const (
	linkerVariable = "PARAGOPHER_LD"      // the linker's path; marks the role
	foldersVar     = "PARAGOPHER_LD_DIRS" // where libgcc and libc are
)

// emulations are what linkers call the machines where the stand-in is known to work.
var emulations = map[string]string{"amd64": "elf_x86_64", "arm64": "aarch64linux"}

// LinkerMain takes over in a process that the Go linker starts in place of gcc: there
// it does not return.
func LinkerMain() {
	ld := os.Getenv(linkerVariable)
	if ld == "" {
		return
	}
	if err := linkerMain(ld, os.Args[1:]); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			fmt.Fprintln(os.Stderr, "paragopher linker:", err)
		}
		os.Exit(1)
	}
	os.Exit(0)
}

func linkerMain(ld string, args []string) error {
	if len(args) > 0 && filepath.Base(args[len(args)-1]) == "trivial.c" { // is there such an option?
		if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, "--build-id") }) {
			return nil
		}
		return errors.New("no")
	}
	final := []string{"-m", emulations[runtime.GOARCH], "-shared", "-s", "--export-dynamic", "--hash-style=gnu", "-z", "now", "-z", "nocopyreloc", "-z", "relro"}
	for i, a := range args {
		switch {
		case a == "-o" && i+1 < len(args):
			final = append(final, "-o", args[i+1])
		case strings.HasSuffix(a, ".o"), strings.HasSuffix(a, ".a"):
			final = append(final, a)
		case strings.HasPrefix(a, "-l"), strings.HasPrefix(a, "-L"):
			final = append(final, a)
		}
	}
	for _, dir := range filepath.SplitList(os.Getenv(foldersVar)) {
		final = append(final, "-L"+dir)
	}
	cmd := exec.Command(ld, append(final, "-lpthread", "-lc", "-lgcc")...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// standIn makes links use this program in place of gcc, if it can.
func (t *Toolchain) standIn(gcc string) {
	self, err := os.Executable()
	if err != nil || runtime.GOOS != "linux" || emulations[runtime.GOARCH] == "" {
		return
	}
	ask := func(what string) string {
		out, err := exec.Command(gcc, what).Output()
		if name := strings.TrimSpace(string(out)); err == nil && name != "" {
			return name
		}
		return ""
	}
	ld := ""
	for _, name := range []string{"ld.gold", "ld"} {
		if p, err := exec.LookPath(ask("-print-prog-name=" + name)); err == nil {
			ld = p
			break
		}
	}
	var dirs []string
	for _, lib := range []string{"libgcc.a", "libc.so"} {
		name := ask("-print-file-name=" + lib)
		if !filepath.IsAbs(name) {
			return
		}
		dirs = append(dirs, filepath.Dir(name))
	}
	if ld == "" {
		return
	}
	t.linker = []string{"-extld=" + self}
	t.env = append(t.env, linkerVariable+"="+ld, foldersVar+"="+strings.Join(dirs, string(filepath.ListSeparator)))
}

func (t *Toolchain) standsIn() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.linker
}

func (t *Toolchain) noStandIn() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.linker = nil
}
