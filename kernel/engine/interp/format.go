package interp

import (
	"fmt"
)

// A formatted value is one of a notebook's type, whose methods compiled code
// cannot see, with what its String or Error method gives.
type formatted struct {
	value any
	text  func() string
}

// Format implements fmt.Formatter as package fmt treats values that have the method.
func (f formatted) Format(s fmt.State, verb rune) {
	var v any = f.value
	switch {
	case s.Flag('#') && verb == 'v':
	case verb == 'v':
		format := fmt.FormatString(s, 's')
		fmt.Fprintf(s, format, f.text())
		return
	case verb == 's' || verb == 'q' || verb == 'x' || verb == 'X':
		v = f.text()
	}
	fmt.Fprintf(s, fmt.FormatString(s, verb), v)
}

type withError struct{ formatted }

func (e withError) Error() string { return e.text() }

type withString struct{ formatted }

func (e withString) String() string { return e.text() }

// plainDeep takes a value, and what is directly in its slices and maps, out of the
// interpreter's own form of interface values.
func plainDeep(v any) any {
	v = plain(v)
	switch x := v.(type) {
	case []any:
		if x == nil {
			return v
		}
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = plainDeep(e)
		}
		return out
	case map[string]any:
		if x == nil {
			return v
		}
		out := make(map[string]any, len(x))
		for k, e := range x {
			out[k] = plainDeep(e)
		}
		return out
	}
	return v
}
