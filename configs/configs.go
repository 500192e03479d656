// Package configs is what can be set, in one place.
//
// default.yaml is part of the binary: it documents every key and is the base of
// every installation. A file given by the operator is laid over it, then the
// environment: FANLI_TELEGRAM_TOKEN sets telegram.token, and
// FANLI_TELEGRAM_TOKEN_FILE reads it from a file.
//
// Unknown keys and all mistakes are reported at once, by name and line, before
// anything starts.
package configs

import (
	"log/slog"
	"slices"
	"time"

	"fanli/adapters/alipay"
	"fanli/adapters/guard"
	"fanli/adapters/jd"
	"fanli/adapters/pdd"
	"fanli/adapters/taobao"
	"fanli/adapters/wechatpay"
	kf "fanli/bot/kf/platform"
	"fanli/bot/telegram"
	"fanli/bot/wechat/platform"
	"fanli/core/money"
	"fanli/core/withdraw"
)

// AllTargets alone makes a process run all targets.
const AllTargets = "all"

// TargetMark stands for a target's name in database.dsn: each target then has a
// database of its own.
const TargetMark = "{target}"

// Targets are the names of all targets.
func Targets() []string {
	return []string{"gateway", "bot", "user", "order", "rebate", "payment", "notification"}
}

// A Config is a whole configuration.
type Config struct {
	Data    string   `yaml:"data"`
	Listen  string   `yaml:"listen"`
	Zone    string   `yaml:"zone"`
	Targets []string `yaml:"targets"`

	Database   Database          `yaml:"database"`
	Peers      Peers             `yaml:"peers"`
	Registry   Registry          `yaml:"registry"`
	Broker     Broker            `yaml:"broker"`
	Redis      Redis             `yaml:"redis"`
	Central    Central           `yaml:"central"`
	Log        Log               `yaml:"log"`
	Admin      Admin             `yaml:"admin"`
	Trace      Trace             `yaml:"trace"`
	Networks   Networks          `yaml:"networks"`
	Guard      guard.Options     `yaml:"guard"`
	Resilience Resilience        `yaml:"resilience"`
	Links      Links             `yaml:"links"`
	Sync       Sync              `yaml:"sync"`
	Rebate     Rebate            `yaml:"rebate"`
	Withdraw   Withdraw          `yaml:"withdraw"`
	Collect    Collect           `yaml:"collect"`
	Payer      string            `yaml:"payer"`
	Payers     map[string]string `yaml:"payers"`
	Alipay     alipay.Config     `yaml:"alipay"`
	Wechatpay  wechatpay.Config  `yaml:"wechatpay"`
	Webhooks   Webhooks          `yaml:"webhooks"`
	Telegram   telegram.Config   `yaml:"telegram"`
	Wechat     platform.Config   `yaml:"wechat"`
	Wecom      kf.Config         `yaml:"wecom"`
	Webchat    Webchat           `yaml:"webchat"`
	Bot        Bot               `yaml:"bot"`
	Deals      Deals             `yaml:"deals"`
	Landing    Landing           `yaml:"landing"`
	Activities []Activity        `yaml:"activities"`
	API        API               `yaml:"api"`
	Staff      Staff             `yaml:"staff"`
}

// String names a configuration. What is in it may be secret and does not go into a
// log.
func (c Config) String() string { return "configuration of " + c.Data }

// GoString is String.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Database says where everything is kept. Without a DSN it is SQLite in the data
// folder; the DSN of a server is secret.
type Database struct {
	DSN         string `yaml:"dsn"`
	Connections int    `yaml:"connections"`
	SealKey     string `yaml:"seal_key"`
}

// Peers says how the targets of a split reach each other. Token and keys are secret.
type Peers struct {
	Listen      string            `yaml:"listen"`
	Token       string            `yaml:"token"`
	Targets     map[string]string `yaml:"targets"`
	HTTP        map[string]string `yaml:"http"`
	Certificate string            `yaml:"certificate"`
	Key         string            `yaml:"key"`
	Authority   string            `yaml:"authority"`
	Drain       time.Duration     `yaml:"drain"`
}

