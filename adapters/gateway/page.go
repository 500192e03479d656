package gateway

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
)

// How many of a list one answer has.
const (
	countDefault = 20
	countMax     = 100
)

// cursorMark begins a cursor, before it is made unreadable: what is in one is ours to
// change.
const cursorMark = "v1:"

// cursor returns where a list goes on after the one with an id.
func cursor(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(cursorMark + strconv.FormatInt(id, 10)))
}

// cutCursor reads what cursor wrote.
func cutCursor(text string) (id int64, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return 0, false
	}
	digits, ok := strings.CutPrefix(string(b), cursorMark)
	if !ok {
		return 0, false
	}
	id, err = strconv.ParseInt(digits, 10, 64)
	return id, err == nil && id > 0 && cursor(id) == text
}

// parseQuery reads a query; one that cannot be read is an error.
func parseQuery(raw string) (url.Values, error) { return url.ParseQuery(raw) }
