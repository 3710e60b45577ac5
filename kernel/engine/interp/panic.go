package interp

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
)

// A runtimeError is one of Go's own panics. The interpreter works by reflection
// and panics in its words.
type runtimeError string

func (e runtimeError) Error() string { return string(e) }

// RuntimeError makes it a runtime.Error.
func (runtimeError) RuntimeError() {}

const nilDereference = runtimeError("runtime error: invalid memory address or nil pointer dereference")

var conversion = regexp.MustCompile(`^(?:\d+:\d+: )?(interface conversion: .*)$`)

// recovered gives what recover does: the value of a panic, and Go's errors for
// those of the interpreter's own.
func recovered(v any) any {
	if rv, ok := v.(reflect.Value); ok {
		if !rv.IsValid() || !rv.CanInterface() {
			return nil
		}
		return innermost(rv.Interface()) // given to panic by a cell
	}
	switch x := v.(type) {
	case *reflect.ValueError:
		return nilDereference
	case string:
		switch {
		case strings.HasPrefix(x, "reflect: cannot convert slice with length"):
			return runtimeError("runtime error: " + strings.Replace(strings.TrimPrefix(x, "reflect: "), "to array with", "to array or pointer to array with", 1))
		case strings.HasPrefix(x, "reflect: ") && strings.Contains(x, "out of range"):
			return runtimeError("runtime error: " + strings.Replace(strings.TrimPrefix(x, "reflect: "), "slice index", "index", 1))
		case strings.HasPrefix(x, "reflect.MakeSlice: negative len"), strings.HasPrefix(x, "reflect.MakeSlice: len >"):
			return runtimeError("runtime error: makeslice: len out of range")
		case strings.HasPrefix(x, "reflect.MakeSlice: negative cap"):
			return runtimeError("runtime error: makeslice: cap out of range")
		case strings.HasPrefix(x, "reflect.MakeChan: negative"):
			return runtimeError("makechan: size out of range")
		case strings.HasPrefix(x, "reflect.Value.Slice"):
			return runtimeError("runtime error: slice bounds out of range")
		case strings.HasPrefix(x, "reflect.Value.Call: call of nil function"), strings.HasPrefix(x, "reflect: Method on nil interface value"):
			return nilDereference
		}
	case error:
		if m := conversion.FindStringSubmatch(x.Error()); m != nil {
			return runtimeError(m[1])
		}
	}
	return v
}

// innermost takes an interface value of the interpreter's out of others, with the
// type that it had in the first.
func innermost(v any) any {
	for range 8 {
		rv := reflect.ValueOf(v)
		if !rv.IsValid() || rv.Type().String() != "interp.valueInterface" {
			return v
		}
		box := reflect.New(rv.Type()).Elem()
		box.Set(rv)
		inner := (*reflect.Value)(box.FieldByName("value").Addr().UnsafePointer())
		for inner.IsValid() && inner.Kind() == reflect.Interface && !inner.IsNil() {
			*inner = inner.Elem()
		}
		if !inner.IsValid() || inner.Type() != rv.Type() {
			return box.Interface()
		}
		v = inner.Interface()
	}
	return v
}

// panicText words a panic's value as Go does.
func panicText(v any) string {
	switch x := plain(recovered(plain(v))).(type) {
	case error:
		return x.Error()
	case string:
		return x
	case fmt.Stringer:
		return x.String()
	case nil:
		return "panic called with nil argument"
	default:
		return fmt.Sprintf("%v", x)
	}
}

// printBuiltin is print or println, which write to standard error.
func printBuiltin(vs []any, line bool) {
	for i, v := range vs {
		if line && i > 0 {
			print(" ")
		}
		v = plain(v)
		rv := reflect.ValueOf(v)
		switch rv.Kind() {
		case reflect.Bool:
			print(rv.Bool())
		case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
			print(rv.Int())
		case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
			print(rv.Uint())
		case reflect.Float32:
			print(float32(rv.Float()))
		case reflect.Float64:
			print(rv.Float())
		case reflect.Complex64:
			print(complex64(rv.Complex()))
		case reflect.Complex128:
			print(rv.Complex())
		case reflect.String:
			fmt.Fprint(os.Stderr, rv.String())
		case reflect.Slice:
			fmt.Fprintf(os.Stderr, "[%d/%d]%#x", rv.Len(), rv.Cap(), rv.Pointer())
		case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func, reflect.UnsafePointer:
			fmt.Fprintf(os.Stderr, "%#x", rv.Pointer())
		case reflect.Invalid:
			print("0x0")
		default:
			fmt.Fprint(os.Stderr, v)
		}
	}
	if line {
		println()
	}
}
