//go:build !(386 || arm || mips || mipsle || windows || darwin)

package shm

// maxSize is how much room for addresses is asked for first.
const maxSize = 64 << 30
