// Package wire carries Jupyter messages over ZeroMQ: how a message is framed
// and signed, what a connection file says, and both ends of the five sockets.
//
// The ZMTP connections are those of github.com/go-zeromq/zmq4; its sockets are
// not used, because a peer that misbehaves can stop or crash them (see peer.go).
package wire

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// ProtocolVersion is the version of the Jupyter messaging protocol in which
// messages are written.
const ProtocolVersion = "5.3"

// Message is one Jupyter message ("The Jupyter messaging protocol", general
// message format).
type Message struct {
	// Identities are the routing prefix: on a router socket the peer that sent
	// the message or is to get it, on the publishing socket its topic.
	Identities [][]byte
	Header     Header
	Parent     Header // the header of the request that caused this message; zero for none
	Metadata   json.RawMessage
	Content    json.RawMessage
	Buffers    [][]byte
}

// Header says what a message is and where it comes from. One that was received
// is written again byte for byte, so that fields which are not listed here
// survive in the parent header of an answer; treat it as immutable.
type Header struct {
	ID       string `json:"msg_id"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Date     string `json:"date"`
	Type     string `json:"msg_type"`
	Version  string `json:"version"`

	raw json.RawMessage
}

// plainHeader is Header without its methods.
type plainHeader Header

// IsZero tells whether there is no header, as in an empty parent header.
func (h Header) IsZero() bool { return h.ID == "" && h.Type == "" && len(h.raw) == 0 }

// MarshalJSON writes the header, {} for none.
func (h Header) MarshalJSON() ([]byte, error) {
	switch {
	case len(h.raw) > 0:
		return h.raw, nil
	case h.IsZero():
		return []byte("{}"), nil
	}
	return json.Marshal(plainHeader(h))
}

// UnmarshalJSON reads a header and remembers its bytes.
func (h *Header) UnmarshalJSON(data []byte) error {
	*h = Header{}
	if err := json.Unmarshal(data, (*plainHeader)(h)); err != nil {
		return err
	}
	if data = bytes.TrimSpace(data); !bytes.Equal(data, []byte("{}")) && !bytes.Equal(data, []byte("null")) {
		h.raw = bytes.Clone(data)
	}
	return nil
}

// Session names one run of a kernel or client in the headers of its messages.
type Session struct {
	ID       string
	Username string
}

// NewSession gives a session with a fresh random ID.
func NewSession(username string) Session { return Session{ID: NewID(), Username: username} }

// NewID gives a random identifier of 32 hexadecimal digits.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails (crypto/rand)
	return hex.EncodeToString(b[:])
}

// New makes a message. The content is whatever encoding/json makes an object
// of; nil is the empty object. It fails if the content cannot be encoded.
func (s Session) New(msgType string, parent Header, content any) (*Message, error) {
	body := json.RawMessage("{}")
	if content != nil {
		var err error
		if body, err = json.Marshal(content); err != nil {
			return nil, fmt.Errorf("wire: encode the content of %s: %w", msgType, err)
		}
	}
	return &Message{
		Header: Header{
			ID: NewID(), Session: s.ID, Username: s.Username, Type: msgType, Version: ProtocolVersion,
			Date: time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"),
		},
		Parent:  parent,
		Content: body,
	}, nil
}

// Decode reads the content into v.
func (m *Message) Decode(v any) error {
	if err := json.Unmarshal(m.Content, v); err != nil {
		return fmt.Errorf("wire: content of %s: %w", m.Header.Type, err)
	}
	return nil
}
