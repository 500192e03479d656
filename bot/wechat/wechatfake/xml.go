package wechatfake

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
)

// A node is one element of a message that is pushed.
type node struct {
	name     string
	text     string
	number   bool // without CDATA
	children []node
}

func textNode(name, text string) node { return node{name: name, text: text} }

func numberNode(name string, n int64) node {
	return node{name: name, text: strconv.FormatInt(n, 10), number: true}
}

// render writes a message, its nodes in any order: nobody may rely on one.
func render(nodes []node) []byte {
	var b bytes.Buffer
	b.WriteString("<xml>")
	for _, i := range rand.Perm(len(nodes)) {
		nodes[i].write(&b)
	}
	b.WriteString("</xml>")
	return b.Bytes()
}

func (n node) write(b *bytes.Buffer) {
	fmt.Fprintf(b, "<%s>", n.name)
	switch {
	case n.children != nil:
		for _, c := range n.children {
			c.write(b)
		}
	case n.number:
		b.WriteString(n.text)
	default:
		b.WriteString("<![CDATA[" + strings.ReplaceAll(n.text, "]]>", "]]]]><![CDATA[>") + "]]>")
	}
	fmt.Fprintf(b, "</%s>", n.name)
}

// An element is one of an answer.
type element struct {
	name     string
	text     string
	children []*element
}

// parse reads an answer as the platform does: one root, nothing that declares types,
// no element twice.
func parse(b []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var root *element
	var open []*element
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && root != nil && len(open) == 0:
			return root, nil
		case err != nil:
			return nil, fmt.Errorf("not XML: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local}
			switch {
			case len(open) > 0:
				up := open[len(open)-1]
				up.children = append(up.children, e)
			case root != nil:
				return nil, errors.New("a second root")
			default:
				root = e
			}
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("text outside of the root")
			}
		case xml.Directive:
			return nil, errors.New("a declaration of types")
		}
	}
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
