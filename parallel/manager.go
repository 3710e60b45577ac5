package parallel

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/paragopher/paragopher/parallel/internal/robust"
)

// ErrManagerClosed is what the objects of a manager say after its Close, and when
// the process that it lives in is gone.
var ErrManagerClosed = errors.New("parallel: the manager is closed, or its process is gone")

// A Manager keeps objects for other processes: dictionaries, lists and counters
// of any encodable type and size. They live in the process that made the manager
// and are asked by message: by shared memory from processes of the same tree, by
// a socket from others (see ServeManager). What one call does is done as a whole;
// clients that die leave nothing half done.
type Manager struct {
	server *managerServer // nil elsewhere
	client *managerClient // nil in the manager's own process
	accept *Queue[*Pipe[[]byte]]
	bad    error
}

// managerLimit is the longest message in bytes.
const managerLimit = 1 << 30

// NewManager makes a manager in this process. It lives until Close, or as long as
// the process; other processes get at it by its objects, given to them as
// arguments. If there is no shared memory, its objects say so.
func NewManager() *Manager {
	m := &Manager{server: newManagerServer(), accept: NewQueue[*Pipe[[]byte]](64)}
	if m.bad = m.accept.Err(); m.bad == nil {
		managers.Store(m.accept.h.offset, m)
		go m.server.acceptPipes(m.accept)
	}
	return m
}

// managers are those of this process by their queue, and clients of others': facts
// about the process.
var managers, clients sync.Map

// Close ends the manager. Its objects are gone. In processes that are not the
// manager's own it ends their connections only.
func (m *Manager) Close() error {
	if m.client != nil {
		m.client.close()
		return nil
	}
	if m.server == nil {
		return m.bad
	}
	m.server.close()
	if m.accept != nil && m.bad == nil {
		managers.Delete(m.accept.h.offset)
		return m.accept.Close()
	}
	return nil
}

// call sends a request and gives the answer's parts.
func (m *Manager) call(req []byte) (answer, error) {
	if m == nil {
		return nil, errNoMemory
	}
	if m.bad != nil {
		return nil, m.bad
	}
	var resp []byte
	var err error
	if m.server != nil {
		resp = m.server.do(req)
	} else if resp, err = m.client.do(req); err != nil {
		return nil, err
	}
	if len(resp) == 0 {
		return nil, errManagerFrame
	}
	if resp[0] != 0 {
		if text := string(resp[1:]); text == ErrManagerClosed.Error() {
			return nil, ErrManagerClosed
		}
		return nil, errors.New(string(resp[1:]))
	}
	return answer(resp[1:]), nil
}

var errManagerFrame = errors.New("parallel: the manager's message makes no sense")

// GobEncode makes a manager travel as a reference.
func (m *Manager) GobEncode() ([]byte, error) {
	if m.bad != nil {
		return nil, m.bad
	}
	var ref managerRef
	switch {
	case m.client != nil:
		ref = m.client.ref
	case m.accept != nil:
		q, err := m.accept.GobEncode()
		if err != nil {
			return nil, err
		}
		ref.Queue = q
	default:
		return nil, errNoMemory
	}
	var buf bytes.Buffer
	err := gob.NewEncoder(&buf).Encode(ref)
	return buf.Bytes(), err
}

// GobDecode is GobEncode's inverse, in the other process.
func (m *Manager) GobDecode(data []byte) error {
	var ref managerRef
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&ref); err != nil {
		return fmt.Errorf("parallel: these bytes are no Manager: %w", err)
	}
	return m.adopt(ref)
}

func (m *Manager) adopt(ref managerRef) error {
	if ref.Queue != nil {
		q := new(Queue[*Pipe[[]byte]])
		if err := q.GobDecode(ref.Queue); err != nil {
			return err
		}
		if own, ok := managers.Load(q.h.offset); ok { // it has come home
			o := own.(*Manager)
			m.server, m.accept, m.client = o.server, o.accept, nil
			return nil
		}
		m.accept = q
	}
	key := string(ref.Queue) + "|" + ref.Network + "|" + ref.Addr + "|" + string(ref.Key)
	c, _ := clients.LoadOrStore(key, &managerClient{ref: ref, accept: m.accept, key: key})
	m.client, m.server = c.(*managerClient), nil
	return nil
}

// A managerRef is how a manager is reached: by a queue for new connections in
// shared memory, or by address.
type managerRef struct {
	Queue         []byte
	Network, Addr string
	Key           []byte
}

// A managerLine carries one request at a time.
type managerLine interface {
	exchange(req []byte) ([]byte, error)
	close()
}

// maxLines is how many requests of a process are on their way at once; more wait.
const maxLines = 8

// A managerClient is this process's side of a manager elsewhere.
type managerClient struct {
	ref    managerRef
	key    string
	accept *Queue[*Pipe[[]byte]]
	dial   func() (net.Conn, error) // if there is a way of the user's own

	once  sync.Once
	slots chan struct{}
	mu    sync.Mutex
	idle  []managerLine
}

