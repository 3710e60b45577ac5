package eval

import (
	"math"
	"reflect"
	"runtime"
	"unsafe"
)

// The functions of this file fail as compiled code does, with the runtime's own
// errors, by doing the failing operation for real. Values without size stand in
// for the elements, so nothing is allocated.

// failNil dereferences nil.
func failNil() {
	var p *byte
	_ = *p
}

// position checks the index v of something of length n.
func position(v reflect.Value, n int) int {
	if v.CanInt() {
		i := v.Int()
		if i < 0 || i >= int64(n) {
			_ = make([]struct{}, n)[i]
		}
		return int(i)
	}
	u := v.Uint()
	if u >= uint64(n) {
		_ = make([]struct{}, n)[u]
	}
	return int(u)
}

// bounds checks the operands of a slice expression on something of length n and
// capacity c. What is left out is -1 and stays so.
func bounds(lo, hi, max reflect.Value, n, c int, slice bool) (i, j, k int) {
	i, j, k = 0, n, c
	okay := true
	get := func(v reflect.Value, to *int) {
		if !v.IsValid() {
			return
		}
		if v.CanInt() {
			*to = int(v.Int())
		} else if u := v.Uint(); u <= math.MaxInt {
			*to = int(u)
		} else {
			okay = false
		}
	}
	get(lo, &i)
	get(hi, &j)
	get(max, &k)
	if okay && 0 <= i && i <= j && j <= k && k <= c {
		return i, j, k
	}
	defer func() {
		// Arrays are bounded by their length, and the message says so.
		if err := recover(); slice {
			panic(err)
		} else {
			panic(lengthError(err))
		}
	}()
	s := make([]struct{}, n, c)
	switch {
	case max.IsValid():
		sliceThree(s, lo, hi, max)
	case hi.IsValid():
		sliceTwo(s, lo, hi)
	default:
		sliceTwo(s, lo, reflect.ValueOf(n))
	}
	return
}

// The forms with signed and unsigned operands fail with different numbers.
func sliceTwo(s []struct{}, lo, hi reflect.Value) {
	if !lo.IsValid() {
		lo = reflect.ValueOf(0)
	}
	switch {
	case lo.CanInt() && hi.CanInt():
		_ = s[lo.Int():hi.Int()]
	case lo.CanInt():
		_ = s[lo.Int():hi.Uint()]
	case hi.CanInt():
		_ = s[lo.Uint():hi.Int()]
	default:
		_ = s[lo.Uint():hi.Uint()]
	}
}

func sliceThree(s []struct{}, lo, hi, max reflect.Value) {
	// max is checked first, then hi, then lo; the first that fails needs its sign.
	if max.CanInt() {
		_ = s[0:0:max.Int()]
		s = s[:max.Int():max.Int()]
	} else {
		_ = s[0:0:max.Uint()]
		s = s[:max.Uint():max.Uint()]
	}
	if !lo.IsValid() {
		lo = reflect.ValueOf(0)
	}
	switch {
	case lo.CanInt() && hi.CanInt():
		_ = s[lo.Int():hi.Int():cap(s)]
	case lo.CanInt():
		_ = s[lo.Int():hi.Uint():cap(s)]
	case hi.CanInt():
		_ = s[lo.Uint():hi.Int():cap(s)]
	default:
		_ = s[lo.Uint():hi.Uint():cap(s)]
	}
}

// substring is s[lo:hi].
func substring(s string, lo, hi reflect.Value) string {
	if !lo.IsValid() {
		lo = reflect.ValueOf(0)
	}
	if !hi.IsValid() {
		hi = reflect.ValueOf(len(s))
	}
	switch {
	case lo.CanInt() && hi.CanInt():
		return s[lo.Int():hi.Int()]
	case lo.CanInt():
		return s[lo.Int():hi.Uint()]
	case hi.CanInt():
		return s[lo.Uint():hi.Int()]
	default:
		return s[lo.Uint():hi.Uint()]
	}
}

// The runtime's numbers for the ways to be out of bounds, runtime.boundsError.code:
// those with "capacity" stand one after those with "length".
const (
	boundsSliceCap  = 2
	boundsSlice3Cap = 5
)

// lengthError makes an error that names a capacity name a length.
func lengthError(err any) any {
	return changed(err, func(v reflect.Value) bool {
		code := v.FieldByName("code")
		if !code.IsValid() || !code.CanUint() {
			return false
		}
		if c := code.Uint(); c == boundsSliceCap || c == boundsSlice3Cap {
			hidden(code).SetUint(c - 1)
		}
		return true
	})
}

