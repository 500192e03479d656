package jdfake

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fanli/core/money"
)

// Shape is how answers look. The zero Shape is what the platform sends; the
// others are what its documentation shows and what was seen at times.
type Shape struct {
	Response bool   // the root ends in "_response"
	Object   bool   // the result is an object and not a text of one
	Quoted   bool   // every number and truth is a text
	Wrapped  bool   // an array stands in a wrapper object, and one element without an array
	Empty    string // an empty list is "[]" (also for ""), "null" or "missing"
}

// A rows is a list with the name of its wrapper.
type rows struct {
	wrapper string
	items   []any
}

// write sends the answer of a method.
func (s *Server) write(w http.ResponseWriter, name string, rep reply, no *refusal) {
	inner := map[string]any{"requestId": s.request()}
	if no != nil {
		inner["code"], inner["message"] = no.code, no.message
	} else {
		inner["code"], inner["message"] = 200, "success"
		if data, there := s.cfg.Shape.data(rep.data); there {
			inner["data"] = data
		}
		if rep.paged {
			inner["hasMore"] = rep.more
		}
		if rep.total > 0 {
			inner["totalCount"] = rep.total
		}
	}
	result := s.cfg.Shape.render(inner)
	if !s.cfg.Shape.Object {
		var text bytes.Buffer
		enc := json.NewEncoder(&text)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(result) // plain data
		result = strings.TrimSpace(text.String())
	}
	root := "_responce" //nolint:misspell // the platform's spelling
	if s.cfg.Shape.Response {
		root = "_response"
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	s.send(w, map[string]any{
		strings.ReplaceAll(name, ".", "_") + root: map[string]any{"code": "0", last + "Result": result},
	})
}

// data returns the data member, or false where it is left out.
func (sh Shape) data(v any) (any, bool) {
	if l, ok := v.(rows); ok && len(l.items) == 0 {
		switch sh.Empty {
		case "null":
			return nil, true
		case "missing":
			return nil, false
		}
		return []any{}, true
	}
	return v, true
}

// render gives plain data the shape.
func (sh Shape) render(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, m := range v {
			out[k] = sh.render(m)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, m := range v {
			out[i] = sh.render(m)
		}
		return out
	case rows:
		items := sh.render(append([]any{}, v.items...)).([]any)
		switch {
		case sh.Wrapped && len(items) == 1:
			return map[string]any{v.wrapper: items[0]}
		case sh.Wrapped && len(items) > 1:
			return map[string]any{v.wrapper: items}
		}
		return items
	}
	if !sh.Quoted {
		return v
	}
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return v
}

// yuan writes an amount as the platform does: 69.0, 2.43.
func yuan(f money.Fen) json.Number { return json.Number(strings.TrimSuffix(f.String(), "0")) }

// percent writes a rate likewise: 5.0, 5.25.
func percent(b money.Bps) json.Number { return yuan(money.Fen(b)) }

// stamp writes a time; "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(beijing).Format(timeLayout)
}

// number writes a number that is kept as digits; 0 for anything else.
func number(s string) json.Number {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return json.Number(strconv.FormatInt(n, 10))
	}
	return "0"
}
