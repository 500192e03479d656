package jd

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// wrappersMax limits how many wrappers are taken off a list.
const wrappersMax = 3

// list returns the elements of raw, which may be an array, one object, either of
// them in a wrapper object, a text of any of these, or nothing.
func list(raw json.RawMessage) ([]json.RawMessage, error) { return listIn(raw, wrappersMax) }

func listIn(raw json.RawMessage, wrappers int) ([]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	switch raw[0] {
	case '[':
		var all []json.RawMessage
		err := json.Unmarshal(raw, &all)
		return all, err
	case '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(raw, &members); err != nil {
			return nil, err
		}
		if len(members) == 0 {
			return nil, nil
		}
		if in, ok := wrapped(members); ok && wrappers > 0 {
			return listIn(in, wrappers-1)
		}
		return []json.RawMessage{raw}, nil
	case '"':
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, err
		}
		if wrappers > 0 {
			return listIn(json.RawMessage(s), wrappers-1)
		}
	}
	return nil, fmt.Errorf("a list is expected, not %.20q", raw)
}

// wrapped returns the only member of an object, if that is an object or array.
func wrapped(members map[string]json.RawMessage) (json.RawMessage, bool) {
	if len(members) != 1 {
		return nil, false
	}
	for _, v := range members {
		return v, len(v) > 0 && (v[0] == '{' || v[0] == '[')
	}
	return nil, false
}

// many is a list in any of JD's shapes, of which every element can be read.
type many[T any] []T

// UnmarshalJSON reads the list.
func (m *many[T]) UnmarshalJSON(b []byte) error {
	raws, err := list(b)
	if err != nil {
		return err
	}
	for _, raw := range raws {
		var v T
		if err := json.Unmarshal(raw, &v); err != nil {
			return err
		}
		*m = append(*m, v)
	}
	return nil
}
