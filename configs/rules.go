package configs

import (
	"errors"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"fanli/core/credit"
	"fanli/core/money"
	"fanli/core/rebate"
)

// Rebate is rebate.Rules as people write them, and what pays for them.
type Rebate struct {
	Base       Percent            `yaml:"base"`
	Fee        Percent            `yaml:"fee"`
	Levels     map[int]Percent    `yaml:"levels"`
	Networks   map[string]Percent `yaml:"networks"`
	Categories map[string]Percent `yaml:"categories"`
	Cap        Yuan               `yaml:"cap"`
	Minimum    Yuan               `yaml:"minimum"`
	HoldDays   map[string]int     `yaml:"hold_days"`

	List         []Rule            `yaml:"rules"`
	Referral     Referral          `yaml:"referral"`
	Settle       string            `yaml:"settle"`
	SettleBudget string            `yaml:"settle_budget"`
	Budgets      map[string]Budget `yaml:"budgets"`
	CheckIn      CheckIn           `yaml:"checkin"`
	Invitation   Invitation        `yaml:"invitation"`
	WriteOff     Yuan              `yaml:"write_off"`
}

// Rule is rebate.Rule as people write it.
type Rule struct {
	Name    string `yaml:"name"`
	Mode    string `yaml:"mode"`
	When    When   `yaml:"when"`
	Give    Give   `yaml:"give"`
	Minimum Yuan   `yaml:"minimum"`
	Cap     Yuan   `yaml:"cap"`
	Round   Yuan   `yaml:"round"`
	Budget  string `yaml:"budget"`
	UserCap Yuan   `yaml:"user_cap"`
}

// When is rebate.When as people write it.
type When struct {
	Networks   []string `yaml:"networks"`
	Categories []string `yaml:"categories"`
	Shops      []string `yaml:"shops"`
	Items      []string `yaml:"items"`
	Users      []int64  `yaml:"users"`
	LevelFrom  int      `yaml:"level_from"`
	LevelTo    int      `yaml:"level_to"`
	LevelOnly  bool     `yaml:"level_only"`
	Inviter    string   `yaml:"inviter"`
	From       Moment   `yaml:"from"`
	Until      Moment   `yaml:"until"`
	PriceFrom  Yuan     `yaml:"price_from"`
	PriceUntil Yuan     `yaml:"price_until"`
}

// Give is rebate.Give as people write it.
type Give struct {
	Commission Percent `yaml:"commission"`
	Price      Percent `yaml:"price"`
	Fixed      Yuan    `yaml:"fixed"`
	Tiers      []Tier  `yaml:"tiers"`
	Rebate     Percent `yaml:"rebate"`
}

// Tier is rebate.Tier as people write it.
type Tier struct {
	From  Yuan    `yaml:"from"`
	Share Percent `yaml:"share"`
}

// Referral is rebate.Referral as people write it.
type Referral struct {
	First  Percent `yaml:"first"`
	Second Percent `yaml:"second"`
}

// Budget is credit.Budget as people write it.
type Budget struct {
	Day   Yuan `yaml:"day"`
	Month Yuan `yaml:"month"`
	Total Yuan `yaml:"total"`
}

// CheckIn says what a check-in brings, once a day.
type CheckIn struct {
	Amount Yuan   `yaml:"amount"`
	Budget string `yaml:"budget"`
}

// Invitation is credit.Invitation as people write it.
type Invitation struct {
	Inviter Yuan   `yaml:"inviter"`
	Invited Yuan   `yaml:"invited"`
	Budget  string `yaml:"budget"`
}

// Gift returns what package credit works with.
func (i Invitation) Gift() credit.Invitation {
	return credit.Invitation{Inviter: money.Fen(i.Inviter), Invited: money.Fen(i.Invited), Budget: i.Budget}
}

// check refuses what no budget pays, or nobody can mean.
func (i Invitation) check(k *checker, budgets map[string]Budget) {
	for name, n := range map[string]Yuan{"inviter": i.Inviter, "invited": i.Invited} {
		if n < 0 || n > invitationMax {
			k.bad("rebate.invitation."+name, "%s is not between 0 and %s", money.Fen(n), money.Fen(invitationMax))
		}
	}
	if _, ok := budgets[i.Budget]; i.Inviter+i.Invited > 0 && !ok {
		k.bad("rebate.invitation.budget", "there is no budget %q", i.Budget)
	}
}

// A Moment is written as 2026-11-11 or 2026-11-11 20:00, in Beijing, where the
// shops are.
type Moment time.Time

// UnmarshalYAML reads a moment.
func (m *Moment) UnmarshalYAML(n *yaml.Node) error {
	beijing := time.FixedZone("UTC+8", 8*60*60)
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(form, n.Value, beijing); err == nil && n.Kind == yaml.ScalarNode {
			*m = Moment(t.UTC())
			return nil
		}
	}
	return typeError(n, shown(n)+" is not a moment in Beijing such as 2026-11-11 or 2026-11-11 20:00")
}

// Rules returns what package rebate works with.
func (r Rebate) Rules() rebate.Rules {
	out := rebate.Rules{
		Base: money.Bps(r.Base), Fee: money.Bps(r.Fee), Cap: money.Fen(r.Cap), Minimum: money.Fen(r.Minimum),
		Levels: rates(r.Levels), Networks: rates(r.Networks), Categories: rates(r.Categories), HoldDays: map[string]int{},
		Referral: rebate.Referral{First: money.Bps(r.Referral.First), Second: money.Bps(r.Referral.Second)},
		Settle:   rebate.Settle(r.Settle), SettleBudget: r.SettleBudget, Budgets: slices.Sorted(maps.Keys(r.Budgets)),
	}
	if out.Settle == rebate.SettleActual {
		out.Settle = ""
	}
	for k, v := range r.HoldDays {
		if k == "default" {
			k = ""
		}
		out.HoldDays[k] = v
	}
	for _, rule := range r.List {
		out.List = append(out.List, rule.rule())
	}
	return out
}

