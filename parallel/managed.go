package parallel

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"sync"
)

// Operations of a manager. A request's parts follow each.
const (
	opOpen    = 'o' // kind, name, type: the number of the object, made if need be
	opGet     = 'g' // key: value and version, or nothing
	opSet     = 's' // key, value, key, value...
	opAppend  = 'p' // values
	opSwap    = 'c' // key, version (0: there must be none), value: whether it was so
	opDelete  = 'd' // key: the old value, or nothing
	opAdd     = 'a' // key, number: the sum
	opLen     = 'l'
	opAll     = 'e' // keys and values, or values
	opClear   = 'z'
	opPop     = 't' // of a list, the last value, or nothing
	kindDict  = 'D'
	kindList  = 'L'
	kindCount = 'C'
)

// A managed is an object of a manager: one kind of these, keys and values as bytes.
type managed struct {
	kind  byte
	types string // of keys and values, so that all agree
	mu    sync.Mutex
	last  uint64 // version
	dict  map[string]versioned
	list  []versioned
}

type versioned struct {
	value   []byte
	version uint64
}

// do answers a request.
func (s *managerServer) do(req []byte) []byte {
	parts, err := s.answer(req)
	if err != nil {
		return append([]byte{1}, err.Error()...)
	}
	resp := []byte{0}
	for _, p := range parts {
		resp = appendPart(resp, p)
	}
	return resp
}

