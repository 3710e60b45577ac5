package session

import "os"

func privateCopy(f *os.File) (*os.File, error) { return f, nil }

func keep(int) {}
