package parallel

import "os"

// anonymousFile gives none: values work within the process.
func anonymousFile(int64) (*os.File, error) { return nil, nil }

func mapShared(_ *os.File, size int) ([]byte, error) { return make([]byte, size), nil }
