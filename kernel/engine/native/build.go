package native

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// A Builder compiles the packages of one notebook. Its methods may be called from
// any goroutine.
type Builder struct {
	tools *Toolchain
	dir   string

	mu    sync.Mutex
	built map[*Package]*built
}

// built is how far a package has come.
type built struct {
	archive  string
	compiled chan struct{} // closed when the archive is there, or err is
	err      error
	link     sync.Once
	plugin   string
	linkErr  error
}

// The folders of builders, with the number of the process in the middle.
const folderName = "paragopher-cells-"

// NewBuilder gives a builder with a folder of its own, which Close removes. It
// removes those of kernels that were killed, too, since they could not.
func NewBuilder(t *Toolchain) (*Builder, error) {
	sweep(os.TempDir())
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", folderName, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("making a folder for compiled cells: %w", err)
	}
	return &Builder{tools: t, dir: dir, built: map[*Package]*built{}}, nil
}

// sweep removes the folders in dir of builders whose process is gone.
func sweep(dir string) {
	folders, err := filepath.Glob(filepath.Join(dir, folderName+"*-*"))
	if err != nil {
		return // the pattern is a constant
	}
	for _, folder := range folders {
		number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(folder), folderName), "-")
		pid, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		p, err := os.FindProcess(pid)
		if err == nil {
			err = p.Signal(syscall.Signal(0))
		}
		if errors.Is(err, os.ErrProcessDone) {
			// What another user left is theirs to remove.
			_ = os.RemoveAll(folder)
		}
	}
}

// Close removes all that was built.
func (b *Builder) Close() error { return os.RemoveAll(b.dir) }

// Start begins to compile a package, and what it depends on, in the background.
func (b *Builder) Start(p *Package) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.start(p)
}

func (b *Builder) start(p *Package) *built {
	if x := b.built[p]; x != nil {
		return x
	}
	x := &built{archive: filepath.Join(b.dir, file(p)+".a"), compiled: make(chan struct{})}
	b.built[p] = x
	var deps []*built
	for _, d := range p.Deps {
		deps = append(deps, b.start(d))
	}
	go func() {
		defer close(x.compiled)
		for _, d := range deps {
			if <-d.compiled; d.err != nil {
				x.err = d.err
				return
			}
		}
		x.err = b.compile(p, x.archive)
	}()
	return x
}

// file is a package's name in the folder.
func file(p *Package) string { return strings.ReplaceAll(p.Path, "/", "-") }

// archives are those of a package and of all it depends on.
func (b *Builder) archives(p *Package) map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[string]string{}
	var visit func(p *Package)
	visit = func(p *Package) {
		if all[p.Path] == "" {
			all[p.Path] = b.built[p].archive
			for _, d := range p.Deps {
				visit(d)
			}
		}
	}
	visit(p)
	return all
}

func (b *Builder) compile(p *Package, archive string) error {
	ctx := context.Background()
	if err := b.tools.list(ctx, p.Imports); err != nil {
		return err
	}
	name := filepath.Join(b.dir, file(p)+".go")
	if err := os.WriteFile(name, []byte(p.Source), 0o600); err != nil {
		return err
	}
	cfg := filepath.Join(b.dir, file(p)+".cfg")
	others := b.archives(p)
	delete(others, p.Path)
	if err := b.tools.packageFiles(cfg, others); err != nil {
		return err
	}
	_, err := b.tools.run(ctx, b.dir, filepath.Join(b.tools.tools, "compile"), "-o", archive, "-trimpath", b.dir+"=>", "-p", p.Path, "-lang=go1.26",
		"-complete", "-installsuffix", "dynlink", "-goversion", "go"+b.tools.version, "-c=2", "-dynlink", "-nolocalimports", "-d=wrapglobalmapctl=1",
		"-importcfg", cfg, "-pack", name)
	if err != nil {
		return &CompileError{Cell: p.Cell, Text: err.Error()}
	}
	return uniqueTabs(archive, p.Path)
}

// A CompileError is the compiler's refusal of a cell that the type checker took.
type CompileError struct {
	Cell int
	Text string // the compiler's
}

func (e *CompileError) Error() string {
	return fmt.Sprintf("cell[%d] cannot be compiled: %s", e.Cell, e.Text)
}

// uniqueTabs gives a package's go:plugin.tabs, which every main package has and the
// linker wants once, a name of its own.
func uniqueTabs(archive, path string) error {
	data, err := os.ReadFile(archive)
	if err != nil {
		return err
	}
	h := fnv.New32a()
	h.Write([]byte(path))
	data = bytes.ReplaceAll(data, []byte("go:plugin.tabs"), fmt.Appendf(nil, "go:plug.%06x", h.Sum32()&0xffffff))
	return os.WriteFile(archive, data, 0o600)
}

// Plugin gives a package's file to be opened, when it is finished.
func (b *Builder) Plugin(ctx context.Context, p *Package) (string, error) {
	b.mu.Lock()
	x := b.start(p)
	b.mu.Unlock()
	select {
	case <-x.compiled:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if x.err != nil {
		return "", x.err
	}
	x.link.Do(func() { x.plugin, x.linkErr = b.linkPlugin(ctx, p, x.archive) })
	return x.plugin, x.linkErr
}

func (b *Builder) linkPlugin(ctx context.Context, p *Package, archive string) (string, error) {
	cfg, so := filepath.Join(b.dir, file(p)+".link"), filepath.Join(b.dir, file(p)+".so")
	if err := b.tools.packageFiles(cfg, b.archives(p)); err != nil {
		return "", err
	}
	args := []string{filepath.Join(b.tools.tools, "link"), "-o", so, "-importcfg", cfg, "-installsuffix", "dynlink", "-pluginpath", p.Path, "-buildmode=plugin", "-s", "-w"}
	var err error
	if direct := b.tools.standsIn(); direct != nil {
		if _, err = b.tools.run(ctx, b.dir, slices.Concat(args, direct, []string{archive})...); err == nil || ctx.Err() != nil {
			return so, err
		}
	}
	if _, err2 := b.tools.run(ctx, b.dir, append(args, archive)...); err2 != nil {
		return "", fmt.Errorf("linking cell[%d]: %w", p.Cell, err2)
	}
	if err != nil {
		b.tools.noStandIn() // it fails where gcc does not
	}
	return so, nil
}
