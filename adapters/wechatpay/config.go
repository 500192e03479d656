package wechatpay

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/wechatpay-apiv3/wechatpay-go/utils"

	"fanli/core/endpoint"
	"fanli/core/money"
)

// The modes: how WeChat's signatures are checked.
const (
	PublicKeyMode   = "public_key"  // by a key from the merchant console; the only mode for new merchants
	CertificateMode = "certificate" // by platform certificates that are fetched
)

// What is used where the configuration is silent.
const (
	defaultEndpoint = "https://api.mch.weixin.qq.com"
	defaultAccount  = "OPERATION"
	defaultTimeout  = 10 * time.Second
)

// What WeChat prescribes, in fen.
const (
	minimumMin    money.Fen = 10     // least amount of a transfer
	nameNever     money.Fen = 30     // below it a name is refused
	nameDemand    money.Fen = 200000 // from it a name is demanded
	timeoutMax              = time.Minute
	apiv3KeyLen             = 32
	reportTypeMax           = 15
	reportTextMax           = 32
	notifyURLMax            = 256
)

// Yuan is an amount as operators write it: 12.50. It is read as text, so that no
// float comes between.
type Yuan string

// fen returns the amount, or what is otherwise for an empty text.
func (y Yuan) fen(otherwise money.Fen) (money.Fen, error) {
	if y == "" {
		return otherwise, nil
	}
	return money.ParseYuan(string(y), money.Exact)
}

// A Report is one of the items that a transfer scene demands. The types are fixed
// Chinese texts, given by WeChat for each scene.
type Report struct {
	Type    string `yaml:"info_type" json:"info_type"`
	Content string `yaml:"info_content" json:"info_content"`
}

// Config is one merchant.
type Config struct {
	// Endpoint is the gateway; empty means WeChat's. Plain http is taken for
	// loopback addresses only.
	Endpoint string `yaml:"endpoint"`

	MchID    string `yaml:"mchid"`         // merchant number; required
	AppID    string `yaml:"appid"`         // of the app or official account that openids belong to; required
	Key      string `yaml:"key"`           // the merchant's private key, PEM (PKCS #8); required
	Serial   string `yaml:"serial"`        // serial number of the merchant's certificate; required
	APIv3Key string `yaml:"apiv3_key"`     // 32 characters; decrypts callbacks and certificates; required
	Mode     string `yaml:"mode"`          // public_key or certificate; empty means public_key
	KeyID    string `yaml:"public_key_id"` // PUB_KEY_ID_…; for public_key
	Public   string `yaml:"public_key"`    // WeChat's public key, PEM; for public_key

	Scene      string   `yaml:"transfer_scene_id"`           // 1000 cash marketing, 1005 commission …; required
	Reports    []Report `yaml:"transfer_scene_report_infos"` // what the scene demands; required
	Perception string   `yaml:"user_recv_perception"`        // what the payee reads the money is; one of the scene's own
	NotifyURL  string   `yaml:"notify_url"`                  // where WeChat calls back; https, no query

	// CollectNotifyURL is where WeChat tells of charges that were paid; https, no
	// query. Without one nobody can be charged.
	CollectNotifyURL string `yaml:"collect_notify_url"`

	Minimum  Yuan `yaml:"minimum"`   // least amount of one transfer; WeChat's is 0.10
	Maximum  Yuan `yaml:"maximum"`   // largest amount of one transfer, as the console shows it for the scene
	NameFrom Yuan `yaml:"name_from"` // from here on the payee's name goes along, encrypted: 0.30 to 2000.00

	// BillAccount is whose flow is read for reconciliation: BASIC, OPERATION or
	// FEES; empty means OPERATION.
	BillAccount string `yaml:"bill_account"`

	Timeout time.Duration `yaml:"timeout"` // of one call; 0 means 10s

	// PageURL is where payees reach this server, for the page of confirmation;
	// required.
	PageURL string `yaml:"page_url"`
}

var (
	mchIDForm  = regexp.MustCompile(`^[0-9]{8,32}$`)
	appIDForm  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)
	serialForm = regexp.MustCompile(`^[0-9A-Fa-f]{1,64}$`)
	keyIDForm  = regexp.MustCompile(`^PUB_KEY_ID_[0-9A-Za-z_]+$`)
	sceneForm  = regexp.MustCompile(`^[0-9]{1,36}$`)
)

