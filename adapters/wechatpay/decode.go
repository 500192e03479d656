package wechatpay

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// depthMax bounds how deep documents nest.
const depthMax = 16

var errDocument = errors.New("not one document without repeated names")

// unmarshal reads exactly one JSON object in which no name stands twice: two
// readers must not see two documents. encoding/json matches names whatever their
// case, so names that differ by case only are the same.
func unmarshal(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errDocument
	}
	if !object(d, 1) {
		return errDocument
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errDocument
	}
	if json.Unmarshal(body, into) != nil { // its text may show values
		return errDocument
	}
	return nil
}

// object walks to the end of an object that has begun.
func object(d *json.Decoder, depth int) bool {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		folded := strings.ToLower(name)
		if err != nil || !ok || seen[folded] || !value(d, depth) {
			return false
		}
		seen[folded] = true
	}
	_, err := d.Token()
	return err == nil
}

// value walks over one value.
func value(d *json.Decoder, depth int) bool {
	t, err := d.Token()
	if err != nil || depth > depthMax {
		return false
	}
	switch t {
	case json.Delim('{'):
		return object(d, depth+1)
	case json.Delim('['):
		for d.More() {
			if !value(d, depth+1) {
				return false
			}
		}
		_, err := d.Token()
		return err == nil
	default:
		return true
	}
}

// plain keeps a text that a stranger may have written out of logs, unless it
// looks like a code.
func plain(code string) string {
	for _, r := range code {
		if r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return "?"
		}
	}
	return cut(code, 48)
}
