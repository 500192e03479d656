package jd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"fanli/core/money"
)

// depthMax limits how deeply a document may be nested. JD's own go to six.
const depthMax = 32

// An answer is the inner document of a call that JD has answered with 200.
type answer struct {
	data json.RawMessage // may be absent, null, a text or any shape of list
	more bool
}

// inner is what stands in the …Result member.
type inner struct {
	Code         text            `json:"code"`
	Message      text            `json:"message"`
	ErrorMessage text            `json:"errorMessage"` // the documentation's name for message
	Request      text            `json:"requestId"`
	HasMore      flag            `json:"hasMore"`
	Data         json.RawMessage `json:"data"`
}

// unwrap takes the two envelopes off an answer. What JD refused comes back as a
// *refusal; any other error says that the answer is not one.
func unwrap(method string, body []byte) (answer, error) {
	if err := sound(body); err != nil {
		return answer{}, err
	}
	var root map[string]json.RawMessage
	if err := json.Unmarshal(body, &root); err != nil {
		return answer{}, err
	}
	if raw, ok := root["error_response"]; ok {
		return answer{}, gatewayRefusal(raw)
	}
	name := strings.ReplaceAll(method, ".", "_")
	raw, ok := root[name+"_responce"] //nolint:misspell // JD's spelling
	if !ok {
		raw, ok = root[name+"_response"]
	}
	if !ok {
		return answer{}, errors.New("no answer to " + method + " in it")
	}
	doc, err := result(raw)
	if err != nil {
		return answer{}, err
	}
	var in inner
	if err := json.Unmarshal(doc, &in); err != nil {
		return answer{}, err
	}
	switch in.Code {
	case codeOK:
		return answer{data: in.Data, more: bool(in.HasMore)}, nil
	case "":
		return answer{}, errors.New("no code in it")
	}
	if in.Message == "" {
		in.Message = in.ErrorMessage
	}
	return answer{}, &refusal{code: string(in.Code), message: string(in.Message), request: string(in.Request)}
}

// result returns the document in the member named "…Result", which is a text of
// JSON or, as the documentation has it, JSON.
func result(raw json.RawMessage) (json.RawMessage, error) {
	var outer map[string]json.RawMessage
	if err := json.Unmarshal(raw, &outer); err != nil {
		return nil, err
	}
	var code text
	if c, ok := outer["code"]; ok {
		if err := json.Unmarshal(c, &code); err != nil {
			return nil, err
		}
	}
	if code != "" && code != "0" {
		return nil, gatewayRefusal(raw)
	}
	for k, v := range outer {
		if !strings.HasSuffix(k, "Result") && k != "result" {
			continue
		}
		var doc string
		if err := json.Unmarshal(v, &doc); err != nil {
			return v, nil //nolint:nilerr // not a text, so it is the document itself
		}
		return json.RawMessage(doc), nil
	}
	return nil, errors.New("no result in it")
}

// gatewayRefusal reads an error_response.
func gatewayRefusal(raw json.RawMessage) error {
	var e struct {
		Code    text `json:"code"`
		Zh      text `json:"zh_desc"`
		En      text `json:"en_desc"`
		Request text `json:"requestId"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return err
	}
	if e.Zh == "" {
		e.Zh = e.En
	}
	return &refusal{gateway: true, code: string(e.Code), message: string(e.Zh), request: string(e.Request)}
}

// sound refuses a document that is nested too deeply or has a member twice: of
// two sums under one name nobody knows which is meant.
func sound(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	type level struct {
		names map[string]bool // nil in an array
		name  bool            // the next token is a member's name
	}
	var stack []level
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if d, ok := tok.(json.Delim); ok && (d == '}' || d == ']') {
			stack = stack[:len(stack)-1]
			continue
		}
		if n := len(stack) - 1; n >= 0 && stack[n].names != nil {
			if name, ok := tok.(string); ok && stack[n].name {
				if stack[n].names[name] {
					return fmt.Errorf("member %q is there twice", name)
				}
				stack[n].names[name], stack[n].name = true, false
				continue
			}
			stack[n].name = true
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, level{names: map[string]bool{}, name: true})
		case json.Delim('['):
			stack = append(stack, level{})
		}
		if len(stack) > depthMax {
			return fmt.Errorf("nested deeper than %d", depthMax)
		}
	}
}

// A text is a JSON string, number, true or false as its text; null is "".
type text string

// UnmarshalJSON keeps the text. An array or object is an error.
func (t *text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && (b[0] == '{' || b[0] == '[') {
		return fmt.Errorf("a value is expected, not %c", b[0])
	}
	var n money.Number
	if err := n.UnmarshalJSON(b); err != nil {
		return err
	}
	*t = text(n)
	return nil
}

// whole reads a whole number; "" is 0 and zeros behind a point do not matter.
func (t text) whole() (int64, error) {
	if t == "" {
		return 0, nil
	}
	s, frac, _ := strings.Cut(string(t), ".")
	if strings.Trim(frac, "0") != "" {
		return 0, fmt.Errorf("not a whole number: %.40q", string(t))
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("not a whole number: %.40q", string(t))
	}
	return n, nil
}

// yuan reads an amount, rounded as JD prints it.
func (t text) yuan() (money.Fen, error) { return money.Number(t.plain()).Yuan(money.HalfUp) }

// percent reads a rate.
func (t text) percent() (money.Bps, error) { return money.Number(t.plain()).Percent(money.HalfUp) }

// exponentMax limits how far a point is moved: JD's doubles have 17 digits.
const exponentMax = 20

// plain writes a number without an exponent. JD's servers are written in Java,
// which prints the rest of a subtraction as "4.4E-16".
func (t text) plain() text {
	mantissa, exp, ok := strings.Cut(strings.ToUpper(string(t)), "E")
	if !ok {
		return t
	}
	n, err := strconv.Atoi(exp)
	if err != nil || n < -exponentMax || n > exponentMax || len(mantissa) > 2*exponentMax {
		return t
	}
	digits, neg := strings.CutPrefix(mantissa, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if whole == "" {
		return t
	}
	for ; n > 0; n-- {
		frac += "0"
		whole, frac = whole+frac[:1], frac[1:]
	}
	for ; n < 0; n++ {
		whole = "0" + whole
		whole, frac = whole[:len(whole)-1], whole[len(whole)-1:]+frac
	}
	s := whole
	if frac = strings.TrimRight(frac, "0"); frac != "" {
		s += "." + frac[:min(len(frac), exponentMax)]
	}
	if neg {
		s = "-" + s
	}
	return text(s)
}

// A flag is true, "true", 1 or "1"; anything else is false.
type flag bool

// UnmarshalJSON reads the flag.
func (f *flag) UnmarshalJSON(b []byte) error {
	var t text
	if err := t.UnmarshalJSON(b); err != nil {
		return err
	}
	*f = flag(strings.EqualFold(string(t), "true") || t == "1")
	return nil
}
