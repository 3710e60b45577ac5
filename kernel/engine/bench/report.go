package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

type results []result

// count tells how often an engine got a verdict, and over how many programs.
func (rs results) count(engine string, v verdict) (n, of int) {
	for _, r := range rs {
		if r.engine != engine {
			continue
		}
		of++
		if r.verdict == v {
			n++
		}
	}
	return n, of
}

// passed is the share of programs that an engine passes, in percent.
func (rs results) passed(engine string) float64 {
	n, of := rs.count(engine, pass)
	if of == 0 {
		return 0
	}
	return 100 * float64(n) / float64(of)
}

// report prints what does not pass, the reasons by how often they occur, and the table.
func (rs results) report(engines []string) {
	for _, r := range rs {
		if r.verdict != pass {
			fmt.Printf("%s\t%-7s\t%s\t%s\n", r.engine, r.verdict, r.program, r.reason)
		}
	}
	for _, e := range engines {
		reasons := map[string]int{}
		for _, r := range rs {
			if r.engine == e && r.verdict != pass {
				reasons[string(r.verdict)+": "+general(r.reason)]++
			}
		}
		fmt.Printf("\n%s: reasons that occur more than once\n", e)
		for _, reason := range slices.SortedFunc(maps.Keys(reasons), func(a, b string) int {
			return cmp.Or(reasons[b]-reasons[a], strings.Compare(a, b))
		}) {
			if reasons[reason] > 1 {
				fmt.Printf("%5d  %s\n", reasons[reason], reason)
			}
		}
	}
	fmt.Println()
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprint(w, "engine\tprograms")
	for _, v := range verdicts {
		fmt.Fprintf(w, "\t%s", v)
	}
	fmt.Fprintln(w, "\tpass %\ttime")
	for _, e := range engines {
		_, of := rs.count(e, pass)
		fmt.Fprintf(w, "%s\t%d", e, of)
		for _, v := range verdicts {
			n, _ := rs.count(e, v)
			fmt.Fprintf(w, "\t%d", n)
		}
		var took time.Duration
		for _, r := range rs {
			if r.engine == e {
				took += r.took
			}
		}
		fmt.Fprintf(w, "\t%.1f\t%v\n", rs.passed(e), took.Round(time.Second))
	}
}

var (
	position = regexp.MustCompile(`\(?cell\[\d+\]:\d+(:\d+)?:? ?`)
	particle = regexp.MustCompile("\\d+|\"[^\"]*\"|`[^`]*`")
)

// general takes out of a reason what is particular to its program.
func general(reason string) string {
	return particle.ReplaceAllString(position.ReplaceAllString(reason, ""), "…")
}

// write puts one line a program and engine into a file.
func (rs results) write(file string) error {
	var b strings.Builder
	for _, r := range rs {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\n", r.engine, r.program, r.verdict, strings.ReplaceAll(r.reason, "\t", " "))
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// compare prints what is judged otherwise than in a file that write wrote.
func (rs results) compare(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("-against: %w", err)
	}
	before := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(line, "\t"); len(f) >= 3 {
			before[f[0]+"\t"+f[1]] = f[2]
		}
	}
	for _, r := range rs {
		if was := before[r.engine+"\t"+r.program]; was != "" && was != string(r.verdict) {
			fmt.Printf("changed: %s\t%s\t%s -> %s\t%s\n", r.engine, r.program, was, r.verdict, r.reason)
		}
	}
	return nil
}
