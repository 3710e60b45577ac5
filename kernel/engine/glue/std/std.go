// Package std is the standard library as a table: its exported functions,
// variables and types by path and name, as far as every system has them. Generics
// and constants are not in it.
//
// The table is data that the linker lays out: a program that links it runs no code
// for it at its start and has no memory for it until it is used. It makes the
// program link the whole standard library, whose own initialisation runs.
package std

import (
	"reflect"
	"sort"
)

type pkg struct {
	path    string
	symbols []symbol // by name
}

// A symbol is a function, a pointer to a variable, or a nil pointer to a type.
type symbol struct {
	name string
	is   any
}

// lookup gives what the table holds of path.name; the zero Value for nothing.
func lookup(path, name string) reflect.Value {
	i := sort.Search(len(packages), func(i int) bool { return packages[i].path >= path })
	if i == len(packages) || packages[i].path != path {
		return reflect.Value{}
	}
	s := packages[i].symbols
	i = sort.Search(len(s), func(i int) bool { return s[i].name >= name })
	if i == len(s) || s[i].name != name {
		return reflect.Value{}
	}
	return reflect.ValueOf(s[i].is)
}

// Type gives the type path.name; nil if the table has none.
func Type(path, name string) reflect.Type {
	if v := lookup(path, name); v.Kind() == reflect.Pointer && v.IsNil() {
		return v.Type().Elem()
	}
	return nil
}

// Func gives the function path.name; the zero Value if the table has none.
func Func(path, name string) reflect.Value {
	if v := lookup(path, name); v.Kind() == reflect.Func {
		return v
	}
	return reflect.Value{}
}

// Global gives the variable path.name, as an addressable value; the zero Value if
// the table has none.
func Global(path, name string) reflect.Value {
	if v := lookup(path, name); v.Kind() == reflect.Pointer && !v.IsNil() {
		return v.Elem()
	}
	return reflect.Value{}
}

// Packages lists the paths of the table's packages, in order.
func Packages() []string {
	paths := make([]string, len(packages))
	for i := range packages {
		paths[i] = packages[i].path
	}
	return paths
}
