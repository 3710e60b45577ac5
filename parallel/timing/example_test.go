package timing_test

import (
	"fmt"
	"time"

	"github.com/paragopher/paragopher/parallel/timing"
)

func ExampleCompare() {
	sum := func(n int) (s int) {
		for i := range n {
			s += i
		}
		return s
	}
	report := timing.Compare(
		timing.Case{Name: "a thousand", Run: func() { timing.Keep(sum(1000)) }},
		timing.Case{Name: "a million", Run: func() { timing.Keep(sum(1_000_000)) }},
	)
	if err := report.Err(); err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range report.Cases {
		fmt.Println(c.Name, "was measured:", len(c.Samples) >= 3)
	}
	// Output:
	// a thousand was measured: true
	// a million was measured: true
}

func ExampleReport_String() {
	ms := func(xs ...int) (ds []time.Duration) {
		for _, x := range xs {
			ds = append(ds, time.Duration(x)*time.Millisecond)
		}
		return ds
	}
	report := &timing.Report{
		Cases: []timing.Measured{
			{Name: "serial", Samples: ms(1000, 1010, 990, 1000, 1020)},
			{Name: "two processes", Samples: ms(530, 520, 540, 520, 610)},
		},
		CPUs: 2, Go: "go1.26", System: "linux/amd64", LoadBefore: 0.4, LoadAfter: 0.6,
	}
	fmt.Println(report)
	// Output:
	// case           median     min       middle half  runs     against the first
	// serial         1.00 s  990 ms  1.00 s to 1.01 s     5
	// two processes  530 ms  520 ms  520 ms to 540 ms     5  1.89x (1.64 to 1.96)
	// 2 CPUs, go1.26 linux/amd64, noise 4 %, load 0.6
}
