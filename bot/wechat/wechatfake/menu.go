package wechatfake

import (
	"context"
	"net/url"
	"slices"
	"strconv"
)

// A Button is one of a menu.
type Button struct {
	Type     string   `json:"type,omitempty"`
	Name     string   `json:"name"`
	Key      string   `json:"key,omitempty"`
	URL      string   `json:"url,omitempty"`
	MediaID  string   `json:"media_id,omitempty"`
	AppID    string   `json:"appid,omitempty"`
	PagePath string   `json:"pagepath,omitempty"`
	Sub      []Button `json:"sub_button"`
}

// menus are an account's menu and those that only some see.
type menus struct {
	all         []Button
	conditional []conditional // the newest last
	lastID      int64
}

type conditional struct {
	id      int64
	buttons []Button
	rule    matchRule
}

// A matchRule says who sees a menu.
type matchRule struct {
	Tag      string `json:"tag_id,omitempty"`
	Platform string `json:"client_platform_type,omitempty"`
	Sex      string `json:"sex,omitempty"`
	Country  string `json:"country,omitempty"`
	Province string `json:"province,omitempty"`
	City     string `json:"city,omitempty"`
	Language string `json:"language,omitempty"`
}

// The limits of a menu, in bytes and numbers.
const (
	topMax, subMax         = 3, 5
	topNameMax, subNameMax = 16, 60
	keyMax, urlMax         = 128, 1024
	domainsMax             = 3
	firstMenu              = 208_379_533
)

// codesOf are what is said of a button at the top and of one below it.
type menuCodes struct{ count, kind, name, key, url, domain int }

var (
	topCodes = menuCodes{40016, 40017, 40018, 40019, 40020, 40055}
	subCodes = menuCodes{40023, 40024, 40025, 40026, 40027, 40054}
)

// withKey and withURL are the kinds of buttons that need one.
var (
	withKey = []string{"click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select"}
	withURL = []string{"view", "miniprogram"}
	others  = []string{"media_id", "view_limited", "article_id", "article_view_limited"}
)

// checkMenu says what is wrong with a menu; nil for nothing.
func checkMenu(buttons []Button) *refusal {
	if len(buttons) < 1 || len(buttons) > topMax {
		return refuse(topCodes.count, "invalid button size")
	}
	for _, b := range buttons {
		if n := len(b.Name); n < 1 || n > topNameMax {
			return refuse(topCodes.name, "invalid button name size")
		}
		if len(b.Sub) == 0 {
			if f := b.check(topCodes); f != nil {
				return f
			}
			continue
		}
		if len(b.Sub) > subMax {
			return refuse(subCodes.count, "invalid sub button size")
		}
		for _, sub := range b.Sub {
			switch n := len(sub.Name); {
			case len(sub.Sub) > 0:
				return refuse(40022, "invalid sub menu level size")
			case n < 1 || n > subNameMax:
				return refuse(subCodes.name, "invalid sub button name size")
			}
			if f := sub.check(subCodes); f != nil {
				return f
			}
		}
	}
	return nil
}

// check says what is wrong with what a button does.
func (b Button) check(c menuCodes) *refusal {
	switch {
	case slices.Contains(withKey, b.Type):
		if n := len(b.Key); n < 1 || n > keyMax {
			return refuse(c.key, "invalid button key size")
		}
	case slices.Contains(withURL, b.Type):
		if n := len(b.URL); n < 1 || n > urlMax {
			return refuse(c.url, "invalid button url size")
		}
		if u, err := url.Parse(b.URL); err != nil || u.Host == "" {
			return refuse(c.domain, "invalid button url domain")
		}
	case !slices.Contains(others, b.Type):
		return refuse(c.kind, "invalid button type")
	}
	return nil
}

func (s *Server) createMenu(r *request) (any, *refusal) {
	var in struct {
		Buttons []Button `json:"button"`
	}
	f := r.decode(&in)
	if f == nil {
		f = checkMenu(in.Buttons)
	}
	if f == nil {
		s.menus.all = in.Buttons
	}
	return nil, f
}

func (s *Server) getMenu(*request) (any, *refusal) {
	if s.menus.all == nil {
		return nil, refuse(46003, "menu no exist")
	}
	out := map[string]any{"menu": map[string]any{"button": shown(s.menus.all)}}
	if len(s.menus.conditional) > 0 {
		var list []map[string]any
		for _, c := range s.menus.conditional {
			list = append(list, map[string]any{"button": shown(c.buttons), "matchrule": c.rule, "menuid": c.id})
		}
		out["conditionalmenu"] = list
	}
	return out, nil
}

