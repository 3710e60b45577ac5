package eval

import (
	"cmp"
	"reflect"
)

// A binary computes a value of one type from two.
type binary func(a, b reflect.Value) reflect.Value

// isInt and the like sort kinds by how reflect holds them.
func isInt(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Int64 }

func isUint(k reflect.Kind) bool { return k >= reflect.Uint && k <= reflect.Uintptr }

func isFloat(k reflect.Kind) bool { return k == reflect.Float32 || k == reflect.Float64 }

func isComplex(k reflect.Kind) bool { return k == reflect.Complex64 || k == reflect.Complex128 }

// Values of a type from Go's own. Integers wrap as the type does.

func makeInt(t reflect.Type, x int64) reflect.Value {
	v := reflect.New(t).Elem()
	v.SetInt(x)
	return v
}

func makeUint(t reflect.Type, x uint64) reflect.Value {
	v := reflect.New(t).Elem()
	v.SetUint(x)
	return v
}

func makeFloat(t reflect.Type, x float64) reflect.Value {
	v := reflect.New(t).Elem()
	v.SetFloat(x)
	return v
}

func makeComplex(t reflect.Type, x complex128) reflect.Value {
	v := reflect.New(t).Elem()
	v.SetComplex(x)
	return v
}

func makeString(t reflect.Type, x string) reflect.Value {
	v := reflect.New(t).Elem()
	v.SetString(x)
	return v
}

func makeBool(t reflect.Type, x bool) reflect.Value {
	v := reflect.New(t).Elem()
	v.SetBool(x)
	return v
}

// integers has the operators of all integer types; division by zero panics as it does.
func integers[T int64 | uint64](op string) func(a, b T) T {
	switch op {
	case "+":
		return func(a, b T) T { return a + b }
	case "-":
		return func(a, b T) T { return a - b }
	case "*":
		return func(a, b T) T { return a * b }
	case "/":
		return func(a, b T) T { return a / b }
	case "%":
		return func(a, b T) T { return a % b }
	case "&":
		return func(a, b T) T { return a & b }
	case "|":
		return func(a, b T) T { return a | b }
	case "^":
		return func(a, b T) T { return a ^ b }
	case "&^":
		return func(a, b T) T { return a &^ b }
	}
	return nil
}

func numbers[T float32 | float64 | complex64 | complex128](op string) func(a, b T) T {
	switch op {
	case "+":
		return func(a, b T) T { return a + b }
	case "-":
		return func(a, b T) T { return a - b }
	case "*":
		return func(a, b T) T { return a * b }
	case "/":
		return func(a, b T) T { return a / b }
	}
	return nil
}

// arithmetic gives the operator op of type t, nil if it has none.
func arithmetic(op string, t reflect.Type) binary {
	switch k := t.Kind(); {
	case isInt(k):
		if f := integers[int64](op); f != nil {
			return func(a, b reflect.Value) reflect.Value { return makeInt(t, f(a.Int(), b.Int())) }
		}
	case isUint(k):
		if f := integers[uint64](op); f != nil {
			return func(a, b reflect.Value) reflect.Value { return makeUint(t, f(a.Uint(), b.Uint())) }
		}
	case k == reflect.Float64:
		if f := numbers[float64](op); f != nil {
			return func(a, b reflect.Value) reflect.Value { return makeFloat(t, f(a.Float(), b.Float())) }
		}
	case k == reflect.Float32:
		if f := numbers[float32](op); f != nil {
			return func(a, b reflect.Value) reflect.Value {
				return makeFloat(t, float64(f(float32(a.Float()), float32(b.Float()))))
			}
		}
	case k == reflect.Complex128:
		if f := numbers[complex128](op); f != nil {
			return func(a, b reflect.Value) reflect.Value { return makeComplex(t, f(a.Complex(), b.Complex())) }
		}
	case k == reflect.Complex64:
		if f := numbers[complex64](op); f != nil {
			return func(a, b reflect.Value) reflect.Value {
				return makeComplex(t, complex128(f(complex64(a.Complex()), complex64(b.Complex()))))
			}
		}
	case k == reflect.String && op == "+":
		return func(a, b reflect.Value) reflect.Value { return makeString(t, a.String()+b.String()) }
	}
	return nil
}

func shiftBy[T int64 | uint64, N int64 | uint64](op string, x T, n N) T {
	if op == "<<" {
		return x << n
	}
	return x >> n
}

