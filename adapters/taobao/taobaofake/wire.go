package taobaofake

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// An object is a document on its way out; nil values are left out.
type object map[string]any

// A list is written in an object with one key, named after the class of its
// elements, unless the caller wants it simple. Empty it is {}.
type list struct {
	class string
	rows  []any
}

// plain turns objects and lists into what encoding/json writes.
func plain(v any, simple bool) any {
	switch v := v.(type) {
	case object:
		out := map[string]any{}
		for k, f := range v {
			if f != nil {
				out[k] = plain(f, simple)
			}
		}
		return out
	case list:
		rows := make([]any, 0, len(v.rows))
		for _, r := range v.rows {
			rows = append(rows, plain(r, simple))
		}
		switch {
		case len(rows) == 0:
			return map[string]any{}
		case simple:
			return rows
		default:
			return map[string]any{v.class: rows}
		}
	default:
		return v
	}
}

// root is the name of the answer's outermost object.
func (c *call) root() string {
	return strings.ReplaceAll(strings.TrimPrefix(c.method, "taobao."), ".", "_") + "_response"
}

// errorObject is the body of an error answer.
func (c *call) errorObject(no refusal) object {
	e := object{"code": no.code, "msg": no.msg, "request_id": c.requestID}
	if no.sub != "" {
		e["sub_code"] = no.sub
	}
	if no.subMsg != "" {
		e["sub_msg"] = no.subMsg
	}
	return e
}

// json writes an answer with escaped slashes, as the platform does.
func (c *call) json(payload object, no refusal, simple bool) []byte {
	var top object
	switch {
	case no.code != 0:
		top = object{"error_response": c.errorObject(no)}
	case simple:
		top = maps.Clone(payload)
		top["request_id"] = c.requestID
	default:
		inner := maps.Clone(payload)
		inner["request_id"] = c.requestID
		top = object{c.root(): inner}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain(top, simple)); err != nil { // every value is plain data
		panic(err)
	}
	return bytes.ReplaceAll(bytes.TrimSpace(b.Bytes()), []byte("/"), []byte(`\/`))
}

// xml writes an answer in the platform's default format.
func (c *call) xml(payload object, no refusal) []byte {
	root, body := c.root(), maps.Clone(payload)
	if no.code != 0 {
		root, body = "error_response", c.errorObject(no)
	} else {
		body["request_id"] = c.requestID
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="utf-8" ?>`)
	element(&b, root, body)
	return b.Bytes()
}

func element(b *bytes.Buffer, name string, v any) {
	if v == nil {
		return
	}
	fmt.Fprintf(b, "<%s>", name)
	switch v := v.(type) {
	case object:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			element(b, k, v[k])
		}
	case list:
		for _, r := range v.rows {
			element(b, v.class, r)
		}
	default:
		_ = xml.EscapeText(b, []byte(fmt.Sprint(v)))
	}
	fmt.Fprintf(b, "</%s>", name)
}
