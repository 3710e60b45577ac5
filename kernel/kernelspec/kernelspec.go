// Package kernelspec finds, writes and removes the descriptions by which
// Jupyter's clients know and start kernels ("Making kernels for Jupyter",
// kernel specs).
package kernelspec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// Spec is one installed kernel.
type Spec struct {
	Argv          []string          `json:"argv"` // {connection_file} stands for the path of that file
	DisplayName   string            `json:"display_name"`
	Language      string            `json:"language"`
	InterruptMode string            `json:"interrupt_mode,omitempty"` // signal or message; "" means signal
	Env           map[string]string `json:"env,omitempty"`
	Metadata      map[string]any    `json:"metadata,omitempty"`

	Name string `json:"-"` // of its folder
	Dir  string `json:"-"` // its folder
}

// nameRule is Jupyter's for the name of a kernel.
var nameRule = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

func checkName(name string) error {
	if !nameRule.MatchString(name) || name == "." || name == ".." {
		return fmt.Errorf("%q cannot be the name of a kernel: use letters, digits, '.', '_' and '-'", name)
	}
	return nil
}

// Folders gives the folders in which kernels are looked for, the first found
// winning: those of JUPYTER_PATH, the user's data folder, the active Python
// environment and the system's.
func Folders() []string {
	var dirs []string
	add := func(elem ...string) {
		if d := filepath.Join(append(elem, "kernels")...); elem[0] != "" && !slices.Contains(dirs, d) {
			dirs = append(dirs, d)
		}
	}
	for _, d := range filepath.SplitList(os.Getenv("JUPYTER_PATH")) {
		add(d)
	}
	if user, err := UserData(); err == nil {
		add(user)
	}
	for _, env := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		add(os.Getenv(env), "share", "jupyter")
	}
	if runtime.GOOS == "windows" {
		add(os.Getenv("PROGRAMDATA"), "jupyter")
	} else {
		add("/usr/local/share/jupyter")
		add("/usr/share/jupyter")
	}
	return dirs
}

// UserData gives the user's Jupyter data folder: JUPYTER_DATA_DIR, or the
// platform's.
func UserData() (string, error) {
	if d := os.Getenv("JUPYTER_DATA_DIR"); d != "" {
		return d, nil
	}
	home, err := os.UserHomeDir()
	switch runtime.GOOS {
	case "windows":
		if d := os.Getenv("APPDATA"); d != "" {
			return filepath.Join(d, "jupyter"), nil
		}
	case "darwin":
		if err == nil {
			return filepath.Join(home, "Library", "Jupyter"), nil
		}
	default:
		if d := os.Getenv("XDG_DATA_HOME"); d != "" {
			return filepath.Join(d, "jupyter"), nil
		}
		if err == nil {
			return filepath.Join(home, ".local", "share", "jupyter"), nil
		}
	}
	return "", errors.New("the user's Jupyter data folder is not known: set JUPYTER_DATA_DIR")
}

// List gives the kernels that can be started by name. Folders that hold no
// readable kernel.json are left out.
func List() []Spec {
	var specs []Spec
	seen := map[string]bool{}
	for _, dir := range Folders() {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			key := strings.ToLower(e.Name())
			if seen[key] || checkName(e.Name()) != nil {
				continue
			}
			if s, err := read(filepath.Join(dir, e.Name())); err == nil {
				seen[key] = true
				specs = append(specs, s)
			}
		}
	}
	return specs
}

// Find gives the kernel with that name, in any case. Its error names the folders that were
// looked in and the kernels that there are.
func Find(name string) (Spec, error) {
	if err := checkName(name); err != nil {
		return Spec{}, err
	}
	for _, dir := range Folders() {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if !strings.EqualFold(e.Name(), name) {
				continue
			}
			s, err := read(filepath.Join(dir, e.Name()))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			return s, err
		}
	}
	there := "there is no kernel at all"
	if specs := List(); len(specs) > 0 {
		var names []string
		for _, s := range specs {
			names = append(names, s.Name)
		}
		there = "there is: " + strings.Join(names, ", ")
	}
	return Spec{}, fmt.Errorf("kernel %q is not installed (looked in %s); %s", name, strings.Join(Folders(), ", "), there)
}

func read(dir string) (Spec, error) {
	file := filepath.Join(dir, "kernel.json")
	b, err := os.ReadFile(file)
	if err != nil {
		return Spec{}, fmt.Errorf("read a kernel's description: %w", err)
	}
	s := Spec{Name: filepath.Base(dir), Dir: dir}
	if err := json.Unmarshal(b, &s); err != nil {
		return Spec{}, fmt.Errorf("%s: %w", file, err)
	}
	if len(s.Argv) == 0 {
		return Spec{}, fmt.Errorf("%s: argv is missing", file)
	}
	return s, nil
}
