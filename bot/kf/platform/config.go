package platform

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"fanli/bot/callback"
	"fanli/core/endpoint"
)

// What counts where the configuration is silent.
const (
	defaultEndpoint = "https://qyapi.weixin.qq.com"
	defaultCallback = "/wecom"
	defaultPoll     = time.Minute
)

// The limits of Config.Poll.
const (
	pollMin = 5 * time.Second
	pollMax = time.Hour
)

// Config is one account of customer service (客服帐号) of one company.
type Config struct {
	// CorpID is the company's id; without it nothing here is used.
	CorpID string `yaml:"corp_id"`
	// Secret lets us call WeCom: that of customer service, or of the app that manages it.
	Secret string `yaml:"secret"`
	// Token signs callbacks; at most 32 letters and digits, made up by the operator.
	Token string `yaml:"token"`
	// AESKey encrypts callbacks; 43 letters and digits, as the console makes them.
	AESKey string `yaml:"encoding_aes_key"`
	// OpenKfID is the account's id, as `fanli kf accounts` lists it.
	OpenKfID string `yaml:"open_kfid"`
	// Link is what opens the chat, as `fanli kf link` makes it; empty: people can't be
	// sent there with a word along.
	Link string `yaml:"link"`
	// Endpoint is WeCom's API; empty means the real one.
	Endpoint string `yaml:"endpoint"`
	// CallbackPath is where WeCom reaches us, below our own address.
	CallbackPath string `yaml:"callback_path"`
	// Poll is how often messages are looked for of which no callback has told; zero means
	// a minute. WeCom limits how often that may be, and does not say how.
	Poll time.Duration `yaml:"poll"`
}

var (
	corpForm   = regexp.MustCompile(`^ww[0-9A-Za-z]{4,62}$`)
	secretForm = regexp.MustCompile(`^[0-9A-Za-z_-]{16,128}$`)
	tokenForm  = regexp.MustCompile(`^[0-9A-Za-z]{1,32}$`)
	aesKeyForm = regexp.MustCompile(`^[0-9A-Za-z]{43}$`)
	kfForm     = regexp.MustCompile(`^wk[0-9A-Za-z_-]{1,62}$`)
)

// Calls reports whether WeCom can be called at all: to list the accounts, for one.
func (c Config) Calls() bool { return c.CorpID != "" }

// Enabled reports whether the channel is configured: with calls alone it is off.
func (c Config) Enabled() bool {
	return c.Calls() && (c.OpenKfID != "" || c.Token != "" || c.AESKey != "")
}

// Validate returns all mistakes of c at once, each with the name of its key, or nil.
// No text of it tells a secret.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("wecom: "+format, args...))
		}
	}
	bad(!kfForm.MatchString(c.OpenKfID), "open_kfid: must be the account's id, such as wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q; fanli kf accounts lists them, with corp_id and secret alone")
	bad(!tokenForm.MatchString(c.Token), "token: must be 1 to 32 letters and digits, the same as in the console")
	bad(!aesKeyForm.MatchString(c.AESKey), "encoding_aes_key: must have 43 letters and digits, as the console makes them")
	bad(!callback.OwnPath(c.CallbackPath),
		"callback_path: %q is not a path of its own such as /wecom", c.CallbackPath)
	bad(c.Link != "" && !endpoint.Safe(c.bareLink()), "link: must be the https address that fanli kf link prints")
	bad(c.Poll < pollMin || c.Poll > pollMax, "poll: %v is not between %v and %v", c.Poll, pollMin, pollMax)
	return errors.Join(append(errs, c.ValidateCalls())...)
}

// ValidateCalls is Validate for what calls alone need: to find out the rest by them.
func (c Config) ValidateCalls() error {
	c = c.withDefaults()
	var errs []error
	if !corpForm.MatchString(c.CorpID) {
		errs = append(errs, errors.New("wecom: corp_id: must be the company's id, such as ww0123456789abcdef"))
	}
	if !secretForm.MatchString(c.Secret) {
		errs = append(errs, errors.New("wecom: secret: is missing, or is not one; the console shows it beside customer service"))
	}
	if !endpoint.Safe(c.Endpoint) {
		errs = append(errs, errors.New("wecom: endpoint: must be an https address (http only on loopback), without user and query"))
	}
	return errors.Join(errs...)
}

// bareLink is the link without its query.
func (c Config) bareLink() string {
	bare, _, _ := strings.Cut(c.Link, "?")
	return bare
}

// Callback is the path at which WeCom reaches us.
func (c Config) Callback() string { return c.withDefaults().CallbackPath }

// Every is how often messages are looked for of which no callback has told.
func (c Config) Every() time.Duration { return c.withDefaults().Poll }

func (c Config) withDefaults() Config {
	text := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	text(&c.Endpoint, defaultEndpoint)
	text(&c.CallbackPath, defaultCallback)
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	if c.Poll == 0 {
		c.Poll = defaultPoll
	}
	return c
}

// String names the account and tells no secret.
func (c Config) String() string {
	if !c.Calls() {
		return "wecom, not configured"
	}
	return "wecom account " + c.CorpID + "/" + c.OpenKfID
}

// GoString keeps %#v from printing what String does not.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
