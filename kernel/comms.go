package kernel

import "github.com/paragopher/paragopher/kernel/wire"

// Comms are the two-way channels between objects in the kernel and widgets in a
// front end ("Custom messages").
type Comms interface {
	// Open gives the comms that are open, from ID to target name: those of one
	// target, or all for "".
	Open(target string) map[string]string
	// Handle takes a comm_open, comm_msg or comm_close; what it answers goes to
	// publish.
	Handle(m *wire.Message, publish func(msgType string, content any)) error
}

// NoComms has no targets: it closes at once what a front end opens, as the
// protocol asks for targets that are not known.
type NoComms struct{}

// Open gives none.
func (NoComms) Open(string) map[string]string { return nil }

// Handle answers comm_open with comm_close.
func (NoComms) Handle(m *wire.Message, publish func(msgType string, content any)) error {
	if m.Header.Type != "comm_open" {
		return nil
	}
	var open struct {
		ID string `json:"comm_id"`
	}
	if err := m.Decode(&open); err != nil {
		return err
	}
	publish("comm_close", map[string]any{"comm_id": open.ID, "data": map[string]any{}})
	return nil
}
