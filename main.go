package main

import "github.com/paragopher/paragopher/kernel/engine"

func main() {
	engine.Main()
}