// failArray fails to convert a slice of length have to an array of length want.
func failArray(have int, want int) {
	defer func() {
		err := recover()
		panic(changed(err, func(v reflect.Value) bool {
			for _, name := range []string{"x", "y"} {
				if f := v.FieldByName(name); f.IsValid() && f.CanInt() && f.Int() == math.MaxInt {
					hidden(f).SetInt(int64(want))
					return true
				}
			}
			return false
		}))
	}()
	// Of a length that no other number of the error can be.
	_ = [math.MaxInt]struct{}(make([]struct{}, have))
}

// changed gives a changed copy of a runtime error; the error itself if change
// finds that the runtime keeps it in another form.
func changed(err any, change func(reflect.Value) bool) any {
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Struct {
		return err
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	if !change(c) {
		return err
	}
	return c.Interface()
}

// hidden gives a settable view of an unexported field of an addressable struct.
func hidden(f reflect.Value) reflect.Value {
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}

// failAssert panics with the TypeAssertionError of x.(want), where x is an
// interface of type iface that holds a value of type have, nil for none.
func failAssert(iface, have, want reflect.Type) {
	missing := ""
	if want.Kind() == reflect.Interface {
		iface = nil // the runtime does not know it
		if have != nil {
			missing = missingMethod(have, want)
		}
	}
	err := new(runtime.TypeAssertionError)
	v := reflect.ValueOf(err).Elem()
	fits := v.NumField() == 4 && v.Field(3).Kind() == reflect.String
	for i, t := range []reflect.Type{iface, have, want} {
		if !fits || v.Field(i).Kind() != reflect.Pointer {
			fits = false
			break
		}
		if t != nil {
			*(*unsafe.Pointer)(unsafe.Pointer(v.Field(i).UnsafeAddr())) = reflect.ValueOf(t).UnsafePointer()
		}
	}
	if !fits {
		// The runtime keeps the error in another form; at least the failure is real.
		_ = any(nil).(error)
	}
	hidden(v.Field(3)).SetString(missing)
	panic(err)
}

// missingMethod is the first method of the interface want that have lacks.
func missingMethod(have, want reflect.Type) string {
	for i := range want.NumMethod() {
		m := want.Method(i)
		if h, ok := have.MethodByName(m.Name); !ok || !sameMethod(h.Type, m.Type) {
			return m.Name
		}
	}
	return ""
}

// sameMethod compares the type of a method with its receiver with one without.
func sameMethod(h, m reflect.Type) bool {
	if h.NumIn() != m.NumIn()+1 || h.NumOut() != m.NumOut() || h.IsVariadic() != m.IsVariadic() {
		return false
	}
	for i := range m.NumIn() {
		if h.In(i+1) != m.In(i) {
			return false
		}
	}
	for i := range m.NumOut() {
		if h.Out(i) != m.Out(i) {
			return false
		}
	}
	return true
}

// checkMake fails as make does for a slice of elements of the given size.
func checkMake(size uintptr, n, c reflect.Value) (length, capacity int) {
	get := func(v reflect.Value) (int, bool) {
		var i int
		if v.CanInt() {
			i = int(v.Int())
			if int64(i) != v.Int() {
				return 0, false
			}
		} else {
			u := v.Uint()
			i = int(u)
			if u > math.MaxInt {
				return 0, false
			}
		}
		// As much as a process can address at most; the runtime's own limit is no higher.
		return i, i >= 0 && (size == 0 || uint64(i) <= 1<<48/uint64(size))
	}
	bad := -1
	length, okay := get(n)
	if !okay {
		runtime.KeepAlive(make([]byte, bad))
	}
	capacity = length
	if c.IsValid() {
		if capacity, okay = get(c); !okay || capacity < length {
			runtime.KeepAlive(make([]byte, 0, bad))
		}
	}
	return length, capacity
}

// checkMakeChan fails as make does for a channel.
func checkMakeChan(n reflect.Value) int {
	if n.CanInt() {
		if n.Int() < 0 {
			runtime.KeepAlive(make(chan struct{}, n.Int()))
		}
		return int(n.Int())
	}
	if n.Uint() > math.MaxInt {
		runtime.KeepAlive(make(chan struct{}, n.Uint()))
	}
	return int(n.Uint())
}
