package money

import (
	"bytes"
	"encoding/json"
	"strings"
)

// A Number is the text of a number as a network wrote it, quoted or bare. It
// decodes from both forms, from true and false as "true" and "false", and from
// null as "", without ever passing through a float.
type Number string

// UnmarshalJSON keeps the text.
func (n *Number) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	if bytes.Equal(b, []byte("null")) {
		*n = ""
		return nil
	}
	if bytes.HasPrefix(b, []byte{'"'}) {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*n = Number(strings.TrimSpace(s))
		return nil
	}
	*n = Number(b)
	return nil
}

// Yuan reads the number as yuan. Empty text and the networks' "--" are zero.
func (n Number) Yuan(r Rounding) (Fen, error) {
	if n == "" || n == "--" {
		return 0, nil
	}
	return ParseYuan(string(n), r)
}

// Percent reads the number as a percentage. Empty text and "--" are zero.
func (n Number) Percent(r Rounding) (Bps, error) {
	if n == "" || n == "--" {
		return 0, nil
	}
	return ParsePercent(string(n), r)
}
