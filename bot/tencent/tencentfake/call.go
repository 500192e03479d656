package tencentfake

import (
	"net"
	"net/http"
	"net/url"
	"time"
)

// A Call is one that was made, for tests that look.
type Call struct {
	Path  string
	Query url.Values
	Body  []byte
	Code  int // the errcode that was answered; 0 is well
	At    time.Time
}

// Caller is the address that a call comes from.
func Caller(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
