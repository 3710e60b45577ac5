package parallel

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"iter"
	"math"
	"reflect"
)

// ErrNoKey is what Dict.Get and its like return for a key that is not there.
var ErrNoKey = errors.New("parallel: the dictionary has no such key")

// A proxy is an object of a manager.
type proxy struct {
	m   *Manager
	id  uint64
	bad error
}

// open finds or makes the manager's object; a name of "" is a new one's.
func open(m *Manager, kind byte, name string, types string) proxy {
	a, err := m.call(request(opOpen, 0, []byte{kind}, []byte(name), []byte(types)))
	if err != nil {
		return proxy{m: m, bad: err}
	}
	id, ok := a.number()
	if !ok {
		return proxy{m: m, bad: errManagerFrame}
	}
	return proxy{m: m, id: id}
}

func (p *proxy) call(op byte, parts ...[]byte) (answer, error) {
	if p == nil || p.m == nil {
		return nil, errNoMemory
	}
	if p.bad != nil {
		return nil, p.bad
	}
	return p.m.call(request(op, p.id, parts...))
}

// Err says why the object cannot be used; it is nil if it can.
func (p *proxy) Err() error {
	if p == nil || p.m == nil {
		return errNoMemory
	}
	return p.bad
}

type proxyRef struct {
	Manager *Manager
	ID      uint64
}

// GobEncode makes a manager's object travel as a reference.
func (p *proxy) GobEncode() ([]byte, error) {
	if err := p.Err(); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	err := gob.NewEncoder(&buf).Encode(proxyRef{p.m, p.id})
	return buf.Bytes(), err
}

// GobDecode is GobEncode's inverse, in the other process.
func (p *proxy) GobDecode(data []byte) error {
	var ref proxyRef
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&ref); err != nil {
		return fmt.Errorf("parallel: these bytes are no object of a manager: %w", err)
	}
	if ref.Manager == nil {
		return errForeign
	}
	*p = proxy{m: ref.Manager, id: ref.ID}
	return nil
}

