package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// oneGoroutine is why the race detector need not look.
const oneGoroutine = "skipped under the race detector: one goroutine reads sources; stage 2 runs it"

const module = "fanli"

// layers are the packages of core from the top of the map in doc.go downwards.
func layers(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, m := range regexp.MustCompile(`(?m)^//\t(\w+)\s{2,}\S`).FindAllStringSubmatch(string(text), -1) {
		out = append(out, m[1])
	}
	if len(out) < 5 {
		t.Fatalf("the map in doc.go has only %d packages", len(out))
	}
	return out
}

// A file is one Go file with what it imports. It is read here, not asked of the
// go command in another process, so that a cached result of this test is never
// used for changed files.
type file struct {
	path    string // from the top of the repository, with slashes
	imports []string
	doc     bool // has a package comment
	inits   bool
}

func (f file) dir() string  { return path.Dir(f.path) }
func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// suite reports whether the file belongs to a conformance suite: a folder named
// …test may import testing.
func (f file) suite() bool { return strings.HasSuffix(f.dir(), "test") }

func read(t *testing.T) []file {
	t.Helper()
	var out []file
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go"):
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		f := file{path: strings.TrimPrefix(filepath.ToSlash(p), "../"), doc: tree.Doc != nil}
		for _, i := range tree.Imports {
			name, _ := strconv.Unquote(i.Path.Value)
			f.imports = append(f.imports, name)
		}
		for _, d := range tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				f.inits = !ast.IsGenerated(tree) // what protobuf makes registers itself
			}
		}
		out = append(out, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d files found: is this the right folder?", len(out))
	}
	return out
}

// ours returns the path inside the module, or "" for a package of others.
func ours(imported string) string {
	rest, ok := strings.CutPrefix(imported, module+"/")
	if !ok {
		return ""
	}
	return rest
}

// standard reports whether the package is in the standard library.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".") && first != module
}

func TestImports(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	order := layers(t)
	for _, f := range read(t) {
		if f.isTest() {
			continue
		}
		for _, i := range f.imports {
			if why := forbidden(f, i, order); why != "" {
				t.Errorf("%s imports %s: %s", f.path, i, why)
			}
		}
	}
}

// forbidden says why f may not import i, or "".
func forbidden(f file, i string, order []string) string {
	top, _, _ := strings.Cut(f.path, "/")
	to := ours(i)
	toTop, _, _ := strings.Cut(to, "/")
	if i == "testing" && !f.suite() {
		return "only tests and suites may"
	}
	if strings.HasSuffix(to, "test") && to != "" && !f.suite() {
		return "a suite is for tests"
	}
	switch {
	case strings.HasSuffix(f.dir(), "/oracle") && to != "" && to != "core/money":
		return "an oracle that knows the code would repeat its mistakes"
	case top == "core":
		return forbiddenInCore(f, i, to, order)
	case to == "":
		if strings.HasPrefix(i, "gorm.io/") && f.dir() != "adapters/store" {
			return "only adapters/store knows gorm"
		}
		return ""
	case top == "bot" || top == "jobs":
		if toTop == "core" || within(f.dir(), to) || top == "bot" && forChannels(f.dir(), to) {
			return ""
		}
		return top + " imports core only"
	case top == "adapters":
		if toTop == "core" || within(f.dir(), to) {
			return ""
		}
		if strings.HasPrefix(f.dir(), "adapters/sandbox") && strings.HasSuffix(to, "fake") {
			return ""
		}
		return "an adapter imports core, and no other adapter"
	case top == "configs":
		if toTop == "core" || toTop == "adapters" || toTop == "bot" {
			return ""
		}
		return "configs imports what it composes"
	}
	return ""
}

func forbiddenInCore(f file, i, to string, order []string) string {
	if to == "" {
		if standard(i) {
			return ""
		}
		return "core stands on the standard library alone"
	}
	from, _, _ := strings.Cut(strings.TrimPrefix(f.dir(), "core/"), "/")
	name, _, _ := strings.Cut(strings.TrimPrefix(to, "core/"), "/")
	a, b := slices.Index(order, from), slices.Index(order, name)
	switch {
	case !strings.HasPrefix(to, "core/"):
		return "core knows nothing outside core"
	case from == name, f.suite():
		return ""
	case a < 0:
		return "core/" + from + " is not in the map"
	case b < 0 || b > a:
		return "it does not stand above in the map"
	}
	return ""
}

// forChannels reports whether channels share a package, or only their fakes.
func forChannels(dir, to string) bool {
	switch to {
	case "bot", "bot/locale", "bot/mail", "bot/callback", "bot/plaintext", "bot/tencent", "bot/webpage":
		return true
	case "bot/tencent/tencentfake":
		return strings.HasSuffix(dir, "fake")
	default:
		return false
	}
}

// within reports whether a package is a part of the folder that holds dir: a
// fake beside its adapter.
func within(dir, to string) bool {
	return strings.HasPrefix(to, dir+"/") || strings.HasPrefix(dir, to+"/") || to == dir
}

func TestEveryPackageSaysWhatItPromises(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	doc := map[string]bool{}
	for _, f := range read(t) {
		if !f.isTest() {
			doc[f.dir()] = doc[f.dir()] || f.doc
		}
	}
	for dir, has := range doc {
		if !has {
			t.Errorf("package %s has no comment", dir)
		}
	}
}

func TestNothingHappensBecauseOfAnImport(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	for _, f := range read(t) {
		if f.inits {
			t.Errorf("%s has an init function", f.path)
		}
	}
}

func TestNoDrawers(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(oneGoroutine)
	}
	for _, f := range read(t) {
		switch path.Base(f.dir()) {
		case "util", "utils", "common", "base", "helpers", "misc":
			t.Errorf("%s: name the package after what it is for", f.path)
		}
	}
}
