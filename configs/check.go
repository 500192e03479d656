package configs

import (
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"fanli/adapters/bus"
	"fanli/adapters/store"
	"fanli/core/link"
	"fanli/core/money"
)

// A checker collects mistakes.
type checker struct {
	t    *tree
	errs []mistake
}

func (k *checker) bad(path, format string, args ...any) {
	k.errs = append(k.errs, k.t.found(path, fmt.Sprintf(format, args...), false))
}

// part takes what a package says about its own part: mistakes that begin with
// the name of their key.
func (k *checker) part(path string, err error) {
	if err == nil {
		return
	}
	own := path[strings.LastIndexByte(path, '.')+1:] + ": " // some begin with their own name
	for line := range strings.SplitSeq(err.Error(), "\n") {
		line = strings.TrimPrefix(line, own)
		key, text, found := strings.Cut(line, ": ")
		if !found || strings.ContainsAny(key, " ") {
			k.bad(path, "%s", line)
			continue
		}
		if strings.HasSuffix(key, ".") { // the rules have no name for it
			key += "default"
		}
		k.bad(path+"."+key, "%s", text)
	}
}

// check returns everything that is wrong with the values.
func (c Config) check(t *tree) []mistake {
	k := &checker{t: t}
	if _, err := time.LoadLocation(c.Zone); err != nil || c.Zone == "" {
		k.bad("zone", "%q is not a time zone such as Asia/Shanghai", c.Zone)
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		k.bad("listen", "%q is not an address such as 127.0.0.1:8080", c.Listen)
	}
	if c.Data == "" {
		k.bad("data", "a folder is needed")
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level) {
		k.bad("log.level", "%q is not debug, info, warn or error", c.Log.Level)
	}
	if !slices.Contains([]string{"text", "json"}, c.Log.Format) {
		k.bad("log.format", "%q is not text or json", c.Log.Format)
	}
	c.checkTargets(k)
	c.checkDatabase(k)
	c.checkPeers(k)
	c.checkRedis(k)
	c.checkStaff(k)
	c.checkCentral(k)
	c.checkTimes(k)
	c.checkWebhooks(k)
	k.part("guard", c.Guard.Validate())
	c.Resilience.check(k)
	c.Landing.check(k)
	c.Bot.check(k)
	c.Deals.check(k)
	c.checkActivities(k)
	c.checkMoney(k)
	c.checkCollect(k)
	c.checkNetworks(k)
	c.checkAdmin(k)
	c.checkTrace(k)
	c.checkAPI(k)
	if c.Telegram.Token != "" {
		k.part("telegram", c.Telegram.Validate())
	}
	c.checkWechat(k)
	c.checkWecom(k)
	if !c.Webchat.Enabled && c.Telegram.Token == "" && !c.Wechat.Enabled() && !c.Wecom.Enabled() {
		k.bad("webchat.enabled", "no channel is on: switch the web chat on or set telegram.token, wechat.app_id or wecom.corp_id")
	}
	return k.errs
}

// checkTargets refuses a split that cannot work: targets in several processes need
// databases on a server, each its own.
func (c Config) checkTargets(k *checker) {
	if !c.Split() {
		return
	}
	before := len(k.errs)
	for i, t := range c.Targets {
		switch {
		case t == AllTargets:
			k.bad("targets", "%v: all are all; name no other beside it", c.Targets)
		case !slices.Contains(Targets(), t):
			k.bad("targets", "%q is not all, nor one of %s", t, strings.Join(Targets(), ", "))
		case slices.Contains(c.Targets[:i], t):
			k.bad("targets", "%s is there twice", t)
		}
	}
	if len(k.errs) > before {
		return
	}
	switch {
	case len(c.Targets) == 0:
		k.bad("targets", "nothing would run; leave it at [all]")
	case c.Database.DSN == "":
		k.bad("targets", "%v: SQLite serves one process, which runs all targets; name a server in database.dsn, or leave it at [all]", c.Targets)
	case c.Sandbox():
		k.bad("targets", "%v: the sandbox runs in one process; configure a network, or leave it at [all]", c.Targets)
	case !strings.Contains(c.Database.DSN, TargetMark):
		k.bad("database.dsn", "targets that run apart need a database each: put %s into its name, as in mysql://USER:PASSWORD@HOST:PORT/fanli_%s", TargetMark, TargetMark)
	default:
		c.checkSplit(k)
	}
}

