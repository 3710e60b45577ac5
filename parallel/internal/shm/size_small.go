//go:build 386 || arm || mips || mipsle || windows || darwin

package shm

// maxSize is how much room for addresses is asked for first. It is small where
// addresses are few, or where the file behind them lies on a disk.
const maxSize = 1 << 30
