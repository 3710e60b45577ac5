package main

import "slices"

func median(samples []float64) float64 { return quantile(samples, 0.5) }

// quantile gives the q-quantile of samples, between neighbours by proportion; 0
// for none.
func quantile(samples []float64, q float64) float64 {
	if len(samples) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(samples))
	at := q * float64(len(s)-1)
	i := int(at)
	if i+1 >= len(s) {
		return s[len(s)-1]
	}
	return s[i] + (at-float64(i))*(s[i+1]-s[i])
}
