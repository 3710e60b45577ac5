package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"sync"
)

// delimiter parts the routing identities from the message.
const delimiter = "<IDS|MSG>"

// Why a message is refused; the errors of Decode wrap one of these.
var (
	ErrFrames    = errors.New("malformed message")
	ErrSignature = errors.New("wrong signature")
	ErrReplay    = errors.New("message seen before")
)

// replayMemory is how many signatures are remembered at least, in order to
// recognise a message that is sent again.
const replayMemory = 32768

// Signer turns messages into frames and back. With a key it signs what it
// writes and refuses what is not signed by that key or was read before;
// without one it neither signs nor checks, as the protocol has it. It may be
// used by several goroutines.
type Signer struct {
	key  []byte
	pool sync.Pool // of hash.Hash, keyed

	mu       sync.Mutex
	seen     map[[sha256.Size]byte]struct{}
	seenLong map[[sha256.Size]byte]struct{} // the generation before seen
}

// NewSigner gives a signer for the connection's key.
func NewSigner(key string) *Signer {
	s := &Signer{key: []byte(key), seen: map[[sha256.Size]byte]struct{}{}}
	s.pool.New = func() any { return hmac.New(sha256.New, s.key) }
	return s
}

// sum gives the signature of the four JSON frames.
func (s *Signer) sum(frames [][]byte) (sum [sha256.Size]byte) {
	mac := s.pool.Get().(hash.Hash)
	mac.Reset()
	for _, f := range frames {
		mac.Write(f)
	}
	mac.Sum(sum[:0])
	s.pool.Put(mac)
	return sum
}

// Encode gives the frames of m, identities first.
func (s *Signer) Encode(m *Message) ([][]byte, error) {
	header, err := json.Marshal(m.Header)
	if err != nil {
		return nil, fmt.Errorf("wire: encode the header of %s: %w", m.Header.Type, err)
	}
	parent, err := json.Marshal(m.Parent)
	if err != nil {
		return nil, fmt.Errorf("wire: encode the parent header of %s: %w", m.Header.Type, err)
	}
	frames := make([][]byte, 0, len(m.Identities)+6+len(m.Buffers))
	frames = append(frames, m.Identities...)
	frames = append(frames, []byte(delimiter), nil, header, parent, orEmpty(m.Metadata), orEmpty(m.Content))
	at := len(m.Identities) + 1
	if len(s.key) > 0 {
		sum := s.sum(frames[at+1 : at+5])
		frames[at] = hex.AppendEncode(nil, sum[:])
	}
	return append(frames, m.Buffers...), nil
}

func orEmpty(b json.RawMessage) []byte {
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

// Decode reads a message from its frames and checks its signature. Its errors
// wrap ErrFrames, ErrSignature or ErrReplay.
func (s *Signer) Decode(frames [][]byte) (*Message, error) {
	at := 0
	for at < len(frames) && string(frames[at]) != delimiter {
		at++
	}
	if at == len(frames) {
		return nil, fmt.Errorf("%w: no %s among its %d frames", ErrFrames, delimiter, len(frames))
	}
	body := frames[at+1:]
	if len(body) < 5 {
		return nil, fmt.Errorf("%w: %d frames after %s, want at least 5", ErrFrames, len(body), delimiter)
	}
	if err := s.check(body[0], body[1:5]); err != nil {
		return nil, err
	}
	m := &Message{Identities: frames[:at:at], Metadata: body[3], Content: body[4], Buffers: body[5:]}
	if err := json.Unmarshal(body[1], &m.Header); err != nil {
		return nil, fmt.Errorf("%w: header: %v", ErrFrames, err)
	}
	if m.Header.Type == "" {
		return nil, fmt.Errorf("%w: the header has no msg_type", ErrFrames)
	}
	if err := json.Unmarshal(body[2], &m.Parent); err != nil {
		return nil, fmt.Errorf("%w: parent header of %s: %v", ErrFrames, m.Header.Type, err)
	}
	for _, part := range []struct {
		name string
		json []byte
	}{{"metadata", m.Metadata}, {"content", m.Content}} {
		if text := bytes.TrimLeft(part.json, " \t\r\n"); len(text) == 0 || text[0] != '{' || !json.Valid(text) {
			return nil, fmt.Errorf("%w: %s of %s is not a JSON object", ErrFrames, part.name, m.Header.Type)
		}
	}
	return m, nil
}

func (s *Signer) check(signature []byte, frames [][]byte) error {
	if len(s.key) == 0 {
		return nil
	}
	want := s.sum(frames)
	got := make([]byte, hex.DecodedLen(len(signature)))
	if _, err := hex.Decode(got, signature); err != nil || !hmac.Equal(got, want[:]) {
		return ErrSignature
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, now := s.seen[want]
	_, before := s.seenLong[want]
	if now || before {
		return ErrReplay
	}
	if len(s.seen) >= replayMemory {
		s.seenLong, s.seen = s.seen, map[[sha256.Size]byte]struct{}{}
	}
	s.seen[want] = struct{}{}
	return nil
}