// shift gives << or >> for a left operand of type t, nil if it has none. The
// count is of any integer type, and panics if it is negative.
func shift(op string, t, count reflect.Type) binary {
	if op != "<<" && op != ">>" || !isInt(count.Kind()) && !isUint(count.Kind()) {
		return nil
	}
	signed := isInt(count.Kind())
	switch k := t.Kind(); {
	case isInt(k) && signed:
		return func(a, n reflect.Value) reflect.Value { return makeInt(t, shiftBy(op, a.Int(), n.Int())) }
	case isInt(k):
		return func(a, n reflect.Value) reflect.Value { return makeInt(t, shiftBy(op, a.Int(), n.Uint())) }
	case isUint(k) && signed:
		return func(a, n reflect.Value) reflect.Value { return makeUint(t, shiftBy(op, a.Uint(), n.Int())) }
	case isUint(k):
		return func(a, n reflect.Value) reflect.Value { return makeUint(t, shiftBy(op, a.Uint(), n.Uint())) }
	}
	return nil
}

// unary gives + - ^ ! on type t, nil if it has none.
func unary(op string, t reflect.Type) func(reflect.Value) reflect.Value {
	k := t.Kind()
	number := isInt(k) || isUint(k) || isFloat(k) || isComplex(k)
	switch {
	case op == "+" && number:
		return loaded
	case op == "-" && isInt(k):
		return func(a reflect.Value) reflect.Value { return makeInt(t, -a.Int()) }
	case op == "-" && isUint(k):
		return func(a reflect.Value) reflect.Value { return makeUint(t, -a.Uint()) }
	case op == "-" && isFloat(k):
		return func(a reflect.Value) reflect.Value { return makeFloat(t, -a.Float()) }
	case op == "-" && isComplex(k):
		return func(a reflect.Value) reflect.Value { return makeComplex(t, -a.Complex()) }
	case op == "^" && isInt(k):
		return func(a reflect.Value) reflect.Value { return makeInt(t, ^a.Int()) }
	case op == "^" && isUint(k):
		return func(a reflect.Value) reflect.Value { return makeUint(t, ^a.Uint()) }
	case op == "!" && k == reflect.Bool:
		return func(a reflect.Value) reflect.Value { return makeBool(t, !a.Bool()) }
	}
	return nil
}

func ordered[T cmp.Ordered](op string) func(a, b T) bool {
	switch op {
	case "<":
		return func(a, b T) bool { return a < b }
	case "<=":
		return func(a, b T) bool { return a <= b }
	case ">":
		return func(a, b T) bool { return a > b }
	case ">=":
		return func(a, b T) bool { return a >= b }
	case "==":
		return func(a, b T) bool { return a == b }
	case "!=":
		return func(a, b T) bool { return a != b }
	}
	return nil
}

// comparison gives op on two values of type t, nil if it has none. Values that
// cannot be compared, inside interfaces, panic as they do.
func comparison(op string, t reflect.Type) func(a, b reflect.Value) bool {
	switch k := t.Kind(); {
	case isInt(k):
		if f := ordered[int64](op); f != nil {
			return func(a, b reflect.Value) bool { return f(a.Int(), b.Int()) }
		}
		return nil
	case isUint(k):
		if f := ordered[uint64](op); f != nil {
			return func(a, b reflect.Value) bool { return f(a.Uint(), b.Uint()) }
		}
		return nil
	case isFloat(k):
		if f := ordered[float64](op); f != nil {
			return func(a, b reflect.Value) bool { return f(a.Float(), b.Float()) }
		}
		return nil
	case k == reflect.String:
		if f := ordered[string](op); f != nil {
			return func(a, b reflect.Value) bool { return f(a.String(), b.String()) }
		}
		return nil
	case !t.Comparable():
		return nil
	}
	switch op {
	case "==":
		return func(a, b reflect.Value) bool { return a.Interface() == b.Interface() }
	case "!=":
		return func(a, b reflect.Value) bool { return a.Interface() != b.Interface() }
	}
	return nil
}

// extreme gives min or max of two values of type t, nil if it has none.
func extreme(name string, t reflect.Type) binary {
	least := name == "min"
	pick := func(first bool, a, b reflect.Value) reflect.Value {
		if first {
			return loaded(a)
		}
		return loaded(b)
	}
	switch k := t.Kind(); {
	case isInt(k):
		return func(a, b reflect.Value) reflect.Value { return pick(a.Int() < b.Int() == least, a, b) }
	case isUint(k):
		return func(a, b reflect.Value) reflect.Value { return pick(a.Uint() < b.Uint() == least, a, b) }
	case isFloat(k) && least:
		return func(a, b reflect.Value) reflect.Value { return makeFloat(t, min(a.Float(), b.Float())) }
	case isFloat(k):
		return func(a, b reflect.Value) reflect.Value { return makeFloat(t, max(a.Float(), b.Float())) }
	case k == reflect.String:
		return func(a, b reflect.Value) reflect.Value { return pick(a.String() < b.String() == least, a, b) }
	}
	return nil
}

// loaded is v as it is now: a copy, if v is a variable's memory.
func loaded(v reflect.Value) reflect.Value {
	if !v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}
