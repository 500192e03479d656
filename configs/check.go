package configs

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// A checker collects mistakes with their lines.
type checker struct {
	lines map[string]int
	errs  []error
}

func (k *checker) bad(path, format string, args ...any) {
	k.errs = append(k.errs, MistakeError{Path: path, Line: k.line(path), Text: fmt.Sprintf(format, args...)})
}

// line is that of the key, or of the group that it should stand in.
func (k *checker) line(path string) int {
	for {
		if l, ok := k.lines[path]; ok {
			return l
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return 0
		}
		path = path[:i]
	}
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
		k.bad(path+"."+key, "%s", text)
	}
}

// check returns everything that is wrong with the values.
func (c Config) check(lines map[string]int) []error {
	k := &checker{lines: lines}
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
	if !slices.Equal(c.Targets, []string{"all"}) {
		k.bad("targets", "%v: SQLite serves one process, which runs all targets; leave it at [all]", c.Targets)
	}
	c.checkTimes(k)
	k.part("guard", c.Guard.Validate())
	c.checkMoney(k)
	c.checkNetworks(k)
	if c.Telegram.Token != "" {
		k.part("telegram", c.Telegram.Validate())
	}
	if !c.Webchat.Enabled && c.Telegram.Token == "" {
		k.bad("webchat.enabled", "no channel is on: switch the web chat on or set telegram.token")
	}
	return k.errs
}

func (c Config) checkTimes(k *checker) {
	if c.Sync.Every < everyMin || c.Sync.Every > everyMax {
		k.bad("sync.every", "%v is not between %v and %v", c.Sync.Every, everyMin, everyMax)
	}
	if c.Sync.First < 0 || c.Sync.First > 90*24*time.Hour {
		k.bad("sync.first", "%v is not between 0 and 90 days", c.Sync.First)
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
	k.part("rebate", c.Rebate.Rules().Validate())
	w := c.Withdraw
	if w.Minimum < 1 {
		k.bad("withdraw.minimum", "the least is 0.01")
	}
	if w.Maximum < w.Minimum {
		k.bad("withdraw.maximum", "it is below withdraw.minimum")
	}
	if w.Auto < 0 || w.Auto > w.Maximum {
		k.bad("withdraw.auto", "it is not between 0 and withdraw.maximum")
	}
	if len(w.Prefix) > 8 || strings.ContainsFunc(w.Prefix, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		k.bad("withdraw.prefix", "%q is not at most eight letters and digits", w.Prefix)
	}
	switch c.Payer {
	case "manual":
	case "fakepay":
		if !c.Sandbox() {
			k.part("fakepay", c.Fakepay.Validate())
		}
	default:
		k.bad("payer", "%q is not manual or fakepay", c.Payer)
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

// Mistakes returns the single mistakes that an error of Load joins.
func Mistakes(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
