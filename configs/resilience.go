package configs

import (
	"maps"
	"slices"
	"strings"
	"time"

	"fanli/adapters/guard"
	"fanli/core/ladder"
)

// Resilience says what happens while something that we need is away.
type Resilience struct {
	Defaults     guard.LineOptions            `yaml:"defaults"`
	Dependencies map[string]guard.LineOptions `yaml:"dependencies"`
	Ladder       []Rung                       `yaml:"ladder"`
	Shed         guard.DoorOptions            `yaml:"shed"`
}

// A Rung is ladder.Rung as people write it.
type Rung struct {
	Name   string        `yaml:"name"`
	Effect string        `yaml:"effect"`
	Of     []string      `yaml:"of"`
	Slow   time.Duration `yaml:"slow"`
	Load   int           `yaml:"load"`
	After  time.Duration `yaml:"after"`
	Back   time.Duration `yaml:"back"`
}

// rungsMax bounds the ladder: more nobody keeps in mind.
const rungsMax = 20

// payerKind begins the names of payers among dependencies.
const payerKind = "payer/"

// pages are what a gateway hands requests on to.
func pages() []string { return []string{"pages/bot", "pages/payment", "pages/*"} }

// Line returns how a dependency is called: what is said of it, of all of its kind,
// and of all.
func (r Resilience) Line(name string) guard.LineOptions {
	kind := guard.LineOptions{}
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		kind = r.Dependencies[name[:i+1]+"*"]
	}
	return r.Dependencies[name].Over(kind.Over(r.Defaults))
}

// Rungs returns what package ladder works with.
func (r Resilience) Rungs() []ladder.Rung {
	out := make([]ladder.Rung, len(r.Ladder))
	for i, g := range r.Ladder {
		out[i] = ladder.Rung{Name: g.Name, Effect: ladder.Effect(g.Effect), Of: g.Of, Slow: g.Slow, Load: g.Load, After: g.After, Back: g.Back}
	}
	return out
}

func (r Resilience) check(k *checker) {
	k.part("resilience.defaults", r.Defaults.Validate())
	k.part("resilience.shed", r.Shed.Validate())
	for _, name := range slices.Sorted(maps.Keys(r.Dependencies)) {
		path := join("resilience.dependencies", name)
		switch {
		case strings.HasPrefix(name, "network/"):
			k.bad(path, "how networks are called is said in guard")
		case !slices.Contains(Targets(), name) && !slices.Contains(pages(), name) && !strings.HasPrefix(name, payerKind):
			k.bad(path, "it is none of %s, %s, nor %sNAME", strings.Join(Targets(), ", "), strings.Join(pages(), ", "), payerKind)
		}
		k.part(path, r.Dependencies[name].Validate())
	}
	if len(r.Ladder) > rungsMax {
		k.bad("resilience.ladder", "it has more than %d rungs", rungsMax)
	}
	names := map[string]bool{}
	for _, g := range r.Rungs() {
		if why := g.Validate(); why != "" {
			k.bad("resilience.ladder", "%s", why)
		}
		if names[g.Name] {
			k.bad("resilience.ladder", "there are two rungs %q", g.Name)
		}
		names[g.Name] = true
		for _, of := range g.Of {
			if !slices.Contains(Targets(), of) && !strings.HasPrefix(of, "network/") && !strings.HasPrefix(of, payerKind) {
				k.bad("resilience.ladder", "rung %s: %q is no target, network/NAME or %sNAME", g.Name, of, payerKind)
			}
		}
	}
}
