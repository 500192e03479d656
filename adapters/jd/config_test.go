package jd_test

import (
	"fmt"
	"strings"
	"testing"

	"fanli/adapters/jd"

	"go.yaml.in/yaml/v3"
)

func TestValidateTellsAllMistakesAtOnce(t *testing.T) {
	t.Parallel()
	c := jd.Config{
		Endpoint: "http://api.jd.com/routerjson", AccessToken: token, Account: "Main/1", SiteID: -1, UnionID: -2,
		PositionIDs: []int64{5, 0, 5}, SceneIDs: []int{1, 3}, FinalRate: 101, PageSize: 201,
	}
	err := c.Validate()
	if err == nil {
		t.Fatal("nothing was found")
	}
	for _, key := range []string{
		"endpoint:", "app_key:", "app_secret:", "account:", "site_id: -1", "union_id: -2", "union_id, auth_key:", "union_id, site_id:",
		"position_ids: 0", "position_ids: 5 is there twice", "scene_ids: 3", "final_rate: 101", "page_size: 201",
	} {
		if !strings.Contains(err.Error(), "jd: "+key) {
			t.Errorf("%q is not in:\n%v", key, err)
		}
	}
	wantSecrets(t, err)
	if _, err := jd.New(c, nil, nil); err == nil {
		t.Error("New takes what Validate refuses")
	}
}

func TestValidateEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"":                                 true,
		"https://api.jd.com/routerjson":    true,
		"http://127.0.0.1:8080/routerjson": true,
		"http://[::1]:8080/routerjson":     true,
		"http://localhost/routerjson":      true,
		"http://api.jd.com/routerjson":     false,
		"http://127.0.0.1.evil.com/":       false,
		"https://u:p@api.jd.com/":          false,
		"https://api.jd.com/?app_key=1":    false,
		"ftp://localhost/":                 false,
		"api.jd.com/routerjson":            false,
		"https://":                         false,
		"%":                                false,
	}
	for endpoint, ok := range tests {
		err := jd.Config{Endpoint: endpoint, AppKey: appKey, AppSecret: appSecret}.Validate()
		if (err == nil) != ok {
			t.Errorf("endpoint %q: %v, want it taken: %v", endpoint, err, ok)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  jd.Config
		want int
	}{
		{"Tags", jd.Config{SubUnionID: true}, 0},
		{"Pool", jd.Config{PositionIDs: []int64{1}, SceneIDs: []int{1, 2}}, 0},
		{"NoMark", jd.Config{}, 1},
		{"NoMarkAndNoUnionGoods", jd.Config{SceneIDs: []int{2}}, 2},
	}
	for _, tt := range tests {
		if got := tt.cfg.Warnings(); len(got) != tt.want {
			t.Errorf("%s: %d warnings, want %d: %q", tt.name, len(got), tt.want, got)
		}
	}
}

func TestConfigReadsYAMLAndKeepsItsSecrets(t *testing.T) {
	t.Parallel()
	const text = `
endpoint: http://127.0.0.1:1/routerjson
app_key: ` + appKey + `
app_secret: ` + appSecret + `
access_token: ` + token + `
account: shop
site_id: 435676
position_ids: [3000000001, 3000000002]
sub_union_id: true
scene_ids: [1, 2]
final_rate: 85
command: true
coupon_query: true
page_size: 100
`
	dec := yaml.NewDecoder(strings.NewReader(text))
	dec.KnownFields(true)
	var c jd.Config
	if err := dec.Decode(&c); err != nil {
		t.Fatal(err)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for _, verb := range []string{"%v", "%+v", "%s"} {
		wantSecrets(t, fmt.Errorf(verb, c))
	}
	w := mustNew(t, c, nil, nil)
	if w.Account() != "shop" || w.Name() != "jd" || w.Network() != "jd" {
		t.Errorf("Account, Name, Network = %q, %q, %q", w.Account(), w.Name(), w.Network())
	}
}
