package rpc

// Repeatable is repeatable.
func Repeatable() map[string]bool { return repeatable() }
