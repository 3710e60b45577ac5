package eval

import "reflect"

// conversion gives the conversion of values of type from to type to, nil if
// there is none. Numbers are converted by the language's own conversions, since
// reflect goes by way of 64 bits, which rounds and overflows differently.
func conversion(from, to reflect.Type) func(reflect.Value) reflect.Value {
	fk, tk := from.Kind(), to.Kind()
	number := func(k reflect.Kind) bool { return isInt(k) || isUint(k) || isFloat(k) }
	switch {
	case to.Kind() == reflect.Interface:
		if !from.AssignableTo(to) {
			return nil
		}
		return func(v reflect.Value) reflect.Value { return boxed(v, to) }
	case number(fk) && number(tk):
		return func(v reflect.Value) reflect.Value { return convertNumber(v, to) }
	case isComplex(fk) && isComplex(tk):
		return func(v reflect.Value) reflect.Value { return makeComplex(to, v.Complex()) }
	case fk == reflect.Slice && (tk == reflect.Array || tk == reflect.Pointer && to.Elem().Kind() == reflect.Array):
		n := 0
		if tk == reflect.Array {
			n = to.Len()
		} else {
			n = to.Elem().Len()
		}
		if !from.ConvertibleTo(to) {
			return nil
		}
		return func(v reflect.Value) reflect.Value {
			if v.Len() < n {
				failArray(v.Len(), n)
			}
			return v.Convert(to)
		}
	case from.ConvertibleTo(to):
		return func(v reflect.Value) reflect.Value { return v.Convert(to) }
	}
	return nil
}

// boxed is v as a value of the type of an interface or of memory.
func boxed(v reflect.Value, t reflect.Type) reflect.Value {
	if v.Type() == t {
		return v
	}
	b := reflect.New(t).Elem()
	b.Set(v)
	return b
}

func convertNumber(v reflect.Value, to reflect.Type) reflect.Value {
	switch k := v.Kind(); {
	case isInt(k):
		return fromNumber(v.Int(), to)
	case isUint(k):
		return fromNumber(v.Uint(), to)
	case k == reflect.Float32:
		return fromNumber(float32(v.Float()), to)
	default:
		return fromNumber(v.Float(), to)
	}
}

func fromNumber[T int64 | uint64 | float32 | float64](x T, to reflect.Type) reflect.Value {
	switch to.Kind() {
	case reflect.Int:
		return makeInt(to, int64(int(x)))
	case reflect.Int8:
		return makeInt(to, int64(int8(x)))
	case reflect.Int16:
		return makeInt(to, int64(int16(x)))
	case reflect.Int32:
		return makeInt(to, int64(int32(x)))
	case reflect.Int64:
		return makeInt(to, int64(x))
	case reflect.Uint:
		return makeUint(to, uint64(uint(x)))
	case reflect.Uint8:
		return makeUint(to, uint64(uint8(x)))
	case reflect.Uint16:
		return makeUint(to, uint64(uint16(x)))
	case reflect.Uint32:
		return makeUint(to, uint64(uint32(x)))
	case reflect.Uint64:
		return makeUint(to, uint64(x))
	case reflect.Uintptr:
		return makeUint(to, uint64(uintptr(x)))
	case reflect.Float32:
		return makeFloat(to, float64(float32(x)))
	default:
		return makeFloat(to, float64(x))
	}
}