func (s *managerServer) answer(req []byte) ([][]byte, error) {
	if s.closed.Load() {
		return nil, ErrManagerClosed
	}
	if len(req) < 9 {
		return nil, errManagerFrame
	}
	op, id := req[0], binary.LittleEndian.Uint64(req[1:])
	a := answer(req[9:])
	if op == opOpen {
		return s.open(a)
	}
	s.mu.Lock()
	o := s.objects[id]
	s.mu.Unlock()
	if o == nil {
		return nil, fmt.Errorf("parallel: the manager has no object %d", id)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kind == kindList {
		return o.doList(op, a)
	}
	return o.doDict(op, a)
}

func (s *managerServer) open(a answer) ([][]byte, error) {
	kind, ok1 := a.part()
	name, ok2 := a.part()
	types, ok3 := a.part()
	if !ok1 || !ok2 || !ok3 || len(kind) != 1 {
		return nil, errManagerFrame
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := s.names[string(name)]; id != 0 && len(name) > 0 {
		o := s.objects[id]
		if o.kind != kind[0] || o.types != string(types) {
			return nil, fmt.Errorf("parallel: the manager's %q is a %s, not a %s", name, o.types, types)
		}
		return [][]byte{number(id)}, nil
	}
	s.last++
	s.objects[s.last] = &managed{kind: kind[0], types: string(types), dict: map[string]versioned{}}
	if len(name) > 0 {
		s.names[string(name)] = s.last
	}
	return [][]byte{number(s.last)}, nil
}

func (o *managed) put(value []byte) versioned {
	o.last++
	// The request's memory may be the caller's.
	return versioned{append([]byte(nil), value...), o.last}
}

func (o *managed) doDict(op byte, a answer) (parts [][]byte, err error) {
	switch op {
	case opLen:
		return [][]byte{number(uint64(len(o.dict)))}, nil
	case opAll:
		keys := make([]string, 0, len(o.dict))
		for k := range o.dict {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			parts = append(parts, []byte(k), o.dict[k].value)
		}
		return parts, nil
	case opClear:
		clear(o.dict)
		return nil, nil
	case opSet:
		for len(a) > 0 {
			k, ok1 := a.part()
			v, ok2 := a.part()
			if !ok1 || !ok2 {
				return nil, errManagerFrame
			}
			parts = append(parts, k, v)
		}
		for i := 0; i < len(parts); i += 2 { // all or nothing
			o.dict[string(parts[i])] = o.put(parts[i+1])
		}
		return nil, nil
	}
	key, ok := a.part()
	if !ok {
		return nil, errManagerFrame
	}
	old, found := o.dict[string(key)]
	switch op {
	case opGet:
		if !found {
			return nil, nil
		}
		return [][]byte{old.value, number(old.version)}, nil
	case opDelete:
		if !found {
			return nil, nil
		}
		delete(o.dict, string(key))
		return [][]byte{old.value}, nil
	case opSwap:
		version, ok1 := a.number()
		v, ok2 := a.part()
		if !ok1 || !ok2 {
			return nil, errManagerFrame
		}
		if old.version != version {
			return [][]byte{{0}}, nil
		}
		o.dict[string(key)] = o.put(v)
		return [][]byte{{1}}, nil
	case opAdd:
		d, ok := a.part()
		if !ok {
			return nil, errManagerFrame
		}
		sum, err := addNumbers(old.value, d)
		if err != nil {
			return nil, err
		}
		o.dict[string(key)] = o.put(sum)
		return [][]byte{sum}, nil
	}
	return nil, errManagerFrame
}

func (o *managed) doList(op byte, a answer) (parts [][]byte, err error) {
	switch op {
	case opLen:
		return [][]byte{number(uint64(len(o.list)))}, nil
	case opAll:
		for _, v := range o.list {
			parts = append(parts, v.value)
		}
		return parts, nil
	case opClear:
		o.list = nil
		return nil, nil
	case opPop:
		n := len(o.list)
		if n == 0 {
			return nil, nil
		}
		v := o.list[n-1].value
		o.list = o.list[:n-1]
		return [][]byte{v}, nil
	case opAppend:
		for len(a) > 0 {
			v, ok := a.part()
			if !ok {
				return nil, errManagerFrame
			}
			parts = append(parts, v)
		}
		for _, v := range parts {
			o.list = append(o.list, o.put(v))
		}
		return nil, nil
	}
	i, ok := a.number()
	if !ok {
		return nil, errManagerFrame
	}
	if i >= uint64(len(o.list)) {
		return nil, fmt.Errorf("parallel: the list has %d items, and item %d is asked for", len(o.list), int64(i))
	}
	old := &o.list[i]
	switch op {
	case opGet:
		return [][]byte{old.value, number(old.version)}, nil
	case opDelete:
		v := old.value
		o.list = append(o.list[:i:i], o.list[i+1:]...)
		return [][]byte{v}, nil
	case opSet:
		v, ok := a.part()
		if !ok {
			return nil, errManagerFrame
		}
		*old = o.put(v)
		return nil, nil
	case opSwap:
		version, ok1 := a.number()
		v, ok2 := a.part()
		if !ok1 || !ok2 {
			return nil, errManagerFrame
		}
		if old.version != version {
			return [][]byte{{0}}, nil
		}
		*old = o.put(v)
		return [][]byte{{1}}, nil
	case opAdd:
		d, ok := a.part()
		if !ok {
			return nil, errManagerFrame
		}
		sum, err := addNumbers(old.value, d)
		if err != nil {
			return nil, err
		}
		*old = o.put(sum)
		return [][]byte{sum}, nil
	}
	return nil, errManagerFrame
}

// A number in a manager is a letter for its kind, its size and eight bytes, so that the
// manager can add without knowing the type.
const (
	signed   = 'i'
	unsigned = 'u'
	floating = 'f'
	textual  = 's'
	encoded  = 'x'
)

// addNumbers adds, wrapping as the type does. Nothing counts as zero.
func addNumbers(old, d []byte) ([]byte, error) {
	if len(d) != 10 || len(old) != 0 && (len(old) != 10 || old[0] != d[0] || old[1] != d[1]) {
		return nil, fmt.Errorf("parallel: Add wants a number, and a number of the same type in its place")
	}
	if len(old) == 0 {
		return d, nil
	}
	x, y := binary.LittleEndian.Uint64(old[2:]), binary.LittleEndian.Uint64(d[2:])
	switch d[0] {
	case floating:
		sum := math.Float64frombits(x) + math.Float64frombits(y)
		if d[1] == 4 {
			sum = float64(float32(sum))
		}
		x = math.Float64bits(sum)
	case signed:
		shift := 64 - 8*uint64(d[1]&15)
		x = uint64(int64((x+y)<<shift) >> shift)
	default:
		shift := 64 - 8*uint64(d[1]&15)
		x = (x + y) << shift >> shift
	}
	return binary.LittleEndian.AppendUint64([]byte{d[0], d[1]}, x), nil
}
