package telegramfake

import (
	"encoding/json"
	"net/url"
)

// The limits of an inline keyboard.
const (
	dataBytesMax = 64
	copyUnitsMax = 256
	rowMax       = 8
	buttonsMax   = 100
)

// markupOf reads the keyboard of a message.
func markupOf(p Params) (*keyboard, *failure) {
	raw := p["reply_markup"]
	if raw == "" || raw == "null" {
		return nil, nil
	}
	var k keyboard
	if err := json.Unmarshal([]byte(raw), &k); err != nil {
		return nil, refuse("can't parse reply keyboard markup JSON object")
	}
	total := 0
	for _, row := range k.Rows {
		total += len(row)
		if len(row) > rowMax {
			return nil, refuse("reply markup is too long")
		}
		for _, b := range row {
			if f := b.check(); f != nil {
				return nil, f
			}
		}
	}
	if total > buttonsMax {
		return nil, refuse("reply markup is too long")
	}
	if total == 0 {
		return nil, nil
	}
	return &k, nil
}

// check says what is wrong with a button; nil for nothing.
func (b wireButton) check() *failure {
	actions := 0
	for _, set := range []bool{b.URL != "", b.Data != "", b.Copy != nil} {
		if set {
			actions++
		}
	}
	switch {
	case b.Text == "":
		return refuse("can't parse inline keyboard button: Button text must be non-empty")
	case actions != 1:
		return refuse("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
	case len(b.Data) > dataBytesMax:
		return refuse("BUTTON_DATA_INVALID")
	case b.Copy != nil && (b.Copy.Text == "" || units(b.Copy.Text) > copyUnitsMax):
		return refuse("BUTTON_COPY_TEXT_INVALID")
	case b.URL != "" && !addressAllowed(b.URL):
		return refuse("inline keyboard button URL '%s' is invalid: Unsupported URL protocol", b.URL)
	default:
		return nil
	}
}

func addressAllowed(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https" || u.Scheme == "tg")
}

// buttons returns the keyboard as people see it.
func (k *keyboard) buttons() [][]Button {
	if k == nil {
		return nil
	}
	var rows [][]Button
	for _, row := range k.Rows {
		var r []Button
		for _, b := range row {
			shown := Button{Text: b.Text, URL: b.URL, Data: b.Data}
			if b.Copy != nil {
				shown.Copy = b.Copy.Text
			}
			r = append(r, shown)
		}
		rows = append(rows, r)
	}
	return rows
}
