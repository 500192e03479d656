package wechatfake

import (
	"net/http"

	"fanli/bot/tencent/tencentfake"
)

// A Fault is what happens to a call instead of the right answer.
type Fault = tencentfake.Fault

// Busy is the platform that says it is busy.
func Busy() Fault { return tencentfake.Busy() }

// BadGateway is something on the way that answers with a page.
func BadGateway() Fault { return tencentfake.BadGateway() }

// Fail makes the next calls of a path fail, times times; "*" is any path. A path may be
// told several faults, one after the other.
func (s *Server) Fail(path string, times int, f Fault) { s.faults.Add(path, times, f) }

// Heal takes back all faults that have not happened yet.
func (s *Server) Heal() { s.faults.Heal() }

// Local returns a client whose requests are answered by a handler in this process,
// whatever their address: for our calls to the platform, and for its to us.
func Local(to http.Handler) *http.Client { return tencentfake.Local(to) }

// random returns n random letters and digits.
func random(n int) string { return tencentfake.Random(n) }
