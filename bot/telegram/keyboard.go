package telegram

import (
	"net/url"
	"strings"
	"unicode/utf16"

	"fanli/bot"
)

// Telegram's limits for inline keyboards, and how wide a row may get on a phone.
const (
	dataBytesMax  = 64
	copyUnitsMax  = 256  // UTF-16 code units
	addressMax    = 2048 // bytes; longer ones are refused
	keyboardMax   = 90   // buttons; Telegram takes a hundred
	rowButtonsMax = 4
	rowCellsMax   = 28 // a Chinese character takes two
	labelRunesMax = 40
)

// button is a button as Telegram takes it. The library's type does not know
// buttons that copy.
type button struct {
	Text string    `json:"text"`
	URL  string    `json:"url,omitempty"`
	Data string    `json:"callback_data,omitempty"`
	Copy *copyText `json:"copy_text,omitempty"`
}

type copyText struct {
	Text string `json:"text"`
}

// keyboard is what stands under a message.
type keyboard struct {
	Rows [][]button `json:"inline_keyboard"`
}

// A keyPad is what stays below a private chat, in the place of letters.
type keyPad struct {
	Rows       [][]key `json:"keyboard"`
	Persistent bool    `json:"is_persistent"`
	Small      bool    `json:"resize_keyboard"` // as low as its rows need
}

// key says its text.
type key struct {
	Text string `json:"text"`
}

// padOf puts words onto keys, in one row.
func padOf(words []string) keyPad {
	row := make([]key, 0, len(words))
	for _, w := range words {
		row = append(row, key{w})
	}
	return keyPad{Rows: [][]key{row}, Persistent: true, Small: true}
}

// buttons makes rows of buttons. What Telegram has no button for is returned as
// lines, so that nothing is lost: "复制口令: 8€…".
func buttons(list []bot.Button, mark string) (rows [][]button, rest []line) {
	var row []button
	used := 0
	for _, b := range list {
		made, ok := makeButton(b, mark)
		if !ok {
			if l := spelled(b); l != nil {
				rest = append(rest, l)
			}
			continue
		}
		n := cells(made.Text)
		if len(row) == rowButtonsMax || len(row) > 0 && used+n > rowCellsMax {
			rows, row, used = append(rows, row), nil, 0
		}
		row, used = append(row, made), used+n
	}
	if len(row) > 0 {
		rows = append(rows, row)
	}
	return rows, rest
}

// makeButton reports false for what Telegram would refuse.
func makeButton(b bot.Button, mark string) (button, bool) {
	made := button{Text: mark + shorten(single(b.Label), labelRunesMax)}
	switch {
	case single(b.Label) == "":
		return button{}, false
	case b.URL != "":
		made.URL = b.URL
		return made, addressFits(b.URL)
	case b.Copy != "":
		made.Copy = &copyText{b.Copy}
		return made, len(utf16.Encode([]rune(b.Copy))) <= copyUnitsMax
	default:
		made.Data = b.Action
		return made, b.Action != "" && len(b.Action) <= dataBytesMax
	}
}

// spelled is a button as a line. An action that does not fit has no other form.
func spelled(b bot.Button) line {
	label := single(b.Label)
	if label != "" {
		label += ": "
	}
	switch {
	case b.URL != "":
		return line{{text: label}, {single(b.URL), code}}
	case b.Copy != "":
		return line{{text: label}, {single(b.Copy), code}}
	default:
		return nil
	}
}

// addressFits reports whether Telegram takes an address on a button.
func addressFits(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= addressMax && u.Host != "" &&
		(u.Scheme == "https" || u.Scheme == "http" || u.Scheme == "tg")
}

// cells is how wide a text is on a phone: Latin letters take one, the rest two.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

// shorten cuts a text to a number of characters.
func shorten(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return strings.TrimSpace(string(r[:limit-1])) + "…"
}

// count returns how many buttons rows have.
func count(rows [][]button) int {
	n := 0
	for _, r := range rows {
		n += len(r)
	}
	return n
}
