package endpoint_test

import (
	"testing"

	"fanli/core/endpoint"
)

func TestSafe(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"https://openapi.alipay.com/gateway.do": true,
		"https://gate.example:8443":             true,
		"http://127.0.0.1:8080/fake":            true,
		"http://[::1]:8080":                     true,
		"http://localhost":                      true,
		"":                                      false,
		"gate.example":                          false,
		"https://":                              false,
		"http://gate.example":                   false,
		"http://localhost.example":              false,
		"http://127.0.0.1.example":              false,
		"ftp://127.0.0.1":                       false,
		"https://user@gate.example":             false,
		"https://gate.example?a=1":              false,
		"https://gate.example#a":                false,
		"https://gate.example/%zz":              false,
	}
	for address, want := range tests {
		if got := endpoint.Safe(address); got != want {
			t.Errorf("Safe(%q) = %v", address, got)
		}
	}
}
