package logtest

import "io"

// A Collection is that of one test binary, in a folder of a test.
type Collection struct{ c *collection }

// Collect opens one in place of the one of the last run.
func Collect(folder, name string) Collection { return Collection{collect(folder, name)} }

// Secret is what the function of that name does here.
func (c Collection) Secret(value string) { c.c.secret(value) }

// Tee is what the function of that name does here.
func (c Collection) Tee(w io.Writer, kind string) io.Writer { return &tee{w: w, kind: kind, to: c.c} }

// SecretsOf returns what is secret of a setting.
func SecretsOf(name, value string) []string { return secretsOf(name, value) }
