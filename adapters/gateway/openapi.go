package gateway

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"fanli/core/access"
	"fanli/core/money"
)

// object is a JSON object; encoding/json writes its fields in the order of their
// names, so that the document is the same every time.
type object = map[string]any

const about = `What a chat says, for programs: offers with coupon, rebate and a tagged link for what somebody has copied; orders with how
their rebates are computed; the wallet and every move of it; withdrawals, claims and the payout account.

Amounts are whole numbers of fen (1/100 yuan) in fields that end in _fen, shares are basis points. Times are RFC 3339. Send an API key or a
token as Authorization: Bearer. A key of a client names in X-Fanli-User the user for whom it acts; a key of one user and a token act for that
user and leave it out. Problems are RFC 9457, with a stable reason and, in detail, a sentence in the language of Accept-Language (zh, en).
Lists are newest first; a page is asked for by limit and by the cursor that the page before gave as next.`

// Document returns the OpenAPI document, made from the table of endpoints.
func Document() ([]byte, error) {
	schemas := object{}
	paths := object{}
	for _, e := range endpoints() {
		op, err := operation(e, schemas)
		if err != nil {
			return nil, err
		}
		path := "/" + strings.TrimPrefix(e.path, Path)
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path].(object)[strings.ToLower(e.method)] = op
	}
	if _, err := schemaOf(is[Problem](), schemas); err != nil {
		return nil, err
	}
	scopes := object{}
	for _, s := range access.Scopes() {
		scopes[string(s)] = scopeWords()[s]
	}
	doc := object{
		"openapi": "3.1.0",
		"info":    object{"title": "fanli", "version": "1", "summary": "Coupons, tagged links, orders, rebates and payouts", "description": about},
		"servers": []any{object{"url": strings.TrimSuffix(Path, "/")}},
		"paths":   paths,
		"components": object{
			"schemas":   schemas,
			"responses": object{"Problem": answerOf("What went wrong", "application/problem+json", "Problem")},
			"securitySchemes": object{"bearer": object{
				"type": "http", "scheme": "bearer", "description": "An API key (fk_…), or a JWT of a configured issuer with its scopes in scope or scp",
			}},
		},
		"security":  []any{object{"bearer": []string{}}},
		"x-scopes":  scopes,
		"x-limited": "Too many requests are answered with 429 and Retry-After",
	}
	out, err := json.MarshalIndent(doc, "", "  ")
	return append(out, '\n'), err
}

// scopeWords say what scopes allow.
func scopeWords() map[access.Scope]string {
	return map[access.Scope]string{
		access.LinksWrite: "find offers and make links", access.OrdersRead: "see orders and rebates", access.WalletRead: "see wallet and statement",
		access.WithdrawalsRead: "see withdrawals", access.WithdrawalsWrite: "ask for withdrawals and cancel them", access.ClaimsRead: "see claims",
		access.ClaimsWrite: "claim orders", access.PayeeRead: "see the payout account, masked", access.PayeeWrite: "change the payout account",
		access.UsersWrite: "make users of the client", access.UsersAct: "act for users of the client, by X-Fanli-User",
	}
}

func operation(e endpoint, schemas object) (object, error) {
	op := object{"operationId": e.name, "summary": e.summary}
	responses := object{"default": object{"$ref": "#/components/responses/Problem"}}
	switch {
	case e.answer != nil:
		name, err := schemaOf(e.answer, schemas)
		if err != nil {
			return nil, err
		}
		if e.also == 0 || !e.once {
			responses["200"] = answerOf("Done", "application/json", name)
		}
		if e.also != 0 {
			responses[strconv.Itoa(e.also)] = answerOf("Made", "application/json", name)
		}
	default:
		responses["200"] = object{"description": "The document", "content": object{"application/json": object{"schema": object{"type": "object"}}}}
		responses["304"] = object{"description": "It is what If-None-Match says"}
	}
	op["responses"] = responses
	if e.body != nil {
		name, err := schemaOf(e.body, schemas)
		if err != nil {
			return nil, err
		}
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": ref(name)}}}
	}
	if params := parameters(e); len(params) > 0 {
		op["parameters"] = params
	}
	switch {
	case e.open:
		op["security"] = []any{}
	case e.scope != "":
		op["x-scope"] = string(e.scope)
		op["description"] = "Needs the scope " + string(e.scope) + "."
	}
	return op, nil
}

func parameters(e endpoint) (out []any) {
	add := func(name, in, words string, required bool, schema object) {
		out = append(out, object{"name": name, "in": in, "description": words, "required": required, "schema": schema})
	}
	if strings.Contains(e.path, "{id}") {
		add("id", "path", "Its number", true, object{"type": "integer", "minimum": 1})
	}
	if e.acts {
		add(userHeader, "header", "The client's own id of the user for whom it is; not with a key of one user, and not with a token", false,
			object{"type": "string", "minLength": 1, "maxLength": externalMax})
	}
	if e.once {
		add("Idempotency-Key", "header", "Made up by the caller for one withdrawal, and the same when it is tried again", true,
			object{"type": "string", "minLength": idempotencyMin, "maxLength": externalMax})
	}
	if e.paged {
		add("limit", "query", "How many at most", false, object{"type": "integer", "minimum": 1, "maximum": countMax, "default": countDefault})
		add("cursor", "query", "What the page before gave as next", false, object{"type": "string"})
	}
	return out
}

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

func answerOf(words, kind, schema string) object {
	return object{
		"description": words, "content": object{kind: object{"schema": ref(schema)}},
		"headers": object{requestIDHeader: object{"description": "The id under which the log says more", "schema": object{"type": "string"}}},
	}
}

// schemaOf enters the schema of a type among schemas and returns its name.
func schemaOf(t reflect.Type, schemas object) (string, error) {
	if schemas[t.Name()] != nil {
		return t.Name(), nil
	}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{TypeSchemas: map[reflect.Type]*jsonschema.Schema{
		is[time.Time]():    {Type: "string", Format: "date-time"},
		is[money.Fen]():    {Type: "integer", Format: "int64"},
		is[money.Bps]():    {Type: "integer", Format: "int64"},
		is[int64]():        {Type: "integer", Format: "int64"},
		is[access.Scope](): {Type: "string"},
	}})
	if err != nil {
		return "", err
	}
	notNull(s)
	schemas[t.Name()] = s
	return t.Name(), nil
}

// notNull takes back that lists and what may be left out could also be null: we write
// no null, and read none.
func notNull(s *jsonschema.Schema) {
	if len(s.Types) == 2 && s.Types[0] == "null" {
		s.Type, s.Types = s.Types[1], nil
	}
	for _, p := range s.Properties {
		notNull(p)
	}
	if s.Items != nil {
		notNull(s.Items)
	}
}
