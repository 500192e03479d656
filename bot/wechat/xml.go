package wechat

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// The limits of a callback's body. A message is text of 2,048 bytes and some names.
const (
	bodyBytesMax = 64 << 10
	depthMax     = 5   // of elements in each other: ScanCodeInfo and lists have four
	elementsMax  = 256 // in all
)

// An element is one of a callback's body.
type element struct {
	name     string
	text     string
	children []*element
}

// repeatable names may come more than once: they are the lines of lists.
func repeatable(name string) bool { return name == "List" || name == "item" }

// parse reads a body: one root named xml, nothing that declares types, no element twice
// beside itself, few levels. It refuses with the reason.
func parse(b []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root *element
	var open []*element
	count := 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if root == nil || len(open) > 0 {
				return nil, errMalformed
			}
			return root, nil
		}
		if err != nil {
			return nil, errMalformed
		}
		switch t := t.(type) {
		case xml.StartElement:
			if count++; count > elementsMax || len(open) >= depthMax {
				return nil, errDeep
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
				return nil, errMalformed
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, errMalformed
			}
		case xml.Directive:
			return nil, errDTD
		case xml.ProcInst:
			if root != nil || t.Target != "xml" {
				return nil, errMalformed
			}
		}
	}
}

// begin puts a new element where it belongs.
func begin(open []*element, root *element, t xml.StartElement) (*element, error) {
	e := &element{name: t.Name.Local}
	switch {
	case t.Name.Space != "" || len(t.Attr) > 0:
		return nil, errMalformed
	case len(open) > 0:
		up := open[len(open)-1]
		if up.child(e.name) != nil && !repeatable(e.name) {
			return nil, errDuplicate
		}
		up.children = append(up.children, e)
	case root != nil:
		return nil, errRoot
	case e.name != "xml":
		return nil, errMalformed
	}
	return e, nil
}

// find returns the text of a child; "" if there is none.
func (e *element) find(name string) string {
	if c := e.child(name); c != nil {
		return strings.TrimSpace(c.text)
	}
	return ""
}

// child returns a child; nil if there is none.
func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}
