package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Bounds of a body.
const (
	bodyBytesMax = 64 << 10
	depthMax     = 4
)

// Decode reads a body that is one JSON object into a struct. It is strict: fields that
// are not known, are twice there, or are written in other letters are refused, and so
// are other types, what is nested more than depthMax, and anything behind the object.
// A field without omitempty has to be there.
func decode(r *http.Request, w http.ResponseWriter, into any) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if charset := params["charset"]; err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refuse(http.StatusUnsupportedMediaType, "api.media_type", "Content-Type")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return refuse(http.StatusRequestEntityTooLarge, "api.too_large", "")
	case err != nil:
		return refuse(http.StatusBadRequest, "api.unread", "")
	}
	return decodeBytes(body, into)
}

func decodeBytes(body []byte, into any) error {
	if !utf8.Valid(body) {
		return refuse(http.StatusBadRequest, "api.json", "")
	}
	if err := shape(body, into); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		return refuse(http.StatusUnprocessableEntity, "api.field_type", wrong.Field)
	case err != nil:
		return refuse(http.StatusBadRequest, "api.json", "")
	}
	return nil
}

// shape checks what encoding/json lets pass.
func shape(body []byte, into any) error {
	required, known := fieldsOf(into)
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	first, err := d.Token()
	if err != nil || first != json.Delim('{') {
		return refuse(http.StatusBadRequest, "api.json", "")
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := nameOf(d)
		switch {
		case err != nil:
			return err
		case seen[name]:
			return refuse(http.StatusBadRequest, "api.duplicate_field", brief(name))
		case !known[name]:
			return refuse(http.StatusUnprocessableEntity, "api.unknown_field", brief(name))
		}
		seen[name] = true
		if err := value(d, 1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return refuse(http.StatusBadRequest, "api.json", "")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return refuse(http.StatusBadRequest, "api.trailing", "")
	}
	for _, name := range required {
		if !seen[name] {
			return refuse(http.StatusUnprocessableEntity, "api.missing_field", name)
		}
	}
	return nil
}

func nameOf(d *json.Decoder) (string, error) {
	t, err := d.Token()
	name, ok := t.(string)
	if err != nil || !ok {
		return "", refuse(http.StatusBadRequest, "api.json", "")
	}
	return name, nil
}

// value reads one value at a depth.
func value(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return refuse(http.StatusBadRequest, "api.json", "")
	}
	if t == nil { // null would silently be as if it were not there
		return refuse(http.StatusUnprocessableEntity, "api.field_type", "")
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > depthMax {
		return refuse(http.StatusBadRequest, "api.too_deep", "")
	}
	seen := map[string]bool{}
	for d.More() {
		if open == '{' {
			name, err := nameOf(d)
			if err != nil {
				return err
			}
			if seen[name] {
				return refuse(http.StatusBadRequest, "api.duplicate_field", brief(name))
			}
			seen[name] = true
		}
		if err := value(d, depth); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return refuse(http.StatusBadRequest, "api.json", "")
	}
	return nil
}

// fieldsOf returns the names of a struct's fields: those that have to be there, and
// all.
func fieldsOf(into any) (required []string, known map[string]bool) {
	known = map[string]bool{}
	t := reflect.TypeOf(into).Elem()
	for i := range t.NumField() {
		name, rest, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known[name] = true
		if !strings.Contains(rest, "omit") {
			required = append(required, name)
		}
	}
	return required, known
}

// brief is a name that somebody made up, as far as it may be repeated.
func brief(name string) string {
	const runesMax = 40
	r := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, name))
	return string(r[:min(len(r), runesMax)])
}
