package callback

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// The limits of a callback's body. A message is text of 2,048 bytes and some names.
const (
	BodyBytesMax = 64 << 10
	depthMax     = 5   // of elements in each other: ScanCodeInfo and lists have four
	elementsMax  = 256 // in all
)

// An Element is one of a callback's body.
type Element struct {
	name     string
	text     string
	children []*Element
}

// repeatable names may come more than once: they are the lines of lists.
func repeatable(name string) bool { return name == "List" || name == "item" }

// Parse reads a body: one root named xml, nothing that declares types, no element twice
// beside itself, few levels. It refuses with the reason.
func Parse(b []byte) (*Element, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root *Element
	var open []*Element
	count := 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if root == nil || len(open) > 0 {
				return nil, ErrMalformed
			}
			return root, nil
		}
		if err != nil {
			return nil, ErrMalformed
		}
		switch t := t.(type) {
		case xml.StartElement:
			if count++; count > elementsMax || len(open) >= depthMax {
				return nil, ErrDeep
			}
			e, err := begin(open, root, t)
			if err != nil {
				return nil, err
			}
			if root == nil {
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1].name != t.Name.Local {
				return nil, ErrMalformed
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, ErrMalformed
			}
		case xml.Directive:
			return nil, ErrDTD
		case xml.ProcInst:
			if root != nil || t.Target != "xml" {
				return nil, ErrMalformed
			}
		}
	}
}

// begin puts a new element where it belongs.
func begin(open []*Element, root *Element, t xml.StartElement) (*Element, error) {
	e := &Element{name: t.Name.Local}
	switch {
	case t.Name.Space != "" || len(t.Attr) > 0:
		return nil, ErrMalformed
	case len(open) > 0:
		up := open[len(open)-1]
		if up.Child(e.name) != nil && !repeatable(e.name) {
			return nil, ErrDuplicate
		}
		up.children = append(up.children, e)
	case root != nil:
		return nil, ErrRoot
	case e.name != "xml":
		return nil, ErrMalformed
	}
	return e, nil
}

// Find returns the text of a child; "" if there is none.
func (e *Element) Find(name string) string {
	if c := e.Child(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

// Child returns a child; nil if there is none.
func (e *Element) Child(name string) *Element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}
