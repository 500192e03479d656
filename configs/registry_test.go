package configs_test

import (
	"slices"
	"testing"

	"fanli/configs"
)

// TestRegistries refuses what cannot work, all at once.
func TestRegistries(t *testing.T) {
	t.Parallel()
	wantMistakes(t, "peers:\n  targets: {user: \"registry:\"}\n  http:\n    bot: \"registry:\"\n    payment: \"registry:http://p,ftp://q\"\n  drain: 2m\n", none,
		"line 2: peers.targets.user: there is no registry: set registry.url",
		"line 4: peers.http.bot: there is no registry: set registry.url",
		"line 5: peers.http.payment: the gateway hands on to bot and payment only",
		"line 6: peers.drain: 2m0s is not between 0s and 1m0s",
	)
	wantMistakes(t, "registry: {url: \"etcd://a:b\", user: fanli, prefix: fanli, lease: 1500ms, advertise: \"10.0.0.7:9090\", certificate: c.pem}\n", none,
		"line 1: registry.url: it cannot be read: write etcd://HOST:PORT",
		"line 1: registry.password: user and password are given together",
		`line 1: registry.prefix: "fanli" is not a beginning of keys`,
		"line 1: registry.lease: 1.5s is not between 2s and 1m0s, in whole seconds",
		`line 1: registry.advertise: "10.0.0.7:9090" is not a host`,
		"line 1: registry.certificate: certificate and key are given together",
		"line 1: registry.certificate: certificates are for an etcd at etcds://",
	)
	wantMistakes(t, "registry: {url: \"etcd://u:p@a\", user: fanli, password: p}\n", none, "line 1: registry.user: user and password stand in registry.url already")
}

// TestAddressesThatARegistryKnows says which are looked up.
func TestAddressesThatARegistryKnows(t *testing.T) {
	t.Parallel()
	c, err := configs.Load(file(t, `
registry: {url: "etcds://etcd-0:2379,etcd-1:2379", advertise: "fd00::7", authority: ca.pem}
peers: {targets: {user: "registry:10.0.0.7:9090, 10.0.0.8:9090", order: "", payment: "dns:///payment:9090"}, http: {bot: "http://a:1,http://b:2"}}
`), none)
	if err != nil {
		t.Fatal(err)
	}
	for written, want := range map[string]struct {
		first []string
		found bool
	}{
		c.Peers.Targets["user"]:    {[]string{"10.0.0.7:9090", "10.0.0.8:9090"}, true},
		c.Peers.Targets["rebate"]:  {nil, true},
		"registry:":                {nil, true},
		c.Peers.Targets["payment"]: {[]string{"dns:///payment:9090"}, false},
		c.Peers.HTTP["bot"]:        {[]string{"http://a:1", "http://b:2"}, false},
	} {
		if first, found := c.Found(written); !slices.Equal(first, want.first) || found != want.found {
			t.Errorf("%q: %q, %v", written, first, found)
		}
	}
	if _, found := (configs.Config{}).Found(""); found {
		t.Error("without a registry something is found in it")
	}
}
