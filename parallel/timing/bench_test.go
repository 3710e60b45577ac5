package timing

import "testing"

func BenchmarkRatio(b *testing.B) {
	var slow, fast []int
	for i := range maxRepeats {
		slow, fast = append(slow, 200+i), append(fast, 100+i)
	}
	r := report(ms(slow...), ms(fast...))
	for b.Loop() {
		r.Ratio(0, 1)
	}
}

func BenchmarkKeep(b *testing.B) {
	x := 0
	for b.Loop() {
		x++
		Keep(x)
	}
}
