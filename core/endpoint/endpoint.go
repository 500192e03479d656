// Package endpoint says which addresses of other companies may be called with our
// keys, and believed when they answer.
package endpoint

import (
	"net"
	"net/url"
)

// Safe reports whether signed calls may go to address: it is an https address, or
// an http one on this very machine, without user, query and fragment. An empty
// text is none.
func Safe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}