func (r Rule) rule() rebate.Rule {
	w := r.When
	out := rebate.Rule{
		Name: r.Name, Mode: rebate.Mode(r.Mode), Minimum: money.Fen(r.Minimum), Cap: money.Fen(r.Cap), Round: money.Fen(r.Round), Budget: r.Budget,
		UserCap: money.Fen(r.UserCap),
		When: rebate.When{
			Networks: w.Networks, Categories: w.Categories, Shops: w.Shops, Items: w.Items, Users: w.Users, LevelFrom: w.LevelFrom, LevelTo: w.LevelTo, LevelOnly: w.LevelOnly, Inviter: w.Inviter,
			From: time.Time(w.From), Until: time.Time(w.Until), PriceFrom: money.Fen(w.PriceFrom), PriceUntil: money.Fen(w.PriceUntil),
		},
		Give: rebate.Give{Commission: money.Bps(r.Give.Commission), Price: money.Bps(r.Give.Price), Fixed: money.Fen(r.Give.Fixed), Rebate: money.Bps(r.Give.Rebate)},
	}
	for _, t := range r.Give.Tiers {
		out.Give.Tiers = append(out.Give.Tiers, rebate.Tier{From: money.Fen(t.From), Share: money.Bps(t.Share)})
	}
	return out
}

// Limits returns the budgets as package credit works with them.
func (r Rebate) Limits() map[string]credit.Budget {
	out := make(map[string]credit.Budget, len(r.Budgets))
	for name, b := range r.Budgets {
		out[name] = credit.Budget{Day: money.Fen(b.Day), Month: money.Fen(b.Month), Total: money.Fen(b.Total)}
	}
	return out
}

func rates[K comparable](m map[K]Percent) map[K]money.Bps {
	out := make(map[K]money.Bps, len(m))
	for k, v := range m {
		out[k] = money.Bps(v)
	}
	return out
}

// Bounds of what is given away without an order.
const (
	checkInMax    Yuan = 10_00
	invitationMax Yuan = 100_00
	writeOffMax   Yuan = 100_000_00
)

func (c Config) checkRebate(k *checker) {
	r := c.Rebate
	k.part("rebate", r.Rules().Validate())
	if r.Minimum > dustMax {
		k.bad("rebate.minimum", "%s is more than %s: hardly any order would bring anything", money.Fen(r.Minimum), money.Fen(dustMax))
	}
	knownNetworks(k, "rebate.networks", r.Networks)
	knownNetworks(k, "rebate.hold_days", r.HoldDays, "default")
	for name, b := range r.Limits() {
		if err := b.Validate(); err != nil {
			k.bad(join("rebate.budgets", name), "%v", err)
		}
	}
	if r.CheckIn.Amount < 0 || r.CheckIn.Amount > checkInMax {
		k.bad("rebate.checkin.amount", "%s is not between 0 and %s", money.Fen(r.CheckIn.Amount), money.Fen(checkInMax))
	}
	if _, ok := r.Budgets[r.CheckIn.Budget]; r.CheckIn.Amount > 0 && !ok {
		k.bad("rebate.checkin.budget", "there is no budget %q", r.CheckIn.Budget)
	}
	r.Invitation.check(k, r.Budgets)
	if r.WriteOff < 0 || r.WriteOff > writeOffMax {
		k.bad("rebate.write_off", "%s is not between 0 and %s", money.Fen(r.WriteOff), money.Fen(writeOffMax))
	}
}

// LoadRules reads rules from a file that is a configuration with nothing but its
// rebate section. What the file leaves out is as in default.yaml; budgets, check-ins
// and write-offs are those of c, where they are in force. The error joins every
// [MistakeError].
func (c Config) LoadRules(path string) (rebate.Rules, error) {
	text, err := readFile(path)
	if err != nil {
		return rebate.Rules{}, err
	}
	own, err := parse(text)
	if err != nil {
		return rebate.Rules{}, err
	}
	base, err := parse(Default)
	if err != nil {
		return rebate.Rules{}, err
	}
	t := newTree(base)
	t.lay(own)
	t.onlyRules(own)
	var in Config
	t.read(&in)
	in.Rebate.Budgets, in.Rebate.CheckIn, in.Rebate.WriteOff = c.Rebate.Budgets, c.Rebate.CheckIn, c.Rebate.WriteOff
	in.Rebate.Invitation = c.Rebate.Invitation
	k := &checker{t: t}
	in.checkRebate(k)
	t.errs = append(t.errs, k.errs...)
	return in.Rebate.Rules(), errors.Join(t.mistakes()...)
}

// onlyRules refuses what has no effect in a file of rules.
func (t *tree) onlyRules(own *yaml.Node) {
	if own == nil || find(own, "rebate") < 0 {
		t.bad("rebate", "the file has no rules: they stand under rebate, as in a configuration")
		return
	}
	for i := 0; i+1 < len(own.Content); i += 2 {
		if key := own.Content[i].Value; key != "rebate" {
			t.bad(key, "it is no part of the rules; the configuration says it")
			continue
		}
		for _, key := range []string{"budgets", "checkin", "invitation", "write_off"} {
			if find(own.Content[i+1], key) >= 0 {
				t.bad("rebate."+key, "it is not versioned; the configuration says it")
			}
		}
	}
}
