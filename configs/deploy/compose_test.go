package deploy_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

// composed reads compose.yaml as Docker does, with a profile.
func composed(t *testing.T, profiles ...string) *types.Project {
	t.Helper()
	o, err := cli.NewProjectOptions([]string{"compose.yaml"}, cli.WithProfiles(profiles), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestComposeWithOneProcess(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	p := composed(t, "one")
	if names := p.ServiceNames(); !slices.Equal(names, []string{"fanli"}) {
		t.Fatalf("it starts %v", names)
	}
	s := p.Services["fanli"]
	env := map[string]string{"FANLI_LISTEN": "0.0.0.0:8080", "FANLI_DATA": t.TempDir()} // of the image
	process{name: "fanli", args: s.Command, env: env}.runs(t)
	if s.Ports[0].Target != 8080 || s.Ports[0].HostIP != "127.0.0.1" {
		t.Errorf("it is reached at %+v", s.Ports)
	}
}

func TestComposeWithASplit(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	p := composed(t, "split")
	targets := []string{"bot", "gateway", "notification", "order", "payment", "rebate", "user"}
	names := slices.Sorted(slices.Values(p.ServiceNames()))
	if want := append(slices.Clone(targets), "etcd", "mysql", "rabbitmq", "redis"); !slices.Equal(names, slices.Sorted(slices.Values(want))) {
		t.Fatalf("it starts %v", names)
	}
	for _, name := range targets {
		s := p.Services[name]
		env := map[string]string{}
		for k, v := range s.Environment {
			if v == nil {
				t.Errorf("%s: %s has no value", name, k)
				continue
			}
			env[k] = *v
		}
		if env["FANLI_TARGETS"] != name || env["FANLI_REGISTRY_ADVERTISE"] != name {
			t.Errorf("%s runs %q and is found as %q", name, env["FANLI_TARGETS"], env["FANLI_REGISTRY_ADVERTISE"])
		}
		env["FANLI_DATA"] = t.TempDir() // of the image
		process{name: name, args: s.Command, env: env}.runs(t)
		for on := range s.DependsOn {
			if p.Services[on].HealthCheck == nil {
				t.Errorf("%s waits for %s, which never says that it is well", name, on)
			}
		}
		for _, port := range s.Ports {
			if env["FANLI_LISTEN"] != fmt.Sprintf("0.0.0.0:%d", port.Target) {
				t.Errorf("%s shows port %d and listens on %s", name, port.Target, env["FANLI_LISTEN"])
			}
		}
	}
}