// shown has a list in place of no list, as the platform's answers have.
func shown(buttons []Button) []Button {
	out := slices.Clone(buttons)
	for i := range out {
		if out[i].Sub == nil {
			out[i].Sub = []Button{}
		}
		out[i].Sub = shown(out[i].Sub)
	}
	return out
}

func (s *Server) deleteMenu(*request) (any, *refusal) {
	s.menus = menus{lastID: s.menus.lastID}
	return nil, nil
}

func (s *Server) addConditional(r *request) (any, *refusal) {
	var in struct {
		Buttons []Button  `json:"button"`
		Rule    matchRule `json:"matchrule"`
	}
	f := r.decode(&in)
	if f == nil {
		f = checkMenu(in.Buttons)
	}
	rule := in.Rule
	switch {
	case f != nil:
		return nil, f
	case s.menus.all == nil:
		return nil, refuse(65303, "no default menu")
	case rule.Sex+rule.Country+rule.Province+rule.City+rule.Language != "":
		return nil, refuse(65320, "matchrule not supported")
	case rule.Tag == "" && rule.Platform == "":
		return nil, refuse(65304, "match rule empty")
	case rule.Tag != "" && !s.tagged(rule.Tag):
		return nil, refuse(45159, "invalid tag id")
	case domains(in.Buttons) > domainsMax:
		return nil, refuse(65316, "too many domains")
	}
	if s.menus.lastID == 0 {
		s.menus.lastID = firstMenu
	}
	s.menus.lastID++
	s.menus.conditional = append(s.menus.conditional, conditional{s.menus.lastID, in.Buttons, rule})
	return map[string]any{"menuid": strconv.FormatInt(s.menus.lastID, 10)}, nil
}

// domains counts the hosts that a menu leads to.
func domains(buttons []Button) int {
	hosts := map[string]bool{}
	for _, b := range buttons {
		for _, b := range append([]Button{b}, b.Sub...) {
			if u, err := url.Parse(b.URL); err == nil && u.Host != "" {
				hosts[u.Host] = true
			}
		}
	}
	return len(hosts)
}

func (s *Server) deleteConditional(r *request) (any, *refusal) {
	var in struct {
		ID string `json:"menuid"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	i := slices.IndexFunc(s.menus.conditional, func(c conditional) bool { return strconv.FormatInt(c.id, 10) == in.ID })
	if i < 0 {
		return nil, refuse(65301, "menuid not exist")
	}
	s.menus.conditional = slices.Delete(s.menus.conditional, i, i+1)
	return nil, nil
}

func (s *Server) tryMenu(r *request) (any, *refusal) {
	var in struct {
		User string `json:"user_id"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	p := s.people[in.User]
	if p == nil || !p.following {
		return nil, refuse(65302, "no such user")
	}
	b := s.menuOf(p)
	if b == nil {
		return nil, refuse(46003, "menu no exist")
	}
	return map[string]any{"button": shown(b)}, nil
}

// menuOf is the menu that somebody sees: the newest that fits.
func (s *Server) menuOf(p *follower) []Button {
	for _, c := range slices.Backward(s.menus.conditional) {
		tag, _ := strconv.ParseInt(c.rule.Tag, 10, 64)
		if (c.rule.Tag == "" || slices.Contains(p.tags, tag)) && (c.rule.Platform == "" || c.rule.Platform == p.platform) {
			return c.buttons
		}
	}
	return s.menus.all
}

// MenuOf returns the menu that somebody sees; nil for none.
func (s *Server) MenuOf(openid string) []Button {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.menuOf(s.person(openid))
}

// Press is a person who presses the button with a name. The outcome of one that there
// is not is of no delivery.
func (s *Server) Press(ctx context.Context, openid, name string) Outcome {
	for _, top := range s.MenuOf(openid) {
		for _, b := range append([]Button{top}, top.Sub...) {
			switch {
			case b.Name != name:
			case b.Type == "view":
				return s.View(ctx, openid, b.URL)
			case b.Type == "click":
				return s.Click(ctx, openid, b.Key)
			default:
				return s.Event(ctx, openid, b.Type, "EventKey", b.Key)
			}
		}
	}
	return Outcome{Why: "there is no button " + name}
}
