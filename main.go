// Paragopher is a Go kernel for Jupyter and a runner of lessons in parallel
// processing. The subcommands are listed by "paragopher help".
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/paragopher/paragopher/kernel"
	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/kernel/kernelspec"
	"github.com/paragopher/paragopher/lessons"
	"github.com/paragopher/paragopher/lessons/check"
	"github.com/paragopher/paragopher/lessons/coach"
	"github.com/paragopher/paragopher/lessons/learn"
	"github.com/paragopher/paragopher/lessons/runner"
	"github.com/paragopher/paragopher/parallel"
)

const usage = `usage: paragopher COMMAND [options]

  run [NOTEBOOK.ipynb ...]   execute the lessons, or notebooks, and write them with
                             their outputs, as .ipynb and as pages, to out/
  install, uninstall         make this kernel known to Jupyter, or unknown again
  kernel CONNECTION_FILE     be a kernel: what Jupyter starts
  learn                      the course in the terminal: start here
  lessons build|lint|sync    write notebooks/, check the sources, stamp translations
  lessons export|new|check   write the course as pages, start a lesson, check answers

paragopher COMMAND -h lists a command's options.
`

func main() {
	// Both return at once unless this process was started to be a session or a worker.
	engine.Main()
	parallel.Main()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "paragopher:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		args = []string{"help"}
	}
	switch name, args := args[0], args[1:]; name {
	case "run":
		return run(ctx, args)
	case "install", "uninstall":
		return install(name, args)
	case "kernel":
		return serve(args)
	case "learn":
		return learning(ctx, args)
	case "lessons":
		return sources(ctx, args)
	case "help", "-h", "-help", "--help":
		fmt.Print(usage)
		return nil
	default:
		return fmt.Errorf("there is no command %q; run, install, uninstall, kernel, learn, lessons and help are", name)
	}
}

// parse reads a command's options, wherever they stand, and gives the other arguments.
func parse(flags *flag.FlagSet, args []string) (others []string, err error) {
	flags.SetOutput(io.Discard)
	for {
		err := flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(os.Stdout)
			flags.Usage()
		}
		if err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) == 0 {
			return others, nil
		}
		others, args = append(others, args[0]), args[1:]
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	o := runner.Options{Progress: os.Stdout}
	flags.StringVar(&o.Out, "out", "out", "`folder` for the executed notebooks and pages")
	flags.StringVar(&o.Lang, "lang", "", "lessons in one `language` only: en or ko")
	flags.BoolVar(&o.Solved, "solved", false, "lessons with the exercises solved")
	flags.StringVar(&o.Kernel, "kernel", "", "run on another installed kernel, by `name`")
	flags.DurationVar(&o.CellTimeout, "timeout", 0, "longest `time` for a cell, 0 for no limit")
	files, err := parse(flags, args)
	if err != nil {
		return err
	}
	o.Files = files
	return runner.Run(ctx, o)
}

func install(name string, args []string) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	var t kernelspec.Target
	flags.StringVar(&t.Name, "name", "paragopher", "`name` of the kernel in Jupyter")
	flags.StringVar(&t.Prefix, "prefix", "", "install below this `folder`, for instance /usr/local")
	flags.BoolVar(&t.SysPrefix, "sys-prefix", false, "install in the active Python environment")
	user := flags.Bool("user", false, "install for this user only (the default)")
	rest, err := parse(flags, args)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return fmt.Errorf("%s takes options only, not %q", name, rest[0])
	case *user && (t.Prefix != "" || t.SysPrefix):
		return fmt.Errorf("%s: --user goes with neither --prefix nor --sys-prefix", name)
	}
	if name == "uninstall" {
		dir, err := kernelspec.Uninstall(t)
		if err == nil {
			fmt.Println("removed", dir)
		}
		return err
	}
	dir, err := kernelspec.Install(t)
	if err == nil {
		fmt.Println("installed the kernel", t.Name, "in", dir)
	}
	return err
}

func serve(args []string) error {
	if len(args) != 1 {
		return errors.New("kernel wants one connection file: Jupyter gives it when it starts the kernel")
	}
	// Not the context of main: a kernel deals with signals itself.
	return kernel.Serve(context.Background(), args[0], func(sink engine.Sink) (kernel.Engine, error) {
		e, err := engine.New(engine.Options{}, sink)
		if err != nil {
			return nil, err
		}
		file, err := coach.DefaultFile()
		if err != nil {
			return e, nil // a kernel without exercises
		}
		return coach.Classroom(e, &coach.Coach{File: file}), nil
	})
}

func learning(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("learn", flag.ContinueOnError)
	o := learn.Options{In: os.Stdin, Out: os.Stdout}
	flags.StringVar(&o.Dir, "dir", "answers", "`folder` for your answers")
	flags.StringVar(&o.File, "progress", "", "`file` for your progress (default: in your configuration folder)")
	flags.StringVar(&o.Lang, "lang", "", "this time in another `language`: en or ko")
	rest, err := parse(flags, args)
	if err != nil {
		return err
	}
	if o.File == "" {
		if o.File, err = coach.DefaultFile(); err != nil {
			return err
		}
	}
	info, err := os.Stdout.Stat()
	o.Colour = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return learn.Run(ctx, o, rest)
}

func sources(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("lessons", flag.ContinueOnError)
	out := flags.String("out", "site", "export: `folder` for the pages")
	format := flags.String("format", "html", "export: html or md")
	lang := flags.String("lang", "", "export, check: one `language` only: en or ko")
	rest, err := parse(flags, args)
	if err != nil {
		return err
	}
	what := strings.Join(rest, " ")
	switch {
	case what == "build":
		return lessons.WriteNotebooks("notebooks")
	case what == "lint":
		return lessons.Lint()
	case what == "sync":
		return lessons.Sync(filepath.Join("lessons", "content"))
	case what == "export":
		return runner.Export(*out, *format, *lang)
	case len(rest) == 2 && rest[0] == "new":
		return lessons.New(filepath.Join("lessons", "content"), rest[1])
	case len(rest) == 3 && rest[0] == "check":
		return checkFile(ctx, rest[1], rest[2], cmp.Or(*lang, lessons.Languages[0]))
	}
	return fmt.Errorf("lessons %s: use lessons build, lint, sync, export, new NAME, or check EXERCISE FILE", what)
}

// checkFile checks the answer to an exercise that a file holds. It leaves progress
// alone.
func checkFile(ctx context.Context, id, file, lang string) error {
	e, err := lessons.FindExercise(id)
	if err != nil {
		return err
	}
	if err := lessons.KnownLanguage(lang); err != nil {
		return err
	}
	answer, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	v := check.Run(ctx, e, string(answer), lang)
	fmt.Println(v.Says)
	if !v.Passed {
		return fmt.Errorf("%s is not right (%s)", file, v.Kind)
	}
	return nil
}