// checkPeers checks what a split needs to hold together.
func (c Config) checkPeers(k *checker) {
	p := c.Peers
	for name, at := range p.Targets {
		if !slices.Contains(Targets(), name) {
			k.bad("peers.targets."+name, "it is none of %s", strings.Join(Targets(), ", "))
		}
		if at == "" && c.Registry.URL == "" {
			k.bad("peers.targets."+name, "write static:HOST:PORT,HOST:PORT or dns:///NAME:PORT, or registry: where there is one")
		}
	}
	c.checkRegistry(k)
	if (p.Certificate == "") != (p.Key == "") || p.Certificate == "" && p.Authority != "" {
		k.bad("peers.certificate", "certificate, key and authority are given together, or none of them")
	}
	if c.Broker.URL != "" && bus.CheckURL(c.Broker.URL) != nil {
		k.bad("broker.url", "it cannot be read: write amqp://USER:PASSWORD@HOST/, redis://…, or kafka://HOST:9092")
	}
	if c.Database.SealKey != "" {
		if b, err := hex.DecodeString(c.Database.SealKey); err != nil || len(b) != sealKeyLen {
			k.bad("database.seal_key", "it is not %d bytes in hexadecimal, as in the file seal.key", sealKeyLen)
		}
	}
}

// checkSplit checks what a process of a split needs to reach the others.
func (c Config) checkSplit(k *checker) {
	if p := c.Peers; len(p.Token) < tokenMin {
		k.bad("peers.token", "targets that run apart share a token of %d bytes or more", tokenMin)
	}
	if _, _, err := net.SplitHostPort(c.Peers.Listen); err != nil && !slices.Equal(c.Targets, []string{"gateway"}) { // which nobody asks
		k.bad("peers.listen", "%q is not an address such as 0.0.0.0:9090, on which the other targets ask this one", c.Peers.Listen)
	}
	if c.Broker.URL == "" {
		k.bad("broker.url", "targets that run apart tell each other by a broker: amqp://…, redis://… or kafka://…")
	}
	if c.Database.SealKey == "" {
		k.bad("database.seal_key", "targets that run apart share the key that seals payout accounts: take it from seal.key, or make one with `openssl rand -hex 32`")
	}
}

// Sizes of what a split shares.
const (
	tokenMin   = 16
	sealKeyLen = 32
)

func (c Config) checkDatabase(k *checker) {
	d := c.Database
	if d.DSN != "" && store.CheckDSN(d.DSN) != nil {
		k.bad("database.dsn", "it cannot be read: write mysql://USER:PASSWORD@HOST:PORT/NAME, with %%40 for an @ in the password")
	}
	if d.Connections < store.ConnectionsMin || d.Connections > connectionsMax {
		k.bad("database.connections", "%d is not between %d and %d", d.Connections, store.ConnectionsMin, connectionsMax)
	}
}

func (c Config) checkTimes(k *checker) {
	if c.Sync.Every < everyMin || c.Sync.Every > everyMax {
		k.bad("sync.every", "%v is not between %v and %v", c.Sync.Every, everyMin, everyMax)
	}
	if c.Sync.First < firstMin || c.Sync.First > firstMax {
		k.bad("sync.first", "%v is not between %v and %v", c.Sync.First, firstMin, firstMax)
	}
	if c.Sync.StallAfter < c.Sync.Every {
		k.bad("sync.stall_after", "%v is shorter than sync.every", c.Sync.StallAfter)
	}
	if c.Links.Deadline < 100*time.Millisecond || c.Links.Deadline > time.Minute {
		k.bad("links.deadline", "%v is not between 100ms and 1m", c.Links.Deadline)
	}
	if c.Withdraw.Cooling < 0 {
		k.bad("withdraw.cooling", "%v is below zero", c.Withdraw.Cooling)
	}
}

