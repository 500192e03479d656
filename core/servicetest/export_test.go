package servicetest

// ZeroFields is zeroFields.
func ZeroFields(v any, except ...string) []string { return zeroFields(v, except...) }
