// Command bench measures how much of Go the engines run rightly. It takes the
// programs of the Go distribution's own test directory that are marked "// run",
// puts the declarations of each into one cell and main() into the next, and
// compares standard output and success with what the go command makes of it.
//
//	go run ./kernel/engine/bench [-engine interp,native] [-tenth] [-run regexp] [-v]
//	    [-timeout 20s] [-parallel 1] [-out file] [-against file] [-atleast percent]
//
// What the go command gives is kept in a cache folder by content and version of
// Go, so only the first run pays for it: about ten minutes of CPU. -tenth takes a
// fixed tenth of the programs. -out writes one line a program, and -against
// compares with such a file. With -atleast the command fails where an engine
// passes fewer than so many percent.
//
// The speed of kernels is measured by kernel/bench.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"time"

	"github.com/paragopher/paragopher/kernel/engine"
)

func main() {
	engine.Main()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	engines := flag.String("engine", "interp", "the engines to judge, with commas between")
	tenth := flag.Bool("tenth", false, "a fixed tenth of the programs")
	only := flag.String("run", "", "only programs whose path matches this")
	verbose := flag.Bool("v", false, "show what was expected and what came, for each that does not pass")
	timeout := flag.Duration("timeout", 20*time.Second, "how long a program may take in an engine")
	at := flag.Int("parallel", 1, "how many programs run at a time")
	out := flag.String("out", "", "write one line a program to this file")
	against := flag.String("against", "", "tell what changed since this file was written")
	least := flag.Float64("atleast", 0, "fail if an engine passes fewer percent")
	root := flag.String("root", "", "the Go distribution's test directory (default: that of the go command)")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	g, err := newGoCommand(ctx, *root)
	if err != nil {
		return err
	}
	programs, err := g.programs()
	if err != nil {
		return err
	}
	var picked []program
	for _, p := range programs {
		if match.MatchString(p.name) && (!*tenth || p.inTenth()) {
			picked = append(picked, p)
		}
	}
	j := judge{command: g, engines: strings.Split(*engines, ","), timeout: *timeout, verbose: *verbose}
	results := j.all(ctx, picked, max(1, *at))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if *against != "" {
		if err := results.compare(*against); err != nil {
			return err
		}
	}
	if *out != "" {
		if err := results.write(*out); err != nil {
			return err
		}
	}
	results.report(j.engines)
	for _, e := range j.engines {
		if share := results.passed(e); share < *least {
			err = errors.Join(err, fmt.Errorf("%s passes %.1f %% of the programs, which is less than %g", e, share, *least))
		}
	}
	return err
}
