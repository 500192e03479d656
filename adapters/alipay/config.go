package alipay

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"fanli/core/endpoint"
)

// What is used where the configuration is silent.
const (
	defaultGateway  = "https://openapi.alipay.com/gateway.do"
	defaultIdentity = "ALIPAY_LOGON_ID"
	defaultTitle    = "返利提现"
	defaultTimeout  = 15 * time.Second
)

// Alipay's own limits, in characters.
const (
	titleMax  = 128
	remarkMax = 200
)

// timeoutMax keeps a call shorter than what waits for it.
const timeoutMax = time.Minute

// Config is one merchant's application at Alipay, in certificate mode.
type Config struct {
	// Gateway is where calls go; empty means Alipay's. Plain http is taken for
	// loopback addresses only.
	Gateway string `yaml:"gateway"`

	AppID      string `yaml:"app_id"`      // of the application in the console; required
	PrivateKey string `yaml:"private_key"` // the application's, as PEM or bare base64; required
	AppCert    string `yaml:"app_cert"`    // appCertPublicKey_….crt, as text; required
	AlipayCert string `yaml:"alipay_cert"` // alipayCertPublicKey_RSA2.crt, as text; required
	RootCert   string `yaml:"root_cert"`   // alipayRootCert.crt, as text; required

	// NotifyURL is where Alipay tells of charges that were paid; empty: it does not.
	// Messages about transfers go where the console says.
	NotifyURL string `yaml:"notify_url"`

	// UserID is the merchant's own number, 2088…; needed to ask for the balance.
	UserID string `yaml:"user_id"`

	// IdentityType says what users' accounts are: ALIPAY_LOGON_ID, a telephone
	// number or mail address, or ALIPAY_USER_ID or ALIPAY_OPEN_ID.
	IdentityType string `yaml:"identity_type"`

	// SceneName and SceneReport are the scene that the merchant has declared in
	// the console, and what must be reported with each transfer.
	SceneName   string   `yaml:"scene_name"`
	SceneReport []Report `yaml:"scene_report"`

	Title     string `yaml:"title"`      // what the payee reads in the bill
	Remark    string `yaml:"remark"`     // beside it; empty: a note with the withdrawal's number
	ShowAlias bool   `yaml:"show_alias"` // show the merchant's alias instead of the company

	// BillTypes are the kinds of rows in the account's log that are our
	// transfers.
	BillTypes []string `yaml:"bill_types"`

	// CollectBillTypes are those that are what people have paid us, or what we gave
	// them back; fees are none.
	CollectBillTypes []string `yaml:"collect_bill_types"`
	// CollectFeeTypes are those that are what Alipay keeps of that, or gives back.
	CollectFeeTypes []string `yaml:"collect_fee_types"`

	Timeout time.Duration `yaml:"timeout"` // of one call
}

// A Report is one item that a scene demands.
type Report struct {
	Type    string `yaml:"type"`
	Content string `yaml:"content"`
}

var (
	appForm  = regexp.MustCompile(`^[0-9]{16}$`)
	userForm = regexp.MustCompile(`^2088[0-9]{12}$`)
)

// identityTypes are the kinds of account that transfers take.
func identityTypes() []string {
	return []string{"ALIPAY_LOGON_ID", "ALIPAY_USER_ID", "ALIPAY_OPEN_ID"}
}

// sceneNames are the scenes that Alipay knows.
func sceneNames() []string {
	return []string{"现金营销", "企业退款", "佣金报酬", "业务结算", "二手回收", "公益补助", "行政补贴和退款", "保险理赔"}
}

// Validate returns all mistakes at once, each with the name of its key. No text
// of it tells a secret.
func (c Config) Validate() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("alipay: "+format, args...))
		}
	}
	bad(c.Gateway != "" && !endpoint.Safe(c.Gateway), "gateway: must be an https address (http only on loopback), without user and query")
	bad(c.AppID == "", "app_id: is missing; the application's page in the console shows it")
	bad(c.AppID != "" && !appForm.MatchString(c.AppID), "app_id: %q is not 16 digits", c.AppID)
	if _, err := c.keys(); err != nil {
		errs = append(errs, err)
	}
	bad(c.NotifyURL != "" && !endpoint.Safe(c.NotifyURL), "notify_url: must be an https address, without user and query")
	bad(c.UserID != "" && !userForm.MatchString(c.UserID), "user_id: is not 16 digits that begin with 2088")
	bad(c.IdentityType != "" && !slices.Contains(identityTypes(), c.IdentityType), "identity_type: %q is none of %v", c.IdentityType, identityTypes())
	bad(c.SceneName != "" && !slices.Contains(sceneNames(), c.SceneName), "scene_name: %q is none of %v", c.SceneName, sceneNames())
	bad((c.SceneName == "") != (len(c.SceneReport) == 0), "scene_report: goes together with scene_name")
	for i, r := range c.SceneReport {
		bad(r.Type == "" || r.Content == "", "scene_report: item %d needs type and content", i+1)
	}
	bad(utf8.RuneCountInString(c.Title) > titleMax, "title: is longer than %d characters", titleMax)
	bad(utf8.RuneCountInString(c.Remark) > remarkMax, "remark: is longer than %d characters", remarkMax)
	bad(slices.Contains(c.BillTypes, ""), "bill_types: one of them is empty")
	bad(slices.Contains(c.CollectBillTypes, ""), "collect_bill_types: one of them is empty")
	bad(slices.Contains(c.CollectFeeTypes, ""), "collect_fee_types: one of them is empty")
	bad(c.Timeout < 0 || c.Timeout > timeoutMax, "timeout: %v is not between 0 and %v", c.Timeout, timeoutMax)
	return errors.Join(errs...)
}

// String names the application and tells no secret.
func (c Config) String() string { return fmt.Sprintf("alipay application %q", c.AppID) }

// GoString is String.
func (c Config) GoString() string { return c.String() }

func (c Config) withDefaults() Config {
	if c.Gateway == "" {
		c.Gateway = defaultGateway
	}
	if c.IdentityType == "" {
		c.IdentityType = defaultIdentity
	}
	if c.Title == "" {
		c.Title = defaultTitle
	}
	if len(c.BillTypes) == 0 {
		c.BillTypes = []string{"转账"}
	}
	if len(c.CollectBillTypes) == 0 {
		c.CollectBillTypes = []string{"交易", "在线支付", "交易退款", "退款"}
	}
	if len(c.CollectFeeTypes) == 0 {
		c.CollectFeeTypes = []string{"收费", "退费"}
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	return c
}