func (c *managerClient) do(req []byte) ([]byte, error) {
	c.once.Do(func() { c.slots = make(chan struct{}, maxLines) })
	c.slots <- struct{}{}
	defer func() { <-c.slots }()
	c.mu.Lock()
	var line managerLine
	if n := len(c.idle); n > 0 {
		line, c.idle = c.idle[n-1], c.idle[:n-1]
	}
	c.mu.Unlock()
	var err error
	if line == nil {
		if line, err = c.connect(); err != nil {
			return nil, err
		}
	}
	resp, err := line.exchange(req)
	if err != nil {
		line.close()
		return nil, err
	}
	c.mu.Lock()
	c.idle = append(c.idle, line)
	c.mu.Unlock()
	return resp, nil
}

func (c *managerClient) connect() (managerLine, error) {
	if c.accept == nil {
		return c.connectSocket()
	}
	mine, theirs := newPipe[[]byte](4)
	if err := mine.out.Err(); err != nil {
		return nil, err
	}
	if _, err := mine.use(inward); err != nil { // so that the manager knows whose death to look for
		return nil, err
	}
	if err := c.accept.Put(theirs); err != nil {
		return nil, ErrManagerClosed
	}
	return pipeLine{mine, c.accept}, nil
}

func (c *managerClient) close() {
	clients.Delete(c.key)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.idle {
		l.close()
	}
	c.idle = nil
}

type pipeLine struct {
	p      *Pipe[[]byte]
	accept *Queue[*Pipe[[]byte]]
}

func (l pipeLine) exchange(req []byte) ([]byte, error) {
	if err := l.p.Send(req); err != nil {
		return nil, ErrManagerClosed
	}
	r, err := l.p.use(inward)
	if err != nil {
		return nil, err
	}
	resp, err := getItem[[]byte](r, context.Background(), false, func() error {
		// The manager may have gone before it took this connection up.
		head := l.accept.q.head
		if owner := head.Users[0].Load(); head.Closed.Load() != 0 || owner != 0 && !robust.Alive(owner) {
			return ErrManagerClosed
		}
		return nil
	})
	if err == ErrQueueClosed {
		err = ErrManagerClosed
	}
	return resp, err
}

func (l pipeLine) close() { _ = l.p.Close() } // there is nobody to tell

// A managerServer is where a manager's objects are.
type managerServer struct {
	mu        sync.Mutex
	objects   map[uint64]*managed
	names     map[string]uint64
	last      uint64
	closed    atomic.Bool
	pipes     map[*Pipe[[]byte]]bool
	listeners []net.Listener
	conns     map[net.Conn]bool
}

func newManagerServer() *managerServer {
	return &managerServer{objects: map[uint64]*managed{}, names: map[string]uint64{}, pipes: map[*Pipe[[]byte]]bool{}, conns: map[net.Conn]bool{}}
}

func (s *managerServer) acceptPipes(q *Queue[*Pipe[[]byte]]) {
	// Whose death clients look for, before they have a connection.
	q.q.head.Users[0].Store(uint32(q.q.me))
	for {
		p, err := q.Get()
		if errors.Is(err, ErrQueueClosed) {
			return
		}
		if err != nil || p == nil {
			continue
		}
		s.mu.Lock()
		s.pipes[p] = true
		s.mu.Unlock()
		go s.servePipe(p)
	}
}

func (s *managerServer) servePipe(p *Pipe[[]byte]) {
	for !s.closed.Load() {
		req, err := p.Recv()
		if err == nil {
			err = p.Send(s.do(req))
		}
		if err != nil { // closed, or its process has died
			break
		}
	}
	s.mu.Lock()
	delete(s.pipes, p)
	s.mu.Unlock()
	_ = p.Close() // there is nobody to tell
}

func (s *managerServer) close() {
	s.closed.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.pipes {
		_ = p.Close()
	}
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.objects, s.names = map[uint64]*managed{}, map[string]uint64{}
}

// A request is an operation, the object's number and parts; an answer is parts.
type answer []byte

func request(op byte, id uint64, parts ...[]byte) []byte {
	n := 9
	for _, p := range parts {
		n += len(p) + binary.MaxVarintLen32
	}
	req := make([]byte, 0, n)
	req = binary.LittleEndian.AppendUint64(append(req, op), id)
	for _, p := range parts {
		req = appendPart(req, p)
	}
	return req
}

func appendPart(b, part []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(part))), part...)
}

// part takes the first part off; ok is false if there is none.
func (a *answer) part() (p []byte, ok bool) {
	n, k := binary.Uvarint(*a)
	if k <= 0 || n > uint64(len(*a)-k) {
		return nil, false
	}
	p = (*a)[k : k+int(n) : k+int(n)]
	*a = (*a)[k+int(n):]
	return p, true
}

func (a *answer) number() (uint64, bool) {
	p, ok := a.part()
	if !ok || len(p) != 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(p), true
}

func number(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }
