package telegram

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// defaultEndpoint is Telegram's own server.
const defaultEndpoint = "https://api.telegram.org"

// Config is one bot.
type Config struct {
	// Token is what @BotFather gave for the bot; required. Without it the
	// channel is off.
	Token Secret `yaml:"token"`

	// Endpoint is the Bot API server; empty means Telegram's. Plain http is
	// taken only for this machine and for names without a dot, which exist
	// inside a private network only: the token is part of every address.
	Endpoint string `yaml:"endpoint"`

	// Proxy is the proxy to Telegram, as "socks5://user:password@host:1080"; empty
	// means that of the environment (HTTPS_PROXY), if there is one.
	Proxy Secret `yaml:"proxy"`

	// Mode says how updates come to us: "polling", which is what empty means, or
	// "webhook".
	Mode string `yaml:"mode"`

	// WebhookURL is the address that Telegram delivers to, which ends with HookPath.
	// It is https on one of the ports 443, 80, 88 and 8443; a server of one's own also
	// takes others, and plain http where Endpoint may be.
	WebhookURL string `yaml:"webhook_url"`

	// SecretToken proves that a delivery is Telegram's; empty means one that is made of
	// the token.
	SecretToken Secret `yaml:"secret_token"`

	// AdminChatID is the group in which staff command the bot; 0 for none.
	AdminChatID int64 `yaml:"admin_chat_id"`

	// Keyboard shows the words that bot.Reply.Keys has as keys below private chats.
	Keyboard bool `yaml:"keyboard"`
}

// The modes.
const (
	Polling = "polling"
	Webhook = "webhook"
)

// HookPath is what the path of a webhook ends with. A proxy may put something before
// it.
const HookPath = "/channel/telegram"

// tokenForm is what tokens look like. Telegram takes up to tokenBytesMax.
var tokenForm = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{8,}$`)

// tokenBytesMax is Telegram's limit for a token.
const tokenBytesMax = 80

// Enabled reports whether the channel is configured at all.
func (c Config) Enabled() bool { return c.Token != "" }

// Validate returns all mistakes of c at once, each with the name of its key, or
// nil. No text of it tells a secret.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, text string) {
		if wrong {
			errs = append(errs, errors.New("telegram: "+text))
		}
	}
	token := string(c.Token)
	bad(token == "", "token: is missing; @BotFather shows it after /mybots")
	bad(token != "" && (!tokenForm.MatchString(token) || len(token) > tokenBytesMax),
		"token: is not one; it looks like 123456789:AAE-secret, without spaces and quotes")
	bad(!endpointSafe(c.Endpoint), "endpoint: must be an https address (http only on this machine "+
		"and for names without a dot), without user, query and percent signs")
	bad(!proxyKnown(string(c.Proxy)), "proxy: must be an address like http://host:port or socks5://host:port")
	bad(c.Mode != "" && c.Mode != Polling && c.Mode != Webhook, "mode: must be polling or webhook")
	bad(c.Mode == Webhook && c.WebhookURL == "", "webhook_url: is missing; Telegram must know where to deliver")
	bad(c.WebhookURL != "" && !c.hookKnown(), "webhook_url: must be an https address on port 443, 80, 88 or 8443 that ends with "+
		HookPath+" (http and other ports only with an endpoint of your own)")
	bad(c.SecretToken != "" && !secretForm.MatchString(string(c.SecretToken)),
		"secret_token: must be 16 to 256 of A-Z, a-z, 0-9, _ and -")
	bad(c.AdminChatID > 0, "admin_chat_id: must be the id of a group, which is below zero")
	return errors.Join(errs...)
}

// secretForm is what a secret token may be. Telegram takes shorter ones, too.
var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,256}$`)

// hookPorts are those that Telegram delivers to.
var hookPorts = []string{"", "443", "80", "88", "8443"}

// hookKnown reports whether updates can be delivered to WebhookURL.
func (c Config) hookKnown() bool {
	u, err := url.Parse(c.WebhookURL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || !strings.HasSuffix(u.Path, HookPath) {
		return false
	}
	if own := c.withDefaults().Endpoint != defaultEndpoint; own {
		return u.Scheme == "https" || u.Scheme == "http" && isNear(u.Hostname())
	}
	return u.Scheme == "https" && slices.Contains(hookPorts, u.Port())
}

// hookSecret is what Telegram has to send along.
func (c Config) hookSecret() string {
	if c.SecretToken != "" {
		return string(c.SecretToken)
	}
	mac := hmac.New(sha256.New, []byte(c.Token))
	mac.Write([]byte("webhook"))
	return hex.EncodeToString(mac.Sum(nil))
}

// String names the bot by the public half of its token and tells no secret.
func (c Config) String() string {
	if !c.Enabled() || c.Validate() != nil {
		return "telegram, not configured"
	}
	return "telegram bot " + c.bot()
}

// bot is the public half of the token.
func (c Config) bot() string {
	id, _, _ := strings.Cut(string(c.Token), ":")
	return id
}

// GoString keeps %#v from printing what String does not.
func (c Config) GoString() string { return c.String() }

// endpointSafe reports whether the token may go to s.
func endpointSafe(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(s, "%") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isNear(u.Hostname())
}

// isNear reports whether a host is this machine or has a name without a dot, which
// exists inside a private network only.
func isNear(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback() || ip == nil && !strings.Contains(host, ".")
}

// proxyKnown reports whether s is a proxy that can be used, or none.
func proxyKnown(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" {
		return false
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return true
	default:
		return false
	}
}

func (c Config) withDefaults() Config {
	if c.Endpoint == "" {
		c.Endpoint = defaultEndpoint
	}
	if c.Mode == "" {
		c.Mode = Polling
	}
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	return c
}

// A Command is a line of the menu.
type Command struct {
	Name string // without the slash: a-z, 0-9 and _
	Zh   string // what it does, in Chinese
	En   string // and in English
}

// commandForm is what Telegram takes as a command.
var commandForm = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// descriptionMax is how many characters may describe a command. Both languages
// are shown together to those who read neither.
const descriptionMax = 120

func (c Command) validate() error {
	if !commandForm.MatchString(c.Name) {
		return fmt.Errorf("telegram: command %q must be 1 to 32 of a-z, 0-9 and _", c.Name)
	}
	for _, text := range []string{c.Zh, c.En} {
		if n := len([]rune(text)); n == 0 || n > descriptionMax {
			return fmt.Errorf("telegram: command %q needs a description of 1 to %d characters in both languages", c.Name, descriptionMax)
		}
	}
	return nil
}
