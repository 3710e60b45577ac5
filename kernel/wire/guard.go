package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
)

// Bounds on what a peer may make us hold in memory.
const (
	maxMessage  = 512 << 20 // bytes of one message, over all its frames
	maxGreeting = 64 << 10  // bytes of one frame before the handshake is done
	maxFrames   = 1 << 16   // frames of one message
)

// ZMTP's frame flags (rfc.zeromq.org/spec:23/ZMTP, framing).
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

// guard stands between the network and zmq4.Conn. On the way in it follows the
// frames and refuses sizes that zmq4 would allocate, or panic on, unseen; it
// answers pings, which zmq4 would write into the middle of a message. On the
// way out it gathers the many small writes that zmq4 makes for a message.
//
// One goroutine reads, one writes.
type guard struct {
	net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
	ping func(context []byte) // called by the reader; context belongs to the callee

	ready    bool   // the handshake is done
	greeting int    // bytes of the greeting still to come
	header   []byte // bytes of the current frame's header still to hand on
	body     uint64 // bytes of the current frame still to come
	frames   int    // of the current message so far
	total    uint64 // bytes of the current message so far
}

func newGuard(c net.Conn) *guard {
	return &guard{Conn: c, in: bufio.NewReaderSize(c, 64<<10), out: bufio.NewWriterSize(c, 64<<10), greeting: 64}
}

func (g *guard) Write(p []byte) (int, error) { return g.out.Write(p) }

func (g *guard) Read(p []byte) (int, error) {
	if !g.ready {
		// The handshake is a dialogue in one goroutine: what was said must be on its way.
		if err := g.out.Flush(); err != nil {
			return 0, err
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch {
		case g.greeting > 0:
			n, err := g.in.Read(p[:min(len(p), g.greeting)])
			g.greeting -= n
			return n, err
		case len(g.header) > 0:
			n := copy(p, g.header)
			g.header = g.header[n:]
			return n, nil
		case g.body > 0:
			n, err := g.in.Read(p[:min(uint64(len(p)), g.body)])
			g.body -= uint64(n)
			return n, err
		}
		if err := g.next(); err != nil {
			return 0, err
		}
	}
}

// next reads the header of a frame; commands that come after the handshake are
// dealt with and not handed on.
func (g *guard) next() error {
	flags, err := g.in.ReadByte()
	if err != nil {
		return err
	}
	if flags&^(flagMore|flagLong|flagCommand) != 0 || flags&(flagMore|flagCommand) == flagMore|flagCommand {
		return fmt.Errorf("not a ZMTP frame (flags %#02x)", flags)
	}
	header := []byte{flags, 0, 0, 0, 0, 0, 0, 0, 0}
	size := header[1:2]
	if flags&flagLong != 0 {
		size = header[1:9]
	}
	for i := range size {
		if size[i], err = g.in.ReadByte(); err != nil {
			return err
		}
	}
	n := uint64(size[0])
	if flags&flagLong != 0 {
		n = binary.BigEndian.Uint64(size)
	}
	if g.ready && flags&flagCommand != 0 {
		return g.command(n)
	}
	limit := uint64(maxMessage)
	if !g.ready {
		limit = maxGreeting
	}
	if n > limit || g.total+n > limit || g.frames >= maxFrames {
		return fmt.Errorf("a message of more than %d bytes or %d frames", limit, maxFrames)
	}
	g.total += n
	g.frames++
	if flags&flagMore == 0 {
		g.total, g.frames = 0, 0
	}
	g.header = header[:1+len(size)]
	g.body = n
	return nil
}

var errLongCommand = errors.New("a ZMTP command of more than 64 KiB")

func (g *guard) command(n uint64) error {
	if n > maxGreeting {
		return errLongCommand
	}
	body := make([]byte, n)
	for read := 0; read < len(body); {
		k, err := g.in.Read(body[read:])
		if err != nil {
			return err
		}
		read += k
	}
	// PING: name (with its length), two bytes of time-to-live, up to 16 of context.
	const ping = "\x04PING"
	if len(body) >= len(ping)+2 && string(body[:len(ping)]) == ping && g.ping != nil {
		g.ping(body[len(ping)+2:])
	}
	return nil
}
