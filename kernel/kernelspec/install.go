package kernelspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
)

// Target says where a kernel is installed, and under which name.
type Target struct {
	Name string // "" means paragopher
	// At most one of these; neither means the user's data folder.
	Prefix    string // PREFIX/share/jupyter, for instance /usr/local
	SysPrefix bool   // the active Python environment (VIRTUAL_ENV or CONDA_PREFIX)

	// Executable is the binary that the kernel is started with, "" for the one
	// that is running.
	Executable string
}

// temporary is how the folders end in which `go run` keeps its binaries: below
// the temporary folder, or in the build cache.
var temporary = regexp.MustCompile(`([/\\]go-build[0-9]+[/\\]b[0-9]+[/\\]exe|[/\\][0-9a-f]{64}-d)$`)

// Install writes the description of this binary as a kernel, replacing one of
// the same name, and gives its folder. It refuses a binary that will not stay
// where it is.
func Install(t Target) (dir string, err error) {
	dir, err = t.dir()
	if err != nil {
		return "", err
	}
	exe := t.Executable
	if exe == "" {
		if exe, err = os.Executable(); err != nil {
			return "", fmt.Errorf("install the kernel: find this program: %w", err)
		}
	}
	if exe, err = filepath.Abs(exe); err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	}
	if temporary.MatchString(filepath.Dir(exe)) {
		return "", errors.New("install the kernel: this is the temporary program of `go run`, which Jupyter could not start later; run `go install` (or `go build`) first, then `paragopher install`")
	}
	if info, err := os.Stat(exe); err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	} else if info.IsDir() {
		return "", fmt.Errorf("install the kernel: %s is a folder, not a program", exe)
	}
	spec, err := json.MarshalIndent(Spec{
		Argv:        []string{exe, "kernel", "{connection_file}"},
		DisplayName: "Go (Paragopher)", Language: "go", InterruptMode: "message",
		Metadata: map[string]any{"debugger": false},
	}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	}
	// Written aside and put in place at once: a client never sees half a kernel.
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".install-")
	if err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	}
	defer os.RemoveAll(temp)
	files := map[string][]byte{"kernel.json": append(spec, '\n'), "logo-32x32.png": logo(32), "logo-64x64.png": logo(64)}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(temp, name), content, 0o644); err != nil {
			return "", fmt.Errorf("install the kernel: %w", err)
		}
	}
	if err := os.Chmod(temp, 0o755); err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("install the kernel: replace the old one: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	}
	return dir, nil
}

// Uninstall removes the kernel that Install wrote for the same target, and
// gives its folder. It removes nothing that is not a kernel.
func Uninstall(t Target) (dir string, err error) {
	dir, err = t.dir()
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(dir, "kernel.json")); err != nil {
		return "", fmt.Errorf("uninstall the kernel: %w", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("uninstall the kernel: %w", err)
	}
	return dir, nil
}

func (t Target) dir() (string, error) {
	name := t.Name
	if name == "" {
		name = "paragopher"
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	var data string
	switch {
	case t.Prefix != "" && t.SysPrefix:
		return "", errors.New("install the kernel: choose one of --prefix and --sys-prefix")
	case t.Prefix != "":
		data = filepath.Join(t.Prefix, "share", "jupyter")
	case t.SysPrefix:
		env := os.Getenv("VIRTUAL_ENV")
		if env == "" {
			env = os.Getenv("CONDA_PREFIX")
		}
		if env == "" {
			return "", errors.New("install the kernel: --sys-prefix needs an active Python environment (VIRTUAL_ENV or CONDA_PREFIX is not set)")
		}
		data = filepath.Join(env, "share", "jupyter")
	default:
		var err error
		if data, err = UserData(); err != nil {
			return "", fmt.Errorf("install the kernel: %w", err)
		}
	}
	dir, err := filepath.Abs(filepath.Join(data, "kernels", name))
	if err != nil {
		return "", fmt.Errorf("install the kernel: %w", err)
	}
	return dir, nil
}

// logo draws parallel lanes of different length in a disc.
func logo(size int) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	disc := color.NRGBA{0x00, 0x72, 0xb2, 0xff}
	lane := color.NRGBA{0xff, 0xff, 0xff, 0xff}
	ends := []int{22, 26, 18} // of the lanes, in 32nds
	for y := range size {
		for x := range size {
			dx, dy := 2*x+1-size, 2*y+1-size
			if dx*dx+dy*dy > size*size {
				continue
			}
			c := disc
			u, v := x*32/size, y*32/size
			if i := (v - 8) / 6; v >= 8 && i < len(ends) && (v-8)%6 < 4 && u >= 7 && u < ends[i] {
				c = lane
			}
			m.SetNRGBA(x, y, c)
		}
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		return nil
	}
	return buf.Bytes()
}
