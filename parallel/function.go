package parallel

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

// A function that captures nothing and its type are read-only data of the
// binary, so in another process of the same binary they are at the same distance
// from any other such data, wherever the system loaded it.
type codeRef struct {
	Name       string // to be sure
	Func, Type int64  // distances from those of anchor
}

func anchor() {}

// words are the two words of an interface value: type and data, for a function a
// pointer to its code pointer.
func words(v *any) *[2]unsafe.Pointer { return (*[2]unsafe.Pointer)(unsafe.Pointer(v)) }

// binarySize bounds how far apart data of the binary can be.
var binarySize = sync.OnceValue(func() int64 {
	if path, err := os.Executable(); err == nil {
		if info, err := os.Stat(path); err == nil {
			return info.Size()
		}
	}
	return 64 << 20
})

// refer gives the reference of a function, or says why it cannot travel.
func refer(fn any) (codeRef, error) {
	name := funcName(fn)
	var a any = anchor
	base, given := words(&a), words(&fn)
	r := codeRef{
		Name: name,
		Type: int64(uintptr(given[0])) - int64(uintptr(base[0])),
		Func: int64(uintptr(given[1])) - int64(uintptr(base[1])),
	}
	far := func(d int64) bool { return d > binarySize() || d < -binarySize() }
	if far(r.Func) {
		return r, fmt.Errorf("%s captures variables, which another process does not have: pass them as arguments", name)
	}
	if far(r.Type) {
		return r, fmt.Errorf("%s was made by reflection and has no place in the binary: pass a function declared at top level", name)
	}
	return r, nil
}

// resolve finds the function in this process.
func (r codeRef) resolve() (reflect.Value, error) {
	var f, a any = nil, anchor
	base, found := words(&a), words(&f)
	found[0] = unsafe.Add(base[0], r.Type)
	found[1] = unsafe.Add(base[1], r.Func)
	v := reflect.ValueOf(f)
	if v.Kind() != reflect.Func || funcName(f) != r.Name {
		return reflect.Value{}, fmt.Errorf("%s is not where the parent process says: the two are not the same program", r.Name)
	}
	return v, nil
}

// funcName is a function's name as its programmer knows it: without the path of
// its package.
func funcName(fn any) string {
	if f, ok := fn.(Func); ok {
		if f.Name == "" {
			return "the function literal"
		}
		return f.Name
	}
	v := reflect.ValueOf(fn)
	if v.Kind() != reflect.Func || v.IsNil() {
		return fmt.Sprintf("%T", fn)
	}
	name := runtime.FuncForPC(v.Pointer()).Name()
	return name[strings.LastIndexByte(name, '/')+1:]
}

// A call is a function and its arguments on their way to another process.
type call struct {
	fn   any
	typ  reflect.Type // of the function
	args []reflect.Value
}

// newCall checks a function and its arguments against each other. what says on
// whose behalf, for errors.
func newCall(what string, fn any, args []any) (*call, error) {
	target := fn
	if f, ok := fn.(Func); ok {
		target = f.Value
	}
	t := reflect.TypeOf(target)
	if t == nil || t.Kind() != reflect.Func || reflect.ValueOf(target).IsNil() {
		return nil, fmt.Errorf("parallel: %s wants a function, not %T", what, target)
	}
	c := &call{fn: fn, typ: t}
	name := funcName(fn)
	n := t.NumIn()
	if t.IsVariadic() && len(args) < n-1 || !t.IsVariadic() && len(args) != n {
		return nil, fmt.Errorf("parallel: %s(%s): it takes %d arguments and is given %d", what, name, n, len(args))
	}
	for i, a := range args {
		want := t.In(min(i, n-1))
		if t.IsVariadic() && i >= n-1 {
			want = t.In(n - 1).Elem()
		}
		v := reflect.ValueOf(a)
		switch {
		case !v.IsValid():
			v = reflect.Zero(want) // nil
			switch want.Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Chan, reflect.Func:
			default:
				return nil, fmt.Errorf("parallel: %s(%s): argument %d is nil, %s wants %s", what, name, i+1, name, want)
			}
		case v.Type().AssignableTo(want):
			x := reflect.New(want).Elem()
			x.Set(v)
			v = x
		default:
			return nil, fmt.Errorf("parallel: %s(%s): argument %d is %s, %s wants %s", what, name, i+1, v.Type(), name, want)
		}
		c.args = append(c.args, v)
	}
	return c, nil
}

// invoke calls the function here.
func (c *call) invoke() any {
	fn := c.fn
	if f, ok := fn.(Func); ok {
		fn = f.Value
	}
	return result(reflect.ValueOf(fn).Call(c.args))
}

func result(out []reflect.Value) any {
	if len(out) == 0 {
		return nil
	}
	return out[0].Interface()
}

// task words the call for a worker that has the given version of the host's code.
func (c *call) task(version int) (task, error) {
	t := task{from: version}
	host, err := functions()
	if err != nil {
		return t, err
	}
	if f, ok := c.fn.(Func); ok && len(f.Captures) > 0 {
		return t, fmt.Errorf("%s captures %s, which another process does not have: pass it as an argument", funcName(c.fn), strings.Join(f.Captures, ", "))
	}
	if host != nil {
		if t.Ref, err = host.Refer(c.fn); err != nil {
			return t, err
		}
		if t.Ref.Version > version {
			if t.Image, err = host.Image(version, t.Ref.Version); err != nil {
				return t, err
			}
		}
	} else {
		fn := c.fn
		if f, ok := fn.(Func); ok {
			fn = f.Value
		}
		if t.Code, err = refer(fn); err != nil {
			return t, err
		}
	}
	encoding := spanBegin()
	for i, a := range c.args {
		data, err := encode(a)
		if err != nil {
			return t, fmt.Errorf("argument %d of %s (%s) cannot be sent to another process: %w", i+1, funcName(c.fn), a.Type(), err)
		}
		t.Args = append(t.Args, data)
	}
	spanEnd(spanEncode, 0, 0, "arguments", encoding)
	return t, nil
}

// encode gives the bytes of a value; a zero value has none.
func encode(v reflect.Value) ([]byte, error) {
	if v.IsZero() {
		return nil, nil
	}
	var buf bytes.Buffer
	enc := gob.NewEncoder(&buf)
	if v.Kind() == reflect.Interface {
		// gob knows interfaces inside of structs only.
		if err := enc.Encode(boxed{v.Interface()}); err != nil {
			return nil, err
		}
		return buf.Bytes(), nil
	}
	if err := enc.EncodeValue(v); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

type boxed struct{ V any }

func decode(data []byte, t reflect.Type) (reflect.Value, error) {
	v := reflect.New(t)
	if len(data) == 0 {
		return v.Elem(), nil
	}
	dec := gob.NewDecoder(bytes.NewReader(data))
	if t.Kind() == reflect.Interface {
		var b boxed
		if err := dec.Decode(&b); err != nil {
			return v.Elem(), err
		}
		inner := reflect.ValueOf(b.V)
		if !inner.Type().AssignableTo(t) {
			return v.Elem(), fmt.Errorf("%s is not a %s", inner.Type(), t)
		}
		v.Elem().Set(inner)
		return v.Elem(), nil
	}
	err := dec.DecodeValue(v)
	return v.Elem(), err
}
