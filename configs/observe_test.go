package configs_test

import (
	"fmt"
	"strings"
	"testing"

	"fanli/configs"
)

// TestNobodyLooksUnlessAsked holds that by default nothing is listened on and nothing
// is sent.
func TestNobodyLooksUnlessAsked(t *testing.T) {
	t.Parallel()
	c := load(t, "", none)
	if c.Admin.Listen != "" || c.Trace.Options().Endpoint != "" || c.Trace.Options().Sample != 1000 {
		t.Errorf("%+v, %+v", c.Admin.Listen, c.Trace.Options())
	}
}

// TestMistakesOfLooking holds what is refused of the admin port and of traces, by
// name, and that their secrets are not shown.
func TestMistakesOfLooking(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{"admin: {listen: here}", `admin.listen: "here" is not an address`},
		{"admin: {token: C4n4ry-C4n4ry-C4n4ry}", "admin.listen: there is a token and no address"},
		{"admin: {listen: \"127.0.0.1:8080\"}", "serves others already"},
		{"admin: {listen: \"127.0.0.1:9100\", token: C4n4ry}", "admin.token: a token has 16 bytes or more"},
		{"trace: {endpoint: \"otel:4318\"}", "trace.endpoint: it is not an address"},
		{"trace: {endpoint: \"http://C4n4ry:C4n4ry@otel:4318\"}", "trace.endpoint: it is not an address"},
		{"trace: {sample: 101%}", "trace.sample: it is not between 0% and 100%"},
		{"trace: {service: \"\"}", `trace.service: "" is not a name`},
		{"trace: {headers: {\"a b\": C4n4ry}}", "it is not a header"},
		{"trace: {headers: {a: \"C4n4ry\\r\\nb: c\"}}", "trace.headers.a: it is not a header"},
		{"trace: {endpiont: \"http://otel:4318\"}", "trace.endpiont"},
	} {
		_, err := configs.Load(file(t, c.text), none)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "C4n4ry") {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
	c := load(t, "admin: {listen: \":9100\", token: C4n4ry-C4n4ry-C4n4ry}\ntrace: {endpoint: \"http://otel:4318\", headers: {Authorization: C4n4ry}, sample: 0.5%}", none)
	if c.Trace.Options().Sample != 50 || c.Trace.Options().Headers["Authorization"] != "C4n4ry" {
		t.Error("what was configured is not there")
	}
	if text := fmt.Sprintf("%v %+v %#v %v %+v %v", c, c.Admin, c.Admin, c.Trace, c.Trace, c.Trace.Options()); strings.Contains(text, "C4n4ry") {
		t.Errorf("a secret is shown: %s", text)
	}
}