func (c Config) checkMoney(k *checker) {
	c.checkRebate(k)
	w := c.Withdraw
	if w.Minimum < 1 {
		k.bad("withdraw.minimum", "the least is 0.01")
	}
	switch {
	case w.Maximum < w.Minimum:
		k.bad("withdraw.maximum", "it is below withdraw.minimum")
	case w.Maximum > payoutMax:
		k.bad("withdraw.maximum", "%s is more than %s", money.Fen(w.Maximum), money.Fen(payoutMax))
	case w.Auto < 0 || w.Auto > w.Maximum:
		k.bad("withdraw.auto", "it is not between 0 and withdraw.maximum")
	}
	if len(w.Prefix) > 8 || strings.ContainsFunc(w.Prefix, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		k.bad("withdraw.prefix", "%q is not at most eight letters and digits", w.Prefix)
	}
	c.Withdraw.checkDays(k)
	switch c.Payer {
	case "manual":
	case "alipay":
		if !c.Sandbox() {
			k.part("alipay", c.Alipay.Validate())
		}
	case "wechatpay":
		if !c.Sandbox() {
			k.part("wechatpay", c.Wechatpay.Validate())
		}
	default:
		k.bad("payer", "%q is not manual, alipay or wechatpay", c.Payer)
	}
	for _, method := range slices.Sorted(maps.Keys(c.Payers)) {
		if method != "alipay" && method != "wechat" {
			k.bad(join("payers", method), "people are paid to alipay and wechat, not to this")
		}
		if c.Payers[method] == "" {
			k.bad(join("payers", method), "a payer is needed; leave the line out for the one under payer")
		}
	}
}

func (c Config) checkNetworks(k *checker) {
	if n := c.Networks.Taobao; n.AppKey != "" || n.AppSecret != "" {
		k.part("networks.taobao", n.Validate())
	}
	if n := c.Networks.JD; n.AppKey != "" || n.AppSecret != "" {
		k.part("networks.jd", n.Validate())
	}
	if n := c.Networks.PDD; n.ClientID != "" || n.ClientSecret != "" {
		k.part("networks.pdd", n.Validate())
	}
}

// knownNetworks refuses names that are no networks: what they should be for would
// silently get the default.
func knownNetworks[V any](k *checker, path string, of map[string]V, others ...string) {
	names := append([]string{link.Taobao, link.JD, link.PDD}, others...)
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if !slices.Contains(names, name) {
			k.bad(join(path, name), "there is none called so; there are %s", strings.Join(names, ", "))
		}
	}
}

// What makes no sense is refused by name.
const (
	everyMin = time.Second // the schedule knows no shorter one
	everyMax = time.Hour
	firstMin = time.Minute
	firstMax = 90 * 24 * time.Hour

	connectionsMax = 1000 // to the database's server

	dustMax   Yuan = 100_00    // what a line must bring to count
	payoutMax Yuan = 50_000_00 // in one withdrawal; payers take no more at once
)

// Mistakes returns the single mistakes that an error of Load joins, or err itself
// where it is not a list.
func Mistakes(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error }) // a list that is wrapped has words around it, which must not get lost
	if !ok {
		return []error{err}
	}
	var all []error
	texts := make([]string, 0, len(joined.Unwrap()))
	for _, e := range joined.Unwrap() {
		texts = append(texts, e.Error())
		all = append(all, Mistakes(e)...)
	}
	if strings.Join(texts, "\n") != err.Error() { // a sentence about several errors
		return []error{err}
	}
	return all
}
