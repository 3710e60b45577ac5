// Package maps replaces functions of the standard package of that name, for the
// interpreter.
package maps

// Clone copies without the runtime's help.
func Clone[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return nil
	}
	r := make(M, len(m))
	for k, v := range m {
		r[k] = v
	}
	return r
}
