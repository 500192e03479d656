package platform

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/silenceper/wechat/v2/officialaccount/menu"

	"fanli/bot/tencent"
	"fanli/core/fault"
)

// The limits of a menu: numbers, and bytes.
const (
	topMax     = 3
	subMax     = 5
	topNameMax = 16 // of which WeChat shows four characters of Chinese
	subNameMax = 60 // eight
	keyMax     = 128
	urlMax     = 1024
	domainsMax = 3
)

// A Button is one of the menu. It says something for the person, opens a page, or has
// others below it.
type Button struct {
	Name string   `yaml:"name"`
	Say  string   `yaml:"say"` // as if they had written it
	URL  string   `yaml:"url"`
	Sub  []Button `yaml:"sub"`
}

// A Menu is what stands below the chat: at most three buttons, each with at most five.
type Menu []Button

// Check says what WeChat would refuse, with the name of the button: fault.Invalid, with
// reason wechat.menu.
func (m Menu) Check() error {
	bad := func(format string, args ...any) error { return fault.Newf(fault.Invalid, BadMenu, format, args...) }
	if len(m) < 1 || len(m) > topMax {
		return bad("%d buttons at the bottom, not 1 to %d", len(m), topMax)
	}
	hosts := map[string]bool{}
	for _, b := range m {
		if err := b.check(topNameMax, hosts); err != nil {
			return err
		}
		if len(b.Sub) > subMax {
			return bad("%q has %d buttons, more than %d", b.Name, len(b.Sub), subMax)
		}
		for _, sub := range b.Sub {
			if len(sub.Sub) > 0 {
				return bad("%q is below another button and has some below it", sub.Name)
			}
			if err := sub.check(subNameMax, hosts); err != nil {
				return err
			}
		}
	}
	if len(hosts) > domainsMax {
		return bad("pages of %d domains, more than %d", len(hosts), domainsMax)
	}
	return nil
}

// check says what is wrong with one button, and notes the domain to which it leads.
func (b Button) check(nameMax int, hosts map[string]bool) error {
	bad := func(format string, args ...any) error { return fault.Newf(fault.Invalid, BadMenu, format, args...) }
	does := 0
	for _, set := range []bool{b.Say != "", b.URL != "", len(b.Sub) > 0} {
		if set {
			does++
		}
	}
	switch n := len(b.Name); {
	case n < 1 || n > nameMax:
		return bad("the name %q has %d bytes, not 1 to %d", b.Name, n, nameMax)
	case does != 1:
		return bad("%q needs exactly one of say, url and sub", b.Name)
	case len(b.Say) > keyMax:
		return bad("what %q says has %d bytes, more than %d", b.Name, len(b.Say), keyMax)
	case b.URL == "":
		return nil
	case len(b.URL) > urlMax:
		return bad("the address of %q has %d bytes, more than %d", b.Name, len(b.URL), urlMax)
	}
	u, err := url.Parse(b.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return bad("the address of %q is none", b.Name)
	}
	hosts[u.Hostname()] = true
	return nil
}

// wire is the menu as WeChat takes it.
func (m Menu) wire() []*menu.Button {
	out := make([]*menu.Button, 0, len(m))
	for _, b := range m {
		switch {
		case len(b.Sub) > 0:
			out = append(out, menu.NewSubButton(b.Name, Menu(b.Sub).wire()))
		case b.URL != "":
			out = append(out, menu.NewViewButton(b.Name, b.URL))
		default:
			out = append(out, menu.NewClickButton(b.Name, b.Say))
		}
	}
	return out
}

// menuOf reads a menu of WeChat. Buttons of kinds that we don't make keep their name.
func menuOf(buttons []*menu.Button) Menu {
	var out Menu
	for _, b := range buttons {
		out = append(out, Button{Name: b.Name, Say: b.Key, URL: b.URL, Sub: menuOf(b.SubButtons)})
	}
	return out
}

// A Match says who sees a conditional menu; exactly as WeChat does since 2022: by tag, by
// what their client runs on, or by both.
type Match struct {
	Tag      int64  // 0 for any
	Platform string // 1 iOS, 2 Android, 3 others; "" for any
}

// Menus are all menus of the account.
type Menus struct {
	Default     Menu
	Conditional []Conditional // the newest that fits is shown
}

// A Conditional is a menu that only some see.
type Conditional struct {
	ID    string
	Menu  Menu
	Match Match
}

// A rule is a Match on the wire.
type rule struct {
	Tag      string `json:"tag_id,omitempty"`
	Platform string `json:"client_platform_type,omitempty"`
}

// SetMenu publishes the menu that everybody sees. Clients show it within five minutes.
func (c *Client) SetMenu(ctx context.Context, m Menu) error {
	const op = "wechat.SetMenu"
	if err := m.Check(); err != nil {
		return fault.In(op, err)
	}
	return c.Do(ctx, op, "/cgi-bin/menu/create", map[string]any{"button": m.wire()}, nil)
}

// Menu returns all menus. It fails with fault.NotFound where there is none.
func (c *Client) Menu(ctx context.Context) (Menus, error) {
	var got struct {
		Menu struct {
			Buttons []*menu.Button `json:"button"`
		} `json:"menu"`
		Conditional []struct {
			Buttons []*menu.Button `json:"button"`
			Rule    rule           `json:"matchrule"`
			ID      int64          `json:"menuid"`
		} `json:"conditionalmenu"`
	}
	if err := c.Call(ctx, tencent.Request{Op: "wechat.Menu", Path: "/cgi-bin/menu/get"}, &got); err != nil {
		return Menus{}, err
	}
	out := Menus{Default: menuOf(got.Menu.Buttons)}
	for _, o := range got.Conditional {
		tag, _ := strconv.ParseInt(o.Rule.Tag, 10, 64) // 0 where there is none
		out.Conditional = append(out.Conditional, Conditional{
			ID: strconv.FormatInt(o.ID, 10), Menu: menuOf(o.Buttons), Match: Match{tag, o.Rule.Platform},
		})
	}
	return out, nil
}

// DeleteMenu takes all menus away, the conditional ones, too.
func (c *Client) DeleteMenu(ctx context.Context) error {
	return c.Call(ctx, tencent.Request{Op: "wechat.DeleteMenu", Path: "/cgi-bin/menu/delete"}, nil)
}

// AddConditionalMenu publishes a menu for some and returns its id. There must be one for
// everybody: it fails with fault.NotFound otherwise.
func (c *Client) AddConditionalMenu(ctx context.Context, m Menu, who Match) (id string, err error) {
	const op = "wechat.AddConditionalMenu"
	if err := m.Check(); err != nil {
		return "", fault.In(op, err)
	}
	r := rule{Platform: who.Platform}
	if who.Tag != 0 {
		r.Tag = strconv.FormatInt(who.Tag, 10)
	}
	var got struct {
		ID any `json:"menuid"` // a text, says the documentation; a number, say some
	}
	err = c.Do(ctx, op, "/cgi-bin/menu/addconditional", map[string]any{"button": m.wire(), "matchrule": r}, &got)
	switch id := got.ID.(type) {
	case string:
		return id, err
	case float64:
		return strconv.FormatInt(int64(id), 10), err
	default:
		if err == nil {
			err = fault.Wrap(fault.Unavailable, op, fmt.Errorf("an answer without an id"))
		}
		return "", err
	}
}

// DeleteConditionalMenu takes one away. It fails with fault.NotFound for one that there
// is not.
func (c *Client) DeleteConditionalMenu(ctx context.Context, id string) error {
	return c.Do(ctx, "wechat.DeleteConditionalMenu", "/cgi-bin/menu/delconditional", map[string]string{"menuid": id}, nil)
}

// TryMenu returns the menu that a person sees.
func (c *Client) TryMenu(ctx context.Context, openid string) (Menu, error) {
	var got struct {
		Buttons []*menu.Button `json:"button"`
	}
	err := c.Do(ctx, "wechat.TryMenu", "/cgi-bin/menu/trymatch", map[string]string{"user_id": openid}, &got)
	return menuOf(got.Buttons), err
}
