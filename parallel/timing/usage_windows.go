package timing

import "time"

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }
