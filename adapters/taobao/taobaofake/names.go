package taobaofake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"fanli/core/market"
)

const base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// letters spells n characters of base62 that depend on text and on the account.
func (s *Server) letters(n int, text string) string {
	var out []byte
	for i := 0; len(out) < n; i++ {
		h := hmac.New(sha256.New, []byte(s.cfg.AppSecret))
		fmt.Fprintf(h, "%s|%d|%s", s.cfg.PubID, i, text)
		for _, c := range h.Sum(nil) {
			out = append(out, base62[int(c)%len(base62)])
		}
	}
	return string(out[:n])
}

// draw spells n lower-case characters that differ from call to call.
func (s *Server) draw(n int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.random++
	return strings.ToLower(s.letters(n, "draw"+string(binary.BigEndian.AppendUint64(nil, s.random))))
}

// itemID writes a new-style id: a prefix of this answer, and what stays.
func (s *Server) itemID(g market.Goods) string { return s.draw(22) + "-" + s.suffix(g) }

// suffix is the part of an item id that belongs to the goods and the account.
func (s *Server) suffix(g market.Goods) string { return s.letters(22, "item"+g.ID) }

// goodsByNewID finds goods by an id that was given out.
func (s *Server) goodsByNewID(id string) (market.Goods, bool) {
	_, suffix, _ := strings.Cut(id, "-")
	for _, g := range s.market.Shelf() {
		if s.suffix(g) == suffix {
			return g, true
		}
	}
	return market.Goods{}, false
}

// longURL makes a link that carries its click and a proof that nobody altered
// it.
func (s *Server) longURL(page string, c market.Click) string {
	text := c.Item + "|" + c.Slot + "|" + c.Tag
	e := base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + s.letters(12, "link"+text)
	return s.cfg.BaseURL + page + "?e=" + e
}

// shortURL makes a link by a code of seven characters.
func (s *Server) shortURL(c market.Click) string {
	return s.cfg.BaseURL + "/" + s.code(7, c)
}

// code gives out a code for a click and remembers it.
func (s *Server) code(n int, c market.Click) string {
	code := s.codeOf(n, c)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = c
	return code
}

func (s *Server) codeOf(n int, c market.Click) string {
	return s.letters(n, fmt.Sprintf("code%d|%s|%s|%s", n, c.Item, c.Slot, c.Tag))
}

// behind finds the click of a code. One given out before a restart is found by
// trying every goods, and a page, in every adzone, so that old links keep working.
func (s *Server) behind(code string) (market.Click, bool) {
	s.mu.Lock()
	c, ok := s.codes[code]
	s.mu.Unlock()
	if ok {
		return c, true
	}
	for _, g := range append(s.market.Shelf(), market.Goods{}) {
		for _, slot := range s.cfg.Adzones {
			if c := (market.Click{Item: g.ID, Slot: slot}); s.codeOf(len(code), c) == code {
				return c, true
			}
		}
	}
	return market.Click{}, false
}

// Click says what is behind a link that the gateway made, long or short. A link
// that was altered leads nowhere.
func (s *Server) Click(link string) (market.Click, bool) {
	rest, ok := strings.CutPrefix(link, s.cfg.BaseURL+"/")
	u, err := url.Parse(link)
	if !ok || err != nil {
		return market.Click{}, false
	}
	if u.RawQuery == "" {
		return s.behind(rest)
	}
	text, proof, _ := strings.Cut(u.Query().Get("e"), ".")
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || proof != s.letters(12, "link"+string(b)) || len(u.Query()) != 1 {
		return market.Click{}, false
	}
	parts := strings.SplitN(string(b), "|", 3)
	if len(parts) != 3 {
		return market.Click{}, false
	}
	return market.Click{Item: parts[0], Slot: parts[1], Tag: parts[2]}, true
}

var tokenForm = regexp.MustCompile(`[A-Za-z0-9]{11}`)

// ClickToken says what is behind a 口令 that the gateway made, given bare, in
// its decoration, or in the long text.
func (s *Server) ClickToken(text string) (market.Click, bool) {
	for _, t := range tokenForm.FindAllString(text, -1) {
		if c, ok := s.behind(t); ok {
			return c, true
		}
	}
	return market.Click{}, false
}

// token makes a 口令 for a click: the short form and the long text around it.
func (s *Server) token(c market.Click, title string) (short, long string) {
	body := s.code(11, c)
	short = "￥" + body + "￥"
	return short, "47￥ CZ3457 " + body + "￥ https://m.tb.cn/h." + s.codeOf(7, c) + "  " + title
}

// buyerDigits are the last digits of an order number, which all orders of one
// buyer share.
const buyerDigits = 6

// NumberFor makes the nth order number of a buyer like any other: 19 digits. The
// line of an order with one item has the order's number.
func NumberFor(n int64) (order, line string) { return Buyer("271828")(n) }

// Buyer makes order numbers of one buyer, which end in the same six digits.
// Shorter suffixes are filled up with zeros, longer ones cut.
func Buyer(suffix string) func(n int64) (order, line string) {
	suffix = strings.Repeat("0", buyerDigits) + suffix
	suffix = suffix[len(suffix)-buyerDigits:]
	return func(n int64) (order, line string) {
		no := fmt.Sprintf("4%012d%s", n%1_000_000_000_000, suffix)
		return no, no
	}
}
