package configs_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fanli/configs"
	"fanli/core/money"
)

// none is an empty environment.
func none(string) (string, bool) { return "", false }

// env is an environment of pairs.
func env(pairs ...string) func(string) (string, bool) {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) { v, ok := m[name]; return v, ok }
}

// file writes a configuration and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fanli.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// load loads a text that must be sound.
func load(t *testing.T, text string, lookup func(string) (string, bool)) configs.Config {
	t.Helper()
	c, err := configs.Load(file(t, text), lookup)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDefaultsAreSound is what a newcomer starts with.
func TestDefaultsAreSound(t *testing.T) {
	t.Parallel()
	c, err := configs.Load("", none)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Sandbox() || c.Payer != "manual" || !c.Webchat.Enabled || c.Telegram.Token != "" {
		t.Error("without a configuration it is not the sandbox with the web chat")
	}
	if l := c.Withdraw.Limits(); l.Auto != 0 || l.Minimum != 100 || l.Maximum != 20_000 || l.Cooling != 24*time.Hour {
		t.Errorf("withdrawals: %+v", l)
	}
	r := c.Rebate.Rules()
	if r.Base != 7000 || r.HoldDays[""] != 0 || r.HoldDays["taobao"] != 15 || r.Minimum != 1 || r.Cap != 0 {
		t.Errorf("rules: %+v", r)
	}
	if got := c.Location().String(); got != "Asia/Shanghai" {
		t.Errorf("zone %s", got)
	}
}

// defaults is the root of default.yaml.
func defaults(t *testing.T) *yaml.Node {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(configs.Default, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Content[0]
}

// keysOf lists the keys of a configuration type.
func keysOf(in reflect.Type, path string) (out []string) {
	for i := range in.NumField() {
		f := in.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case name == "":
			out = append(out, path+f.Name+" has no name for operators")
		case f.Type.Kind() == reflect.Struct:
			out = append(out, keysOf(f.Type, path+name+".")...)
		default:
			out = append(out, path+name)
		}
	}
	return out
}

// TestDefaultFileHasEveryKey keeps default.yaml the reference: it has every key
// that the program knows, and no other.
func TestDefaultFileHasEveryKey(t *testing.T) {
	t.Parallel()
	known := keysOf(reflect.TypeFor[configs.Config](), "")
	var there []string
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			p, v := path+n.Content[i].Value, n.Content[i+1]
			if slices.Contains(known, p) {
				there = append(there, p)
				continue
			}
			if v.Kind != yaml.MappingNode {
				t.Errorf("default.yaml has %s, which the program does not know", p)
			}
			walk(v, p+".")
		}
	}
	walk(defaults(t), "")
	for _, k := range known {
		if !slices.Contains(there, k) {
			t.Errorf("default.yaml does not have %s", k)
		}
	}
	if len(known) < 60 {
		t.Errorf("only %d keys were found", len(known))
	}
}

// TestDefaultFileExplainsEveryKey wants a comment at every value.
func TestDefaultFileExplainsEveryKey(t *testing.T) {
	t.Parallel()
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, v := n.Content[i], n.Content[i+1]
			if v.Kind == yaml.MappingNode && len(v.Content) > 0 {
				walk(v, path+k.Value+".")
				continue
			}
			if k.HeadComment == "" && k.LineComment == "" && v.LineComment == "" {
				t.Errorf("default.yaml, line %d: %s%s has no comment", k.Line, path, k.Value)
			}
		}
	}
	walk(defaults(t), "")
}

// TestDefaultFileIsItsOwnConfiguration loads default.yaml as an operator's file.
func TestDefaultFileIsItsOwnConfiguration(t *testing.T) {
	t.Parallel()
	plain, err := configs.Load("", none)
	if err != nil {
		t.Fatal(err)
	}
	if again := load(t, string(configs.Default), none); !reflect.DeepEqual(again, plain) {
		t.Errorf("%+v\nis not\n%+v", again, plain)
	}
}

// TestExamplesAreSound loads what people copy.
func TestExamplesAreSound(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		c, err := configs.Load(f, none)
		if err != nil {
			t.Errorf("%s: %v", f, err)
		}
		if c.Sandbox() {
			t.Errorf("%s: no network is on", f)
		}
	}
}

// TestMoneyIsReadAsWritten holds the types against the text.
func TestMoneyIsReadAsWritten(t *testing.T) {
	t.Parallel()
	c := load(t, "withdraw: {minimum: 0.1, maximum: 1234.56, auto: 0.29}\nrebate: {base: 33.33%, fee: 7, cap: 8.88, levels: {2: 0.5%, 3: -1%}}\n", none)
	l, r := c.Withdraw.Limits(), c.Rebate.Rules()
	for _, x := range []struct{ got, want money.Fen }{{l.Minimum, 10}, {l.Maximum, 123456}, {l.Auto, 29}, {r.Cap, 888}} {
		if x.got != x.want {
			t.Errorf("%d is not %d fen", x.got, x.want)
		}
	}
	for _, x := range []struct{ got, want money.Bps }{{r.Base, 3333}, {r.Fee, 700}, {r.Levels[2], 50}, {r.Levels[3], -100}} {
		if x.got != x.want {
			t.Errorf("%d is not %d basis points", x.got, x.want)
		}
	}
}
