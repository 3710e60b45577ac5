// Package iter is the standard package of that name for the interpreter: its
// pulled iterators run in goroutines.
package iter

// Seq is an iterator over single values.
type Seq[V any] func(yield func(V) bool)

// Seq2 is an iterator over pairs of values.
type Seq2[K, V any] func(yield func(K, V) bool)

// Pull gives an iterator's values one by one.
func Pull[V any](seq Seq[V]) (next func() (V, bool), stop func()) {
	next2, stop := Pull2(func(yield func(V, bool) bool) {
		seq(func(v V) bool { return yield(v, true) })
	})
	return func() (V, bool) { v, _, ok := next2(); return v, ok }, stop
}

type pulled[K, V any] struct {
	k  K
	v  V
	ok bool
	p  any
}

// Pull2 gives an iterator's pairs one by one.
func Pull2[K, V any](seq Seq2[K, V]) (next func() (K, V, bool), stop func()) {
	ask := make(chan bool)
	out := make(chan pulled[K, V])
	started, done := false, false
	run := func() {
		var end pulled[K, V]
		defer func() {
			end.p = recover()
			out <- end
		}()
		if !<-ask {
			return
		}
		seq(func(k K, v V) bool {
			var item pulled[K, V]
			item.k, item.v, item.ok = k, v, true
			out <- item
			return <-ask
		})
	}
	step := func(more bool) pulled[K, V] {
		if !started {
			started = true
			go run()
		}
		ask <- more
		item := <-out
		if !item.ok {
			done = true
			if item.p != nil {
				panic(item.p)
			}
		}
		return item
	}
	next = func() (K, V, bool) {
		var item pulled[K, V]
		if !done {
			item = step(true)
		}
		return item.k, item.v, item.ok
	}
	stop = func() {
		if done {
			return
		}
		if !started {
			done = true
			return
		}
		step(false)
		done = true
	}
	return next, stop
}
