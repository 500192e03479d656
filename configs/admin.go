package configs

import "net"

// Admin says where operators look at a process. The token is secret.
type Admin struct {
	Listen string `yaml:"listen"`
	Token  string `yaml:"token"`
}

// String keeps the token out of logs.
func (a Admin) String() string { return "admin port at " + a.Listen }

// GoString is String.
func (a Admin) GoString() string { return a.String() }

func (c Config) checkAdmin(k *checker) {
	a := c.Admin
	if a.Listen == "" {
		if a.Token != "" {
			k.bad("admin.listen", "there is a token and no address; write 127.0.0.1:9100, or leave the token out")
		}
		return
	}
	if _, _, err := net.SplitHostPort(a.Listen); err != nil {
		k.bad("admin.listen", "%q is not an address such as 127.0.0.1:9100", a.Listen)
	}
	if a.Listen == c.Listen || a.Listen == c.Peers.Listen {
		k.bad("admin.listen", "%q serves others already; metrics and profiles are not for them", a.Listen)
	}
	if a.Token != "" && len(a.Token) < tokenMin {
		k.bad("admin.token", "a token has %d bytes or more", tokenMin)
	}
}