// toBytes gives a key's or value's bytes in a manager; equal keys have equal bytes.
func toBytes(v reflect.Value) ([]byte, error) {
	num := func(kind byte, w uint64) []byte {
		return binary.LittleEndian.AppendUint64([]byte{kind, byte(v.Type().Size())}, w)
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return num(signed, uint64(v.Int())), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return num(unsigned, v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return num(floating, math.Float64bits(v.Float()+0)), nil // -0 is 0
	case reflect.String:
		return append([]byte{textual}, v.String()...), nil
	}
	data, err := encode(v)
	if err != nil {
		return nil, fmt.Errorf("parallel: a %s cannot be sent to a manager: %w", v.Type(), err)
	}
	return append([]byte{encoded}, data...), nil
}

func fromBytes(data []byte, v reflect.Value) error {
	bad := fmt.Errorf("parallel: the manager's value is no %s", v.Type())
	if len(data) == 0 {
		return bad
	}
	if data[0] == signed || data[0] == unsigned || data[0] == floating {
		if len(data) != 10 {
			return bad
		}
		w := binary.LittleEndian.Uint64(data[2:])
		switch {
		case data[0] == signed && v.CanInt():
			v.SetInt(int64(w))
		case data[0] == unsigned && v.CanUint():
			v.SetUint(w)
		case data[0] == floating && v.CanFloat():
			v.SetFloat(math.Float64frombits(w))
		default:
			return bad
		}
		return nil
	}
	if data[0] == textual {
		if v.Kind() != reflect.String {
			return bad
		}
		v.SetString(string(data[1:]))
		return nil
	}
	x, err := decode(data[1:], v.Type())
	if err != nil {
		return fmt.Errorf("parallel: a value did not arrive from the manager: %w", err)
	}
	v.Set(x)
	return nil
}

func pieces[T any](x T) ([]byte, error) { return toBytes(reflect.ValueOf(&x).Elem()) }

func piece[T any](a *answer) (x T, found bool, err error) {
	data, ok := a.part()
	if !ok {
		return x, false, nil
	}
	err = fromBytes(data, reflect.ValueOf(&x).Elem())
	return x, err == nil, err
}

// A Dict is a map that a Manager keeps for all processes: Python's
// Manager().dict(). It travels as a reference. Each method is one message to the
// manager, some microseconds, and is done as a whole: dict.Set(k, v+1) after Get
// loses updates between them, Add and Update do not.
type Dict[K comparable, V any] struct{ proxy }

// NewDict makes an empty dictionary.
func NewDict[K comparable, V any](m *Manager) *Dict[K, V] { return NamedDict[K, V](m, "") }

// NamedDict finds the manager's dictionary of a name, or makes it. Name "" always
// makes one. Its Err says if there is another object of the name.
func NamedDict[K comparable, V any](m *Manager, name string) *Dict[K, V] {
	return &Dict[K, V]{open(m, kindDict, name, fmt.Sprintf("Dict[%s, %s]", reflect.TypeFor[K](), reflect.TypeFor[V]()))}
}

// Get gives the value of a key; the error is ErrNoKey if there is none.
func (d *Dict[K, V]) Get(k K) (V, error) {
	v, _, err := d.get(k)
	return v, err
}

func (d *Dict[K, V]) get(k K) (v V, version uint64, err error) {
	key, err := pieces(k)
	if err != nil {
		return v, 0, err
	}
	a, err := d.call(opGet, key)
	if err != nil {
		return v, 0, err
	}
	v, found, err := piece[V](&a)
	if err != nil {
		return v, 0, err
	}
	if !found {
		return v, 0, ErrNoKey
	}
	version, _ = a.number()
	return v, version, nil
}

// Set sets the value of a key.
func (d *Dict[K, V]) Set(k K, v V) error {
	key, err := pieces(k)
	if err != nil {
		return err
	}
	value, err := pieces(v)
	if err != nil {
		return err
	}
	_, err = d.call(opSet, key, value)
	return err
}

// SetAll sets many values in one message, all or none.
func (d *Dict[K, V]) SetAll(values map[K]V) error {
	parts := make([][]byte, 0, 2*len(values))
	for k, v := range values {
		key, err := pieces(k)
		if err != nil {
			return err
		}
		value, err := pieces(v)
		if err != nil {
			return err
		}
		parts = append(parts, key, value)
	}
	_, err := d.call(opSet, parts...)
	return err
}

// Delete takes a key away and tells whether it was there.
func (d *Dict[K, V]) Delete(k K) (bool, error) {
	key, err := pieces(k)
	if err != nil {
		return false, err
	}
	a, err := d.call(opDelete, key)
	return len(a) > 0, err
}

// Update sets the value of a key to f of it, and gives the new value; f gets the
// zero value if there is none. Nobody comes between: if somebody does, f is called
// again, so it must do nothing else.
func (d *Dict[K, V]) Update(k K, f func(V) V) (V, error) {
	key, err := pieces(k)
	for err == nil {
		var v V
		var version uint64
		if v, version, err = d.get(k); err != nil && err != ErrNoKey {
			break
		}
		v = f(v)
		var value []byte
		if value, err = pieces(v); err != nil {
			break
		}
		var a answer
		if a, err = d.call(opSwap, key, number(version), value); err != nil {
			break
		}
		if done, ok := a.part(); ok && len(done) == 1 && done[0] == 1 {
			return v, nil
		}
	}
	var zero V
	return zero, err
}

// SetDefault sets the value of a key if there is none, and gives the one that is
// there then.
func (d *Dict[K, V]) SetDefault(k K, v V) (V, error) {
	key, err := pieces(k)
	if err != nil {
		return v, err
	}
	value, err := pieces(v)
	if err != nil {
		return v, err
	}
	a, err := d.call(opSwap, key, number(0), value)
	if err != nil {
		return v, err
	}
	if done, ok := a.part(); ok && len(done) == 1 && done[0] == 1 {
		return v, nil
	}
	return d.Get(k)
}

// AddTo adds n to the value of a key of a dictionary of numbers in one step, at the
// manager, and gives the sum. No value counts as 0.
func AddTo[K comparable, V Number](d *Dict[K, V], k K, n V) (V, error) {
	key, err := pieces(k)
	if err != nil {
		return 0, err
	}
	value, err := pieces(n)
	if err != nil {
		return 0, err
	}
	a, err := d.call(opAdd, key, value)
	if err != nil {
		return 0, err
	}
	sum, _, err := piece[V](&a)
	return sum, err
}

// Len is how many keys there are.
func (d *Dict[K, V]) Len() (int, error) { return d.length() }

func (p *proxy) length() (int, error) {
	a, err := p.call(opLen)
	if err != nil {
		return 0, err
	}
	n, ok := a.number()
	if !ok {
		return 0, errManagerFrame
	}
	return int(n), nil
}

// Items gives a copy of the whole, in one message.
func (d *Dict[K, V]) Items() (map[K]V, error) {
	a, err := d.call(opAll)
	if err != nil {
		return nil, err
	}
	items := map[K]V{}
	for len(a) > 0 {
		k, ok1, err := piece[K](&a)
		if err != nil {
			return nil, err
		}
		v, ok2, err := piece[V](&a)
		if err != nil {
			return nil, err
		}
		if !ok1 || !ok2 {
			return nil, errManagerFrame
		}
		items[k] = v
	}
	return items, nil
}

// All goes over a copy of the whole. If there is none, it goes over nothing: see
// Items for the error.
func (d *Dict[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		items, _ := d.Items()
		for k, v := range items {
			if !yield(k, v) {
				return
			}
		}
	}
}

// Clear takes all keys away.
func (d *Dict[K, V]) Clear() error {
	_, err := d.call(opClear)
	return err
}

// String gives the whole, for printing.
func (d *Dict[K, V]) String() string { return text(d.Items()) }

func text[T any](x T, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(x)
}