// Broker says what carries events between the targets of a split. Its URL may hold a
// password.
type Broker struct {
	URL    string `yaml:"url"`
	Prefix string `yaml:"prefix"`
}

// Split reports whether this process runs some of the targets only.
func (c Config) Split() bool { return !slices.Equal(c.Targets, []string{AllTargets}) }

// Log says how the log looks.
type Log struct {
	Level  string `yaml:"level"`
	Format string `yaml:"format"`
}

// Networks are the affiliate networks. One without an app key or client id is
// off; if all are off, fanli serves the sandbox.
type Networks struct {
	Taobao taobao.Config `yaml:"taobao"`
	JD     jd.Config     `yaml:"jd"`
	PDD    pdd.Config    `yaml:"pdd"`
}

// Links says how links are made.
type Links struct {
	Deadline time.Duration `yaml:"deadline"`
}

// Sync says how orders are followed.
type Sync struct {
	Every      time.Duration `yaml:"every"`
	First      time.Duration `yaml:"first"`
	StallAfter time.Duration `yaml:"stall_after"`
	Rescan     bool          `yaml:"rescan"`
}

// Withdraw is withdraw.Limits as people write them.
type Withdraw struct {
	Minimum Yuan          `yaml:"minimum"`
	Maximum Yuan          `yaml:"maximum"`
	Auto    Yuan          `yaml:"auto"`
	Cooling time.Duration `yaml:"cooling"`
	Prefix  string        `yaml:"prefix"`

	DayCount     int             `yaml:"day_count"`
	DayAmount    Yuan            `yaml:"day_amount"`
	PayeeDay     Yuan            `yaml:"payee_day"`
	HouseDay     Yuan            `yaml:"house_day"`
	FourEyes     Yuan            `yaml:"four_eyes"`
	Risk         int             `yaml:"risk"`
	OnePerson    bool            `yaml:"one_person"`
	PayerMinimum map[string]Yuan `yaml:"payer_minimum"`
	PayerFloor   map[string]Yuan `yaml:"payer_floor"`
}

// Floors returns below which of our money at each payer staff is told.
func (w Withdraw) Floors() map[string]money.Fen { return amounts(w.PayerFloor) }

// Limits returns what package withdraw works with.
func (w Withdraw) Limits() withdraw.Limits {
	return withdraw.Limits{
		Minimum: money.Fen(w.Minimum), Maximum: money.Fen(w.Maximum), Auto: money.Fen(w.Auto), Cooling: w.Cooling,
		UserCount: w.DayCount, UserDay: money.Fen(w.DayAmount), PayeeDay: money.Fen(w.PayeeDay), HouseDay: money.Fen(w.HouseDay),
		FourEyes: money.Fen(w.FourEyes), Risk: w.Risk, OnePerson: w.OnePerson, Payers: amounts(w.PayerMinimum),
	}
}

func amounts(m map[string]Yuan) map[string]money.Fen {
	out := make(map[string]money.Fen, len(m))
	for k, v := range m {
		out[k] = money.Fen(v)
	}
	return out
}

// Webchat says how the built-in web chat looks.
type Webchat struct {
	Enabled bool   `yaml:"enabled"`
	Title   string `yaml:"title"`
	Secure  bool   `yaml:"secure"`
}

// Bot says how the bot talks.
type Bot struct {
	Search  bool   `yaml:"search"`
	Contact string `yaml:"contact"`
}

// Sandbox reports whether no network is configured, so that fanli serves its own
// world.
func (c Config) Sandbox() bool {
	return c.Networks.Taobao.AppKey == "" && c.Networks.JD.AppKey == "" && c.Networks.PDD.ClientID == ""
}

// Location returns the zone in which days begin. Load has checked it.
func (c Config) Location() *time.Location {
	l, err := time.LoadLocation(c.Zone)
	if err != nil {
		return time.FixedZone("UTC+8", 8*60*60)
	}
	return l
}
