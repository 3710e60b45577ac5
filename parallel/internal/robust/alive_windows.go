package robust

// alive is true: locks are this process's own there.
func alive(uint32) bool { return true }
