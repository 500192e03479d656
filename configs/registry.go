package configs

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"fanli/adapters/registry"
)

// Registry says where the processes of a split find each other. The password is
// secret, and the URL may hold one.
type Registry struct {
	URL         string        `yaml:"url"`
	User        string        `yaml:"user"`
	Password    string        `yaml:"password"`
	Prefix      string        `yaml:"prefix"`
	Lease       time.Duration `yaml:"lease"`
	Advertise   string        `yaml:"advertise"`
	Certificate string        `yaml:"certificate"`
	Key         string        `yaml:"key"`
	Authority   string        `yaml:"authority"`
}

// drainMax is the longest that a process may wait for others to notice.
const drainMax = time.Minute

// InRegistry begins an address that the registry knows.
const InRegistry = "registry:"

// Found returns the addresses of what is written in peers.targets or peers.http, and
// whether they count only until the registry has answered.
func (c Config) Found(written string) (first []string, found bool) {
	list, found := strings.CutPrefix(written, InRegistry)
	found = found || written == "" && c.Registry.URL != ""
	for at := range strings.SplitSeq(list, ",") {
		if at = strings.TrimSpace(at); at != "" {
			first = append(first, at)
		}
	}
	return first, found
}

var (
	advertisable = regexp.MustCompile(`^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]+)$`)
	prefixes     = regexp.MustCompile(`^/[A-Za-z0-9._/-]*$`)
)

// checkRegistry checks how processes find each other.
func (c Config) checkRegistry(k *checker) {
	r := c.Registry
	for name, at := range c.Peers.Targets {
		if strings.HasPrefix(at, InRegistry) && r.URL == "" {
			k.bad("peers.targets."+name, "there is no registry: set registry.url, or write static:HOST:PORT,HOST:PORT or dns:///NAME:PORT")
		}
	}
	for name, at := range c.Peers.HTTP {
		c.checkPages(k, name, at)
	}
	if c.Peers.Drain < 0 || c.Peers.Drain > drainMax {
		k.bad("peers.drain", "%v is not between 0s and %v", c.Peers.Drain, drainMax)
	}
	if r.URL != "" && registry.CheckURL(r.URL) != nil {
		k.bad("registry.url", "it cannot be read: write etcd://HOST:PORT,HOST:PORT or etcds://…, with %%40 for an @ in the password")
	}
	user, password := registry.Account(r.URL)
	if user != "" && r.User != "" || password && r.Password != "" {
		k.bad("registry.user", "user and password stand in registry.url already")
	}
	if (user == "" && r.User == "") != (!password && r.Password == "") {
		k.bad("registry.password", "user and password are given together, or none of them")
	}
	if !prefixes.MatchString(r.Prefix) {
		k.bad("registry.prefix", "%q is not a beginning of keys such as /fanli/", r.Prefix)
	}
	if r.Lease < registry.LeaseMin || r.Lease > registry.LeaseMax || r.Lease%time.Second != 0 {
		k.bad("registry.lease", "%v is not between %v and %v, in whole seconds", r.Lease, registry.LeaseMin, registry.LeaseMax)
	}
	if r.Advertise != "" && !advertisable.MatchString(r.Advertise) {
		k.bad("registry.advertise", "%q is not a host: write a name or an address, without a port", r.Advertise)
	}
	if (r.Certificate == "") != (r.Key == "") {
		k.bad("registry.certificate", "certificate and key are given together, or none of them")
	}
	if (r.Certificate != "" || r.Authority != "") && !strings.HasPrefix(r.URL, "etcds:") {
		k.bad("registry.certificate", "certificates are for an etcd at etcds://…")
	}
}

// checkPages checks where a target serves pages.
func (c Config) checkPages(k *checker, name, at string) {
	path := "peers.http." + name
	first, found := c.Found(at)
	ok := (name == "bot" || name == "payment") && (found || len(first) > 0)
	for _, a := range first {
		u, err := url.Parse(a)
		ok = ok && err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
	}
	switch {
	case !ok:
		k.bad(path, "the gateway hands on to bot and payment only, each at an address such as http://bot:8080, or several with commas between them")
	case found && c.Registry.URL == "":
		k.bad(path, "there is no registry: set registry.url, or write an address such as http://bot:8080")
	}
}
