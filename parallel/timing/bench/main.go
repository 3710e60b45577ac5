// Command bench measures how well timing.Compare judges on this machine, in the
// state in which it is: of how many comparisons of equal work it says that they
// differ, and how often it finds a difference of 1.5 times.
//
//	go run ./parallel/timing/bench -n 100 -work 5ms -budget 2s
package main

import (
	"flag"
	"fmt"
	"time"

	"github.com/paragopher/paragopher/parallel/timing"
)

func main() {
	n := flag.Int("n", 100, "comparisons of each kind")
	work := flag.Duration("work", 5*time.Millisecond, "how long the work takes")
	budget := flag.Duration("budget", 2*time.Second, "for each comparison")
	flag.Parse()

	spin := func(rounds int) {
		x := uint64(1)
		for range rounds {
			x = x*6364136223846793005 + 1442695040888963407
		}
		timing.Keep(x)
	}
	rounds := 1000
	for start := time.Now(); ; rounds *= 2 {
		spin(rounds)
		if d := time.Since(start); d > *work {
			rounds = int(float64(rounds) * float64(*work) / float64(d))
			break
		}
		start = time.Now()
	}
	equal := timing.Case{Name: "one", Run: func() { spin(rounds) }}
	again := timing.Case{Name: "the same", Run: func() { spin(rounds) }}
	slower := timing.Case{Name: "slower", Run: func() { spin(rounds * 3 / 2) }}
	runner := timing.With(timing.Budget(*budget))
	alarms, found, wrong := 0, 0, 0
	for i := range *n {
		if runner.Compare(equal, again).Ratio(0, 1).Seen() {
			alarms++
		}
		switch r := runner.Compare(slower, equal).Ratio(0, 1); {
		case r.Seen() && r.Value > 1:
			found++
		case r.Seen():
			wrong++
		}
		if (i+1)%10 == 0 {
			fmt.Printf("after %d: equal work called different %d times; 1.5 times found %d times, with the wrong sign %d times\n", i+1, alarms, found, wrong)
		}
	}
}
