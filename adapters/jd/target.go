package jd

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"fanli/core/fault"
	"fanli/core/link"
)

// unwrapMax limits how often a link is taken out of another link's parameter.
const unwrapMax = 3

var (
	skuForm  = regexp.MustCompile(`^[0-9]{1,18}$`)
	itemForm = regexp.MustCompile(`^[A-Za-z0-9_-]{8,128}$`)
	skuPath  = regexp.MustCompile(`(?i)/(?:product/|detail/|view/)?([0-9]{1,18})(?:_[^/]*)?\.html`)
	itemPath = regexp.MustCompile(`(?i)/detail/([A-Za-z0-9_-]{8,128})\.html`)
)

// A target is what goods.query can be asked for. One of its fields is set.
type target struct {
	sku    string // a number
	item   string // an itemId
	page   string // a link that JD opens
	coupon string // a coupon's page, exactly as it was given
}

// aim decides what to ask for.
func aim(ref link.Ref) (target, error) {
	if ref.Network != "" && ref.Network != Name {
		return target{}, fault.Newf(fault.Invalid, reasonKind, "jd: a link of %s", ref.Network)
	}
	switch ref.Kind {
	case link.Item:
		if skuForm.MatchString(ref.ID) {
			return target{sku: ref.ID}, nil
		}
		if itemForm.MatchString(ref.ID) {
			return target{item: ref.ID}, nil
		}
	case link.Short, link.Click:
	case link.Token:
		return target{}, fault.Newf(fault.Invalid, reasonCommand, "jd: no method opens a 口令")
	case link.Coupon:
		if in, ok := nested(ref.URL); ok {
			return aimAt(in)
		}
		if _, ok := page(ref.URL); ok {
			return target{coupon: ref.URL}, nil
		}
	default:
		return target{}, fault.Newf(fault.Invalid, reasonKind, "jd: cannot open a %s", ref.Kind)
	}
	return aimAt(ref.URL)
}

// aimAt reads a link.
func aimAt(s string) (target, error) {
	s, ok := page(s)
	u, err := url.Parse(s)
	if !ok || err != nil {
		return target{}, fault.Newf(fault.Invalid, reasonUnreadable, "jd: not a link to JD")
	}
	if m := skuPath.FindStringSubmatch(u.Path); m != nil {
		return target{sku: m[1]}, nil
	}
	if m := itemPath.FindStringSubmatch(u.Path); m != nil && strings.HasPrefix(strings.ToLower(u.Host), "jingfen.") {
		return target{item: m[1]}, nil
	}
	for _, name := range []string{"sku", "skuId", "wareId"} {
		if id := u.Query().Get(name); skuForm.MatchString(id) {
			return target{sku: id}, nil
		}
	}
	return target{page: s}, nil
}

// nested returns the page that a coupon's page goes on to.
func nested(s string) (string, bool) {
	found := false
	for range unwrapMax {
		u, err := url.Parse(s)
		if err != nil {
			break
		}
		in, ok := "", false
		for _, name := range []string{"to", "url", "returnurl"} {
			if in, ok = page(u.Query().Get(name)); ok {
				break
			}
		}
		if !ok {
			break
		}
		s, found = in, true
	}
	return s, found
}

// unionLink reports whether a link is one that the union made.
func unionLink(s string) bool {
	u, err := url.Parse(s)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return host == "u.jd.com" || host == "union-click.jd.com"
}

// skuPage is the page of goods on the main site.
func skuPage(sku string) string { return "https://item.jd.com/" + sku + ".html" }

// page completes an address that JD wrote without a scheme, if it is one of JD's.
func page(s string) (string, bool) {
	if s == "" {
		return "", false
	}
	if strings.HasPrefix(s, "//") {
		s = "https:" + s
	} else if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || !ours(u) {
		return "", false
	}
	return s, true
}

// hosts are the domains under which JD has its pages and short links.
var hosts = []string{"jd.com", "jd.hk", "3.cn"}

// ours reports whether u leads to JD.
func ours(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	return (u.Scheme == "https" || u.Scheme == "http") && slices.ContainsFunc(hosts, func(d string) bool {
		return host == d || strings.HasSuffix(host, "."+d)
	})
}
