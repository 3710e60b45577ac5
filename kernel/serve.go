package kernel

import (
	"context"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/paragopher/paragopher/kernel/engine"
	"github.com/paragopher/paragopher/kernel/wire"
)

// flushTime is how long the last messages may take to leave.
const flushTime = 2 * time.Second

// Serve is a kernel process: it listens where the connection file says and
// answers until it is shut down, by a message, by SIGTERM or SIGHUP, by the end
// of ctx, or because the process that started it is gone. SIGINT interrupts the
// cell that runs. The error says why the kernel could not start or end
// properly.
//
// newEngine is called once the kernel listens; if it fails, cells fail with its
// error. The caller's process must not use standard input or signals itself.
func Serve(ctx context.Context, connectionFile string, newEngine func(engine.Sink) (Engine, error)) error {
	// First of all: clients may interrupt a kernel that is still starting. SIGPIPE
	// is caught so that a log line that nobody reads does not end the kernel.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer signal.Stop(signals)

	where, err := wire.ReadConnection(connectionFile)
	if err != nil {
		return err
	}
	logger := log.New(os.Stderr, "paragopher kernel: ", log.LstdFlags|log.Lmsgprefix)
	server, err := wire.Listen(where, logger)
	if err != nil {
		return err
	}
	k := New(server, newEngine, new(Memory), NoComms{}, logger)

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case s := <-signals:
				switch s {
				case os.Interrupt:
					k.Interrupt()
				case syscall.SIGTERM, syscall.SIGHUP:
					cancel()
				}
			}
		}
	}()
	go func() {
		if orphaned(ctx) {
			logger.Print("the process that started the kernel is gone: shutting down")
			cancel()
		}
	}()
	err = k.Run(ctx)

	last, stop := context.WithTimeout(context.Background(), flushTime)
	defer stop()
	if e := server.Close(last); err == nil {
		err = e
	}
	return err
}
