package wire

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
)

// Channel is one of the five sockets of a kernel.
type Channel int

// The channels, with the socket types of the kernel's side and the client's.
const (
	Shell     Channel = iota // ROUTER, DEALER: requests, in order
	Control                  // ROUTER, DEALER: requests that do not wait for cells
	Stdin                    // ROUTER, DEALER: the kernel asks the client
	IOPub                    // PUB, SUB: what all clients see
	Heartbeat                // REP, REQ: echo
	channels  = 5
)

var channelNames = [channels]string{"shell", "control", "stdin", "iopub", "heartbeat"}

func (c Channel) String() string {
	if c < 0 || c >= channels {
		return fmt.Sprintf("channel %d", int(c))
	}
	return channelNames[c]
}

// Connection says where a kernel listens and with which key its messages are
// signed: the content of a connection file ("Making kernels for Jupyter",
// connection files).
type Connection struct {
	Transport       string `json:"transport"` // tcp or ipc
	IP              string `json:"ip"`        // for ipc: the common beginning of the socket files
	ShellPort       int    `json:"shell_port"`
	ControlPort     int    `json:"control_port"`
	StdinPort       int    `json:"stdin_port"`
	IOPubPort       int    `json:"iopub_port"`
	HeartbeatPort   int    `json:"hb_port"`
	SignatureScheme string `json:"signature_scheme"`
	Key             string `json:"key"` // "" for no signatures
	KernelName      string `json:"kernel_name,omitempty"`
}

// ReadConnection reads a connection file and checks that it can be served.
func ReadConnection(path string) (Connection, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Connection{}, fmt.Errorf("read the connection file: %w", err)
	}
	var c Connection
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("connection file %s: %w", path, err)
	}
	if c.ShellPort == 0 || c.ControlPort == 0 || c.StdinPort == 0 || c.IOPubPort == 0 || c.HeartbeatPort == 0 {
		return c, fmt.Errorf("connection file %s: it must give shell_port, control_port, stdin_port, iopub_port and hb_port", path)
	}
	if err := c.valid(); err != nil {
		return c, fmt.Errorf("connection file %s: %w", path, err)
	}
	return c, nil
}

// Write writes the connection file, readable by the user alone since it holds
// the key. It refuses to overwrite a file.
func (c Connection) Write(path string) error {
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the connection file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the connection file: %w", err)
	}
	_, err = f.Write(append(b, '\n'))
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path)
		return fmt.Errorf("write the connection file: %w", err)
	}
	return nil
}

// NewConnection gives a loopback connection with a fresh key. With tcp the
// ports are free now; nothing keeps them so until the kernel listens. With ipc, dir holds the
// socket files (their paths must stay under about 100 bytes).
func NewConnection(transport, dir string) (Connection, error) {
	c := Connection{Transport: transport, SignatureScheme: "hmac-sha256", Key: NewID()}
	switch transport {
	case "tcp":
		c.IP = "127.0.0.1"
		for ch := range Channel(channels) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return c, fmt.Errorf("find a free port: %w", err)
			}
			// All five stay open until the last is found: no port is given twice.
			defer l.Close()
			*c.port(ch) = l.Addr().(*net.TCPAddr).Port
		}
	case "ipc":
		c.IP = dir + "/s"
		for ch := range Channel(channels) {
			*c.port(ch) = int(ch) + 1
		}
	default:
		return c, c.valid()
	}
	return c, nil
}

func (c *Connection) port(ch Channel) *int {
	return [channels]*int{&c.ShellPort, &c.ControlPort, &c.StdinPort, &c.IOPubPort, &c.HeartbeatPort}[ch]
}

func (c *Connection) valid() error {
	if c.Transport != "tcp" && c.Transport != "ipc" {
		return fmt.Errorf("transport %q is not known (tcp or ipc)", c.Transport)
	}
	if c.Key != "" && c.SignatureScheme != "hmac-sha256" {
		return fmt.Errorf("signature scheme %q is not known (hmac-sha256)", c.SignatureScheme)
	}
	return nil
}

// endpoint gives the network and address of a channel, for package net.
func (c *Connection) endpoint(ch Channel) (network, address string) {
	port := strconv.Itoa(*c.port(ch))
	if c.Transport == "ipc" {
		return "unix", c.IP + "-" + port
	}
	ip := c.IP
	if ip == "*" { // ZeroMQ's name for every interface
		ip = ""
	}
	return "tcp", net.JoinHostPort(ip, port)
}