// Validate returns all mistakes of c at once, each with the name of its key, or
// nil. No text of it tells a secret.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("wechatpay: "+format, args...))
		}
	}
	bad(c.Endpoint != "" && !endpoint.Safe(c.Endpoint), "endpoint: must be an https address (http only on loopback), without user and query")
	bad(!mchIDForm.MatchString(c.MchID), "mchid: must be the merchant's number, digits only")
	bad(!appIDForm.MatchString(c.AppID), "appid: must be the id that openids belong to, such as wx0123456789abcdef")
	_, keyErr := utils.LoadPrivateKey(c.Key)
	bad(keyErr != nil, "key: must be the merchant's private key (apiclient_key.pem), in PEM")
	bad(!serialForm.MatchString(c.Serial), "serial: must be the serial number of the merchant's certificate, in hexadecimal")
	bad(len(c.APIv3Key) != apiv3KeyLen, "apiv3_key: must have %d characters", apiv3KeyLen)
	switch c.Mode {
	case PublicKeyMode, "":
		bad(!keyIDForm.MatchString(c.KeyID), "public_key_id: must begin with PUB_KEY_ID_; the console shows it beside the key")
		_, err := utils.LoadPublicKey(c.Public)
		bad(err != nil, "public_key: must be WeChat's public key (pub_key.pem), in PEM")
	case CertificateMode:
		bad(c.KeyID != "" || c.Public != "", "public_key_id, public_key: are for mode public_key")
	default:
		bad(true, "mode: must be public_key or certificate")
	}
	errs = append(errs, c.checkScene()...)
	errs = append(errs, c.checkLimits()...)
	return errors.Join(errs...)
}

func (c Config) checkScene() (errs []error) {
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("wechatpay: "+format, args...))
		}
	}
	bad(!sceneForm.MatchString(c.Scene), "transfer_scene_id: must be the number of the scene, such as 1000 or 1005")
	bad(len(c.Reports) == 0, "transfer_scene_report_infos: the scene demands some; its page lists them")
	for i, r := range c.Reports {
		bad(!textWithin(r.Type, reportTypeMax), "transfer_scene_report_infos: info_type %d must have 1 to %d characters", i+1, reportTypeMax)
		bad(!textWithin(r.Content, reportTextMax), "transfer_scene_report_infos: info_content %d must have 1 to %d characters", i+1, reportTextMax)
	}
	bad(!notifiable(c.NotifyURL), "notify_url: must be an https address without query, of at most %d characters", notifyURLMax)
	bad(!notifiable(c.CollectNotifyURL), "collect_notify_url: must be an https address without query, of at most %d characters", notifyURLMax)
	bad(!endpoint.Safe(c.PageURL), "page_url: must be the https address (http only on loopback) where payees reach this server, without user and query")
	return errs
}

// notifiable reports whether WeChat would call back there. An empty address is none.
func notifiable(address string) bool {
	if address == "" {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.RawQuery == "" && u.User == nil && len(address) <= notifyURLMax
}

func (c Config) checkLimits() (errs []error) {
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("wechatpay: "+format, args...))
		}
	}
	read := func(key string, y Yuan, otherwise money.Fen) money.Fen {
		f, err := y.fen(otherwise)
		bad(err != nil, "%s: is not an amount in yuan with at most two decimals, such as 12.50", key)
		if err != nil {
			return otherwise
		}
		return f
	}
	l := Config{}.limits()
	least, most, from := read("minimum", c.Minimum, l.minimum), read("maximum", c.Maximum, l.maximum), read("name_from", c.NameFrom, l.nameFrom)
	bad(least < minimumMin, "minimum: WeChat takes no less than %s", minimumMin)
	bad(most < least, "maximum: it is below minimum")
	bad(from < nameNever || from > nameDemand, "name_from: must be from %s, below which WeChat refuses a name, to %s, from which it demands one", nameNever, nameDemand)
	bad(c.Timeout < 0 || c.Timeout > timeoutMax, "timeout: %v is not within 0 to %v", c.Timeout, timeoutMax)
	switch c.BillAccount {
	case "", "BASIC", "OPERATION", "FEES":
	default:
		bad(true, "bill_account: must be BASIC, OPERATION or FEES")
	}
	return errs
}

// limits are the amounts of a Config.
type limits struct{ minimum, maximum, nameFrom money.Fen }

// limits reads the amounts; Validate has said what cannot be read.
func (c Config) limits() limits {
	const maximum money.Fen = 20000
	l := limits{minimumMin, maximum, nameDemand}
	for to, y := range map[*money.Fen]Yuan{&l.minimum: c.Minimum, &l.maximum: c.Maximum, &l.nameFrom: c.NameFrom} {
		if f, err := y.fen(*to); err == nil {
			*to = f
		}
	}
	return l
}

// String names the merchant and tells no secret.
func (c Config) String() string { return fmt.Sprintf("wechatpay merchant %q", c.MchID) }

// GoString leaves the secrets out.
func (c Config) GoString() string { return c.String() }

func (c Config) withDefaults() Config {
	if c.Endpoint == "" {
		c.Endpoint = defaultEndpoint
	}
	if c.Mode == "" {
		c.Mode = PublicKeyMode
	}
	if c.BillAccount == "" {
		c.BillAccount = defaultAccount
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	return c
}

// textWithin reports whether s has 1 to n characters.
func textWithin(s string, n int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= n
}
