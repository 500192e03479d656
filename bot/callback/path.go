package callback

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// taken are the beginnings of paths at which something else of ours answers.
var taken = []string{"api", "livez", "readyz", "pay", "go", "shop", "control", "assets", "fake", "channel", "l", "bind"}

var pathForm = regexp.MustCompile(`^(/[A-Za-z0-9._-]+)+$`)

// OwnPath reports whether callbacks can come to a path: it is one, and nothing else of ours
// answers there.
func OwnPath(p string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(p, "/"), "/")
	return pathForm.MatchString(p) && path.Clean(p) == p && !slices.Contains(taken, first)
}
