//lint:file-ignore U1000 what is unexported here stands in for that of the original, which its other files call

// Package slices replaces functions of the standard package of that name, for
// the interpreter.
package slices

import (
	"cmp"
	"sort"
)

// Sort sorts by compiled code.
func Sort[S ~[]E, E cmp.Ordered](x S) {
	switch y := any(x).(type) {
	case []int:
		sort.Ints(y)
		return
	case []string:
		sort.Strings(y)
		return
	case []float64:
		sort.Float64s(y)
		return
	}
	sort.Slice(x, func(i, j int) bool { return cmp.Less(x[i], x[j]) })
}

// SortFunc sorts by compiled code, in the order of the original.
func SortFunc[S ~[]E, E any](x S, cmp func(a, b E) int) {
	sort.Slice(x, func(i, j int) bool { return cmp(x[i], x[j]) < 0 })
}

// SortStableFunc sorts by compiled code.
func SortStableFunc[S ~[]E, E any](x S, cmp func(a, b E) int) {
	sort.SliceStable(x, func(i, j int) bool { return cmp(x[i], x[j]) < 0 })
}

func overlaps[E any](a, b []E) bool {
	if cap(a) == 0 || cap(b) == 0 {
		return false
	}
	a, b = a[:cap(a)], b[:cap(b)]
	for i := range a {
		if &a[i] == &b[0] {
			return true
		}
	}
	for i := range b {
		if &b[i] == &a[0] {
			return true
		}
	}
	return false
}

func startIdx[E any](haystack, needle []E) int {
	p := &needle[0]
	for i := range haystack {
		if p == &haystack[i] {
			return i
		}
	}
	panic("needle not found")
}

func isNaN[T cmp.Ordered](x T) bool {
	return x != x
}

// Grow has its own check, for the text of its panic.
func Grow[S ~[]E, E any](s S, n int) S {
	if n < 0 {
		panic("cannot be negative")
	}
	if n -= cap(s) - len(s); n > 0 {
		s = append(s[:cap(s)], make([]E, n)...)[:len(s)]
	}
	return s
}
