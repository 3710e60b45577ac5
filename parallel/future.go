package parallel

import (
	"errors"
	"fmt"
	"reflect"
)

// A Future is the result, some day, of a function given to an executor.
type Future[R any] struct{ job *job }

// Result waits for the function and gives what it returned. The error says why
// there is no result: a *TaskPanic if the function panicked, a *WorkerDied if its
// process died, or that the function, an argument or the result cannot travel.
func (f *Future[R]) Result() (R, error) {
	<-f.job.done
	var r R
	if f.job.err != nil {
		return r, f.job.err
	}
	if f.job.value == nil {
		return r, nil
	}
	r, ok := f.job.value.(R)
	if !ok {
		return r, fmt.Errorf("parallel: the result is a %T, not a %T", f.job.value, r)
	}
	return r, nil
}

// Done is closed when there is a result or an error.
func (f *Future[R]) Done() <-chan struct{} { return f.job.done }

// A job is a call on its way through an executor.
type job struct {
	call  *call
	done  chan struct{}
	value any
	err   error
}

func (j *job) finish(value any, err error) {
	j.value, j.err = value, err
	close(j.done)
}

// here runs the job in this process.
func (j *job) here() {
	var value any
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = &TaskPanic{Value: panicValue(p), Stack: stack()}
			}
		}()
		value = j.call.invoke()
		return nil
	}()
	j.finish(value, err)
}

// hereIn is here, in a lane of a recording.
func (j *job) hereIn(lane int) {
	began := spanBegin()
	j.here()
	if began != 0 {
		spanEnd(spanTask, lane, 0, funcName(j.call.fn), began)
	}
}

// submit hands f and its arguments to ex.
func submit(what string, ex Executor, f any, args []any) *job {
	j := &job{done: make(chan struct{})}
	var err error
	if j.call, err = newCall(what, f, args); err == nil && j.call.typ.NumOut() > 1 {
		err = fmt.Errorf("parallel: %s(%s): it returns %d values; return one, a struct if need be", what, funcName(f), j.call.typ.NumOut())
	}
	if err == nil && (ex == nil || reflect.ValueOf(ex).Kind() == reflect.Pointer && reflect.ValueOf(ex).IsNil()) {
		err = fmt.Errorf("parallel: %s(%s): there is no executor: make one with Processes, Goroutines or Serial", what, funcName(f))
	}
	if err != nil {
		j.finish(nil, err)
		return j
	}
	ex.submit(j)
	return j
}

// Submit gives ex a call of f with a and returns at once. It does not fail: what
// goes wrong is the error of the Future.
func Submit[A, R any](ex Executor, f func(A) R, a A) *Future[R] {
	return &Future[R]{submit("Submit", ex, f, []any{a})}
}

// Call is Submit for a function of any number of arguments and at most one result.
// f and args are checked when it is called.
func Call(ex Executor, f any, args ...any) *Future[any] {
	return &Future[any]{submit("Call", ex, f, args)}
}

// Map calls f with each of xs on ex and gives the results in their order when all
// are there. The error joins those of the calls that failed, with their indexes;
// their results are zero.
func Map[A, R any](ex Executor, f func(A) R, xs []A) ([]R, error) {
	futures := make([]*Future[R], len(xs))
	for i, x := range xs {
		futures[i] = Submit(ex, f, x)
	}
	results := make([]R, len(xs))
	var errs []error
	for i, fu := range futures {
		var err error
		if results[i], err = fu.Result(); err != nil {
			errs = append(errs, fmt.Errorf("item %d: %w", i, err))
		}
	}
	return results, errors.Join(errs...)
}
