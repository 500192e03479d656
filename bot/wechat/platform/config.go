package platform

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"

	"fanli/bot/callback"
	"fanli/core/endpoint"
	"fanli/core/fault"
)

// The modes in which messages come, as the console names them.
const (
	Plain      = "plain"      // 明文模式
	Compatible = "compatible" // 兼容模式
	Safe       = "safe"       // 安全模式
)

// The profiles: what WeChat lets an account do.
const (
	Personal     = "personal"     // 个人或未认证的订阅号: answers only
	Subscription = "subscription" // 认证订阅号: customer messages, menu, tags
	Service      = "service"      // 认证服务号: notices and codes, too
	Sandbox      = "sandbox"      // 测试号: as a service account, without choices and subscriptions
)

// What counts where the configuration is silent.
const (
	defaultEndpoint = "https://api.weixin.qq.com"
	defaultPictures = "https://mp.weixin.qq.com" // where codes are shown
	defaultCallback = "/wechat"
)

// Config is one official account.
type Config struct {
	// AppID is the account's id in the console; without it the channel is off.
	AppID string `yaml:"app_id"`
	// AppSecret lets us call WeChat; not needed for a personal account, which may not.
	AppSecret string `yaml:"app_secret"`
	// Token signs callbacks; 3 to 32 letters and digits, made up by the operator.
	Token string `yaml:"token"`
	// AESKey encrypts callbacks; 43 letters and digits, as the console makes them.
	AESKey string `yaml:"encoding_aes_key"`
	// Mode is how messages come; empty means safe.
	Mode string `yaml:"mode"`
	// Profile is what the account may do; empty means personal.
	Profile string `yaml:"profile"`
	// Account is the account's original id, gh_…; empty takes the first one that is seen.
	Account string `yaml:"account"`
	// Endpoint is WeChat's API; empty means the real one.
	Endpoint string `yaml:"endpoint"`
	// CallbackPath is where WeChat reaches us, below our own address.
	CallbackPath string `yaml:"callback_path"`
	// Templates say by the kind of notice how it is told where no message may be sent.
	Templates map[string]Template `yaml:"templates"`
	// MenuLinks writes choices as links that send them, which WeChat does not document.
	MenuLinks bool `yaml:"menu_links"`
	// Menu is published instead of the standard one.
	Menu []Button `yaml:"menu"`
	// TaggedMenus are the menus of people with a tag, by its name.
	TaggedMenus map[string][]Button `yaml:"tagged_menus"`
}

// The ways of a template.
const (
	ByTemplate     = "template"     // 模板消息
	ByOnce         = "once"         // 一次性订阅
	BySubscription = "subscription" // 订阅通知
)

// A Template is how a notice is told by a form that WeChat has approved.
type Template struct {
	ID     string            `yaml:"id"`
	Way    string            `yaml:"way"`    // template, once or subscription; empty means template
	Scene  int               `yaml:"scene"`  // of what people agree to once, 0 to 10000
	Title  string            `yaml:"title"`  // of the same, at most 15 characters
	URL    string            `yaml:"url"`    // what opens; empty: nothing
	Fields map[string]string `yaml:"fields"` // what stands where: {thing1: "{title}", amount2: "{amount}"}
}

// Names of fields, as the console shows them.
var fieldForm = regexp.MustCompile(`^[a-z_]+[0-9]{1,3}$`)

// places are what stands for a part of the notice in the text of a field.
var (
	places    = []string{"{text}", "{title}", "{amount}", "{time}"}
	placeForm = regexp.MustCompile(`\{[^}]*\}`)
)

var (
	appIDForm   = regexp.MustCompile(`^wx[A-Za-z0-9]{8,30}$`)
	secretForm  = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)
	tokenForm   = regexp.MustCompile(`^[0-9A-Za-z]{3,32}$`)
	aesKeyForm  = regexp.MustCompile(`^[0-9A-Za-z]{43}$`)
	accountForm = regexp.MustCompile(`^gh_[0-9A-Za-z]{1,32}$`)
)

// Enabled reports whether the channel is configured at all.
func (c Config) Enabled() bool { return c.AppID != "" }

// Calls reports whether the account may call WeChat at all.
func (c Config) Calls() bool { return c.Enabled() && c.AppSecret != "" }

