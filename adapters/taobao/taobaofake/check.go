package taobaofake

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
	"slices"
	"sort"
	"strconv"
	"time"
)

// check makes every test that a call has to pass before its method is run.
func (c *call) check() (method, refusal) {
	if c.method == "" {
		return method{}, refusal{code: 21, msg: "Missing Method"}
	}
	for _, test := range []func() refusal{c.checkKey, c.checkTime, c.checkVersion, c.checkSign} {
		if no := test(); no.code != 0 {
			return method{}, no
		}
	}
	m, ok := c.find()
	switch {
	case !ok:
		return m, refusal{code: 22, msg: "Invalid Method", sub: "isv.invalid-method"}
	case m.session && c.form.Get("session") == "":
		return m, refusal{code: 26, msg: "Missing Session"}
	case m.session && c.form.Get("session") != c.s.cfg.Session:
		return m, refusal{code: 27, msg: "Invalid Session", sub: "invalid-sessionkey"}
	case slices.Contains(c.s.cfg.Forbidden, c.method):
		return m, refusal{code: 11, msg: "Insufficient isv permissions", sub: "isv.permission-api-package-limit"}
	}
	return m, refusal{}
}

func (c *call) checkKey() refusal {
	switch c.form.Get("app_key") {
	case "":
		return refusal{code: 28, msg: "Missing App Key"}
	case c.s.cfg.AppKey:
		return refusal{}
	default:
		return refusal{code: 29, msg: "Invalid app Key", sub: "isv.appkey-not-exists"}
	}
}

func (c *call) checkTime() refusal {
	s := c.form.Get("timestamp")
	if s == "" {
		return refusal{code: 30, msg: "Missing Timestamp"}
	}
	t, err := time.ParseInLocation(time.DateTime, s, beijing)
	if err != nil || t.Sub(c.s.cfg.Now()).Abs() > skewMax {
		return refusal{code: 31, msg: "Invalid Timestamp"}
	}
	return refusal{}
}

func (c *call) checkVersion() refusal {
	switch c.form.Get("v") {
	case "":
		return refusal{code: 32, msg: "Missing Version"}
	case "2.0":
		return refusal{}
	default:
		return refusal{code: 33, msg: "Invalid Version"}
	}
}

func (c *call) checkSign() refusal {
	sign := c.form.Get("sign")
	if sign == "" {
		return refusal{code: 24, msg: "Missing Signature"}
	}
	if subtle.ConstantTimeCompare([]byte(sign), []byte(c.sign())) != 1 {
		return refusal{code: 25, msg: "Invalid signature", sub: "isv.sign-check-failure", subMsg: "Illegal request"}
	}
	return refusal{}
}

// sign computes the signature of the call on its own, so that client and gateway
// cannot agree on a mistake.
func (c *call) sign() string {
	var keys []string
	for k := range c.form {
		if k != "sign" && c.form.Get(k) != "" {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	q := ""
	for _, k := range keys {
		q += k + c.form.Get(k)
	}
	secret := c.s.cfg.AppSecret
	var h hash.Hash
	switch c.form.Get("sign_method") {
	case "hmac":
		h = hmac.New(md5.New, []byte(secret))
	case "hmac-sha256":
		h = hmac.New(sha256.New, []byte(secret))
	case "md5":
		h = md5.New()
		q = secret + q + secret
	default:
		return "no such method"
	}
	h.Write([]byte(q))
	return fmt.Sprintf("%X", h.Sum(nil))
}

// missing is the answer to a call without a parameter.
func missing(name string) refusal {
	return refusal{code: 40, msg: "Missing Required Arguments:" + name, sub: "isv.missing-parameter:" + name}
}

// invalid is the answer to a parameter of the wrong form.
func invalid(name string) refusal {
	return refusal{code: 41, msg: "Invalid Arguments:" + name, sub: "isv.invalid-parameter:" + name}
}

// business is an error of the service behind the gateway.
func business(sub, text string) refusal {
	return refusal{code: 15, msg: "Remote service error", sub: sub, subMsg: text}
}

// between reads a whole number from lo to hi; def where it is not given.
func between(s string, def, lo, hi int) (int, bool) {
	if s == "" {
		return def, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= lo && n <= hi
}

// checkPlace tests the parts of the PID that a call names.
func (c *call) checkPlace() refusal {
	adzone := c.form.Get("adzone_id")
	m, _ := c.find()
	switch {
	case adzone == "":
		return missing("adzone_id")
	case m.session && c.form.Get("site_id") == "":
		return missing("site_id")
	case m.session && c.form.Get("site_id") != c.s.cfg.SiteID:
		return business("2", "pid错误")
	case len(c.s.cfg.Adzones) > 0 && !slices.Contains(c.s.cfg.Adzones, adzone):
		return business("4", "adzone不存在")
	case c.form.Get("biz_scene_id") == "2" && !c.s.cfg.MainSite:
		return business("1911", "无场景权限")
	}
	return refusal{}
}
