package engine

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/paragopher/paragopher/kernel/engine/native"
	"github.com/paragopher/paragopher/kernel/engine/native/rt"
	"github.com/paragopher/paragopher/kernel/engine/source"
)

// The engines that run cells, as %engine, Options.Engine and the environment name them.
const (
	interpreted = "interp"
	compiled    = "native"
)

// engineVariable is the environment's choice of an engine.
const engineVariable = "PARAGOPHER_ENGINE"

// A backend makes of a checked cell what its session process runs.
type backend interface {
	name() string
	// command starts the session process; nil for this program.
	command() []string
	// prepare makes a cell ready to be sent. A cell without data has nothing to run.
	prepare(ctx context.Context, c *source.Checked) (*prepared, error)
	// replay is what a fresh session needs before the notebook's next cell.
	replay() ([][]byte, error)
	close()
}

// prepared is a cell for a session. adopt makes it part of the notebook.
type prepared struct {
	data  []byte
	adopt func()
}

// interpBackend gives cells to the interpreter.
type interpBackend struct{ image *source.Image }

func (interpBackend) name() string      { return interpreted }
func (interpBackend) command() []string { return nil }
func (interpBackend) close()            {}

func (b interpBackend) prepare(_ context.Context, c *source.Checked) (*prepared, error) {
	u, err := c.Lower()
	if err != nil {
		return nil, err
	}
	data, err := encodeUnit(u)
	return &prepared{data, func() { b.image.Commit(u) }}, err
}

func (b interpBackend) replay() (all [][]byte, err error) {
	for _, u := range b.image.Replay() {
		data, err := encodeUnit(u)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// nativeBackend compiles cells. Declarations compile in the background; a plugin is
// linked for a cell that runs something, with all that it needs of earlier cells in
// it.
type nativeBackend struct {
	image   *source.Image
	tools   *native.Toolchain
	emitter *native.Emitter
	builder *native.Builder
}

// newNativeBackend finds the toolchain and its host, which is built if there is none
// yet.
func newNativeBackend(ctx context.Context, image *source.Image, tell func(string)) (*nativeBackend, error) {
	tools, err := native.Open(ctx, tell)
	if err != nil {
		return nil, err
	}
	builder, err := native.NewBuilder(tools)
	if err != nil {
		return nil, err
	}
	return &nativeBackend{image, tools, native.NewEmitter(image), builder}, nil
}

func (*nativeBackend) name() string                { return compiled }
func (b *nativeBackend) command() []string         { return []string{b.tools.Host} }
func (b *nativeBackend) replay() ([][]byte, error) { return nil, nil }

func (b *nativeBackend) close() {
	// What is left of a temporary folder is no concern of the notebook's.
	_ = b.builder.Close()
}

func (b *nativeBackend) prepare(ctx context.Context, c *source.Checked) (*prepared, error) {
	pkg := b.emitter.Emit(c)
	b.builder.Start(pkg)
	p := &prepared{adopt: func() { b.image.Adopt(c) }}
	if !pkg.Runs {
		return p, nil
	}
	plugin, err := b.builder.Plugin(ctx, pkg)
	if err != nil {
		return nil, err
	}
	p.data, err = pack(rt.Unit{Cell: c.Cell, Path: pkg.Path, Plugin: plugin, Uses: b.emitter.Uses(pkg)})
	return p, err
}

// peek asks for a variable's value in short.
func (b *nativeBackend) peek(variable string) (*prepared, error) {
	for emitted, name := range b.image.ByEmitted() {
		if name == variable {
			data, err := pack(rt.Unit{Peek: emitted})
			return &prepared{data, func() {}}, err
		}
	}
	return nil, fmt.Errorf("there is no variable %s", variable)
}

func pack(u rt.Unit) ([]byte, error) {
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(u); err != nil {
		return nil, fmt.Errorf("encoding a cell for its session: %w", err)
	}
	return buf.Bytes(), nil
}

// chosen is the engine that a new notebook begins with.
func chosen(o Options) (string, error) {
	name := o.Engine
	if name == "" {
		name = os.Getenv(engineVariable)
	}
	switch name {
	case "":
		return interpreted, nil
	case interpreted, compiled:
		return name, nil
	}
	return "", fmt.Errorf("there is no engine %q; %s and %s are", name, interpreted, compiled)
}

var engineMagic = regexp.MustCompile(`^[ \t]*%engine[ \t]*(\S*)[ \t\r]*(?:\n|$)`)

// takeMagic does what a first line %engine says and blanks it out.
func (e *Engine) takeMagic(c *Cell) error {
	m := engineMagic.FindStringSubmatch(c.Code)
	if m == nil {
		return nil
	}
	if m[1] != interpreted && m[1] != compiled {
		return fmt.Errorf("%%engine wants %s or %s, not %q", compiled, interpreted, m[1])
	}
	e.want = m[1]
	c.Code = strings.Repeat("\n", strings.Count(m[0], "\n")) + c.Code[len(m[0]):]
	return nil
}

// change gives the notebook the engine that is wanted: declarations go over, values
// do not. Where it cannot be had the notebook keeps the one it has, and is told so once.
func (e *Engine) change(ctx context.Context, cell string) error {
	tell := func(text string) { e.sink.Stream(cell, "stderr", text+"\n") }
	var next backend
	switch e.want {
	case interpreted:
		next = interpBackend{e.image}
	default:
		b, err := newNativeBackend(ctx, e.image, tell)
		if err != nil {
			if ctx.Err() != nil {
				return context.Canceled
			}
			e.want = e.backend.name()
			tell("Cells are interpreted, not compiled: " + err.Error())
			return nil
		}
		next = b
	}
	if lost := e.image.Variables(); len(lost) > 0 {
		tell("The engine changes to " + e.want + lostText(lost))
	}
	e.session.kill()
	<-e.session.dead
	e.image.DropVariables()
	e.backend.close()
	e.backend = next
	return e.start()
}

// refused words an error of making a cell ready.
func refused(err error) Result {
	var bad *native.CompileError
	switch {
	case errors.Is(err, context.Canceled):
		return failed("Interrupted", "the cell was interrupted before it began")
	case errors.As(err, &bad):
		return failed("CompileError", bad.Error())
	}
	return rejected(err)
}