// Validate returns all mistakes of c at once, each with the name of its key, or nil.
// No text of it tells a secret.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("wechat: "+format, args...))
		}
	}
	bad(!appIDForm.MatchString(c.AppID), "app_id: must be the account's id, such as wx0123456789abcdef")
	bad(c.AppSecret == "" && c.Profile != Personal, "app_secret: is missing; the console shows it once, when it is made")
	bad(c.AppSecret != "" && !secretForm.MatchString(c.AppSecret), "app_secret: is not one; it has 32 letters and digits")
	bad(!tokenForm.MatchString(c.Token), "token: must be 3 to 32 letters and digits, the same as in the console")
	bad(c.Mode != Plain && c.AESKey == "", "encoding_aes_key: is missing, without which mode %s cannot read anything", c.Mode)
	bad(c.AESKey != "" && !aesKeyForm.MatchString(c.AESKey), "encoding_aes_key: must have 43 letters and digits, as the console makes them")
	bad(!slices.Contains([]string{Plain, Compatible, Safe}, c.Mode), "mode: %q is not plain, compatible or safe", c.Mode)
	bad(!slices.Contains([]string{Personal, Subscription, Service, Sandbox}, c.Profile),
		"profile: %q is not personal, subscription, service or sandbox", c.Profile)
	bad(c.Account != "" && !accountForm.MatchString(c.Account), "account: must be the original id, such as gh_0123456789ab")
	bad(!endpoint.Safe(c.Endpoint), "endpoint: must be an https address (http only on loopback), without user and query")
	bad(!callback.OwnPath(c.CallbackPath),
		"callback_path: %q is not a path of its own such as /wechat", c.CallbackPath)
	errs = append(errs, c.checkTemplates()...)
	if len(c.Menu) > 0 {
		errs = append(errs, named("menu", Menu(c.Menu).Check()))
	}
	for _, name := range slices.Sorted(maps.Keys(c.TaggedMenus)) {
		bad(name == "" || len(name) > tagNameMax, "tagged_menus: %q is not the name of a tag of at most %d bytes", name, tagNameMax)
		errs = append(errs, named("tagged_menus", Menu(c.TaggedMenus[name]).Check()))
	}
	return errors.Join(errs...)
}

// named puts the name of a key before a mistake.
func named(key string, err error) error {
	if err == nil {
		return nil
	}
	var e *fault.Error
	if errors.As(err, &e) && e.Err != nil { // its reason is for programs
		err = e.Err
	}
	return fmt.Errorf("wechat: %s: %w", key, err)
}

func (c Config) checkTemplates() (errs []error) {
	for _, kind := range slices.Sorted(maps.Keys(c.Templates)) {
		t := c.Templates[kind]
		bad := func(wrong bool, format string, args ...any) {
			if wrong {
				errs = append(errs, fmt.Errorf("wechat: templates: "+kind+": "+format, args...))
			}
		}
		bad(t.ID == "", "id is missing")
		bad(!slices.Contains([]string{"", ByTemplate, ByOnce, BySubscription}, t.Way), "way %q is not template, once or subscription", t.Way)
		bad(t.Scene < 0 || t.Scene > sceneMax, "scene %d is not 0 to %d", t.Scene, sceneMax)
		bad(len([]rune(t.Title)) > onceTitleMax, "title has more than %d characters", onceTitleMax)
		for _, f := range slices.Sorted(maps.Keys(t.Fields)) {
			bad(!fieldForm.MatchString(f), "field %q is not a name such as thing1", f)
			for _, what := range placeForm.FindAllString(t.Fields[f], -1) {
				bad(!slices.Contains(places, what), "field %q has %s, which is none of %s", f, what, strings.Join(places, ", "))
			}
		}
	}
	return errs
}

// Callback is the path at which WeChat reaches us.
func (c Config) Callback() string { return c.withDefaults().CallbackPath }

func (c Config) withDefaults() Config {
	text := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	text(&c.Mode, Safe)
	text(&c.Profile, Personal)
	text(&c.Endpoint, defaultEndpoint)
	text(&c.CallbackPath, defaultCallback)
	c.Endpoint = strings.TrimRight(c.Endpoint, "/")
	return c
}

// pictures is where codes are shown: to people, whom a proxy for our own calls does not
// serve. Only an endpoint on this machine shows them itself, as the fake does.
func (c Config) pictures() string {
	if strings.HasPrefix(c.Endpoint, "http://") {
		return c.Endpoint
	}
	return defaultPictures
}

// String names the account and tells no secret.
func (c Config) String() string {
	if !c.Enabled() {
		return "wechat, not configured"
	}
	return "wechat account " + c.AppID
}

// GoString keeps %#v from printing what String does not.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
