package telegramfake

import "encoding/json"

// A keyPad is a reply keyboard: keys below a chat, of which each says its text.
type keyPad struct {
	rows [][]string
	gone bool // it takes away the one that is there
}

// padOf reads what a message does with the keys below its chat; nil for nothing. A message
// that is changed can do nothing with them, whatever it wants.
func padOf(p Params) (*keyPad, *failure) {
	var markup struct {
		Keyboard []json.RawMessage `json:"keyboard"`
		Inline   json.RawMessage   `json:"inline_keyboard"`
		Remove   bool              `json:"remove_keyboard"`
		Force    bool              `json:"force_reply"`
	}
	raw := p["reply_markup"]
	if raw == "" || raw == "null" {
		return nil, nil
	}
	if json.Unmarshal([]byte(raw), &markup) != nil {
		return nil, refuse("can't parse reply keyboard markup JSON object")
	}
	switch {
	case markup.Keyboard != nil && markup.Inline == nil: // of several, Telegram takes the first that it knows
	case markup.Remove, markup.Force:
		return &keyPad{gone: markup.Remove}, nil
	default:
		return nil, nil
	}
	pad, total := &keyPad{}, 0
	for _, raw := range markup.Keyboard {
		row, f := rowOf(raw)
		if f != nil {
			return nil, f
		}
		if total += len(row); len(row) > rowMax || total > buttonsMax {
			return nil, refuse("reply markup is too long")
		}
		if len(row) > 0 {
			pad.rows = append(pad.rows, row)
		}
	}
	if total == 0 {
		return nil, nil
	}
	return pad, nil
}

// rowOf reads a row of keys: each is a text, or an object that has one.
func rowOf(raw json.RawMessage) (row []string, f *failure) {
	var keys []json.RawMessage
	if json.Unmarshal(raw, &keys) != nil {
		return nil, refuse("field \"keyboard\" must be an Array of Arrays")
	}
	for _, k := range keys {
		var text string
		if json.Unmarshal(k, &text) != nil {
			var object map[string]json.RawMessage
			if json.Unmarshal(k, &object) != nil || object == nil {
				return nil, refuse("can't parse keyboard button: KeyboardButton must be a String or an Object")
			}
			if object["text"] == nil {
				return nil, refuse("can't parse keyboard button: Can't find field \"text\"")
			}
			if json.Unmarshal(object["text"], &text) != nil {
				return nil, refuse("can't parse keyboard button: Field \"text\" must be of type String")
			}
		}
		if text == "" {
			return nil, refuse("keyboard button text must be non-empty")
		}
		row = append(row, text)
	}
	return row, nil
}

// touch does with the keys below a chat what a message wants.
func (r *room) touch(pad *keyPad) {
	switch {
	case pad == nil:
	case pad.gone:
		r.keys = nil
	case pad.rows != nil:
		r.keys = pad.rows
	}
}

// Keys returns the rows of keys that are below a chat now. Who presses one says its text.
func (s *Server) Keys(chat int64) [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.room(chat).keys
}
