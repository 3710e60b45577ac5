package timing

import (
	"math"
	"slices"
	"time"
)

// A Ratio is how many times faster one case is than another, by medians, with the
// bounds between which it lies with 98 % confidence: of a hundred comparisons of equal
// things, two show a difference that is not there.
type Ratio struct{ Value, Low, High float64 }

// Seen tells whether there is a difference: 1 is outside of the bounds.
func (r Ratio) Seen() bool { return r.Low > 1 || r.High < 1 }

// thinned is how many samples of a case the bounds are computed from: of more,
// as many evenly spaced ones are taken, which makes the bounds wider, not wrong.
const thinned = 300

// Ratio compares two cases by their indexes: how many times faster b is than a.
// The bounds are those of Hodges and Lehmann (1963), found by ranks: outliers
// hardly move them. Up to four samples are too few for ranks; there the logarithms are
// taken for normal (Welch 1947), and with fewer the bounds are 0 and infinity.
// A time below the clock's 1 ns counts as 1 ns. An index that does not exist gives
// NaN. It costs some 50 µs for 31 samples each.
func (r *Report) Ratio(a, b int) Ratio {
	if r == nil || a < 0 || b < 0 || a >= len(r.Cases) || b >= len(r.Cases) {
		return Ratio{math.NaN(), math.NaN(), math.NaN()}
	}
	x, y := ordered(r.Cases[a]), ordered(r.Cases[b])
	out := Ratio{float64(max(r.Cases[a].Median(), 1)) / float64(max(r.Cases[b].Median(), 1)), 0, math.Inf(1)}
	if len(x) < 3 || len(y) < 3 {
		return out
	}
	if k := rank(len(x), len(y)); k > 0 {
		ratios := make([]float64, 0, len(x)*len(y))
		for _, p := range x {
			for _, q := range y {
				ratios = append(ratios, p/q)
			}
		}
		slices.Sort(ratios)
		out.Low, out.High = ratios[k-1], ratios[len(ratios)-k]
	} else {
		out.Low, out.High = welch(x, y)
	}
	// The ratio of the medians is not the middle of the ratios: with ties it can lie
	// outside of their bounds.
	out.Low, out.High = min(out.Low, out.Value), max(out.High, out.Value)
	return out
}

// ordered gives the samples in nanoseconds from the fastest on, at most thinned.
func ordered(m Measured) []float64 {
	s := slices.Clone(m.Samples)
	slices.Sort(s)
	n := min(len(s), thinned)
	out := make([]float64, n)
	for i := range out {
		at := i
		if n < len(s) {
			at = i * (len(s) - 1) / (n - 1)
		}
		out[i] = float64(max(s[at], time.Nanosecond))
	}
	return out
}

// rank is the place, from either end, of the pairwise ratios of n and m samples
// that bound 98 % of the confidence; 0 if there are too few for that.
func rank(n, m int) int {
	if max(n, m) > 50 { // the normal approximation of the rank sum
		mean, deviation := float64(n*m)/2, math.Sqrt(float64(n*m)*float64(n+m+1)/12)
		return max(0, int(mean-2.326*deviation))
	}
	// Ways to reach each value of the rank sum U, by its generating function, the
	// product of (1-q^(m+i)) / (1-q^i) for i from 1 to n (Mann and Whitney 1947).
	ways := make([]float64, n*m+1)
	ways[0] = 1
	all := 0.0
	for i := 1; i <= n; i++ {
		for j := n * m; j >= m+i; j-- {
			ways[j] -= ways[j-m-i]
		}
		for j := i; j <= n*m; j++ {
			ways[j] += ways[j-i]
		}
	}
	for _, w := range ways {
		all += w
	}
	k, sum := 0, 0.0
	for ; k < len(ways); k++ {
		if sum += ways[k]; sum > all*0.01 {
			break
		}
	}
	return k
}

// welch bounds the ratio of the geometric means.
func welch(x, y []float64) (low, high float64) {
	mean := func(xs []float64) (m, variance float64) {
		for _, x := range xs {
			m += math.Log(x) / float64(len(xs))
		}
		for _, x := range xs {
			variance += (math.Log(x) - m) * (math.Log(x) - m) / float64(len(xs)-1)
		}
		return m, variance / float64(len(xs))
	}
	a, va := mean(x)
	b, vb := mean(y)
	if va+vb == 0 {
		return math.Exp(a - b), math.Exp(a - b)
	}
	freedom := (va + vb) * (va + vb) / (va*va/float64(len(x)-1) + vb*vb/float64(len(y)-1))
	half := student(freedom) * math.Sqrt(va+vb)
	return math.Exp(a - b - half), math.Exp(a - b + half)
}

// student is the 99 % point of Student's t: the expansion of Abramowitz and
// Stegun 26.7.5, too small below 3 degrees of freedom, where exact values stand in.
func student(freedom float64) float64 {
	const z = 2.326348
	if freedom < 3 {
		return 6.965 - (freedom-2)*(6.965-4.541) // the exact ends, a line between
	}
	f := freedom
	return z + (math.Pow(z, 3)+z)/(4*f) +
		(5*math.Pow(z, 5)+16*math.Pow(z, 3)+3*z)/(96*f*f) +
		(3*math.Pow(z, 7)+19*math.Pow(z, 5)+17*math.Pow(z, 3)-15*z)/(384*f*f*f)
}
