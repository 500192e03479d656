package bot_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fanli/bot"
	"fanli/bot/locale"
	"fanli/core/desk"
	"fanli/core/event"
	"fanli/core/notify"
)

// A usage is a text that the code asks for: one key, or a family of keys that
// begin alike.
type usage struct {
	key    string
	family bool
	names  []string // of the values that come with it
	open   bool     // the values are handed on: which ones is not seen here
	at     token.Position
}

// TestTexts walks the code and the texts: what is asked for is there, in every
// language and with the same names; what is there is asked for.
func TestTexts(t *testing.T) {
	t.Parallel()
	used := usages(t)
	members := families(t)
	for _, tag := range locale.Tags() {
		t.Run(tag, func(t *testing.T) {
			t.Parallel()
			w := locale.For(tag)
			asked := map[string]bool{}
			for _, u := range used {
				keys := []string{u.key}
				if u.family {
					keys = members[u.key]
					if len(keys) == 0 {
						t.Errorf("%s: nobody says what begins with %q", u.at, u.key)
					}
				}
				for _, k := range keys {
					asked[k] = true
					checkText(t, w, k, u)
				}
			}
			for _, k := range w.Keys() {
				if !asked[k] {
					t.Errorf("%s: nobody asks for %s", tag, k)
				}
			}
		})
	}
}

// checkText holds one text against what the code gives it.
func checkText(t *testing.T, w *locale.Words, key string, u usage) {
	t.Helper()
	if !w.Has(key) {
		t.Errorf("%s: %s has no %s", u.at, w.Tag(), key)
		return
	}
	var names []string
	for _, m := range regexp.MustCompile(`\{([a-z_]+)\}`).FindAllStringSubmatch(w.T(key), -1) {
		names = append(names, m[1])
	}
	for _, n := range names {
		if !slices.Contains(u.names, n) && !u.open {
			t.Errorf("%s: %s in %s has the name %q without a value", u.at, key, w.Tag(), n)
		}
	}
	for _, n := range u.names {
		if !slices.Contains(names, n) && !u.family {
			t.Errorf("%s: %s in %s leaves out the value of %q", u.at, key, w.Tag(), n)
		}
	}
	if u.open && len(names) > 0 && !strings.HasPrefix(key, "reason.withdraw.") {
		t.Errorf("%s in %s: only reasons of withdrawals get values", key, w.Tag())
	}
}

// usages finds the calls that ask for texts in this package.
func usages(t *testing.T) (out []usage) {
	t.Helper()
	fset, files := parse(t, ".")
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			sel, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "T" && sel.Sel.Name != "say" || len(call.Args) == 0 {
				return true
			}
			u := usage{at: fset.Position(call.Pos()), open: call.Ellipsis.IsValid()}
			switch a := call.Args[0].(type) {
			case *ast.BasicLit:
				u.key, _ = strconv.Unquote(a.Value)
			case *ast.BinaryExpr:
				if lit, ok := a.X.(*ast.BasicLit); ok {
					u.key, _ = strconv.Unquote(lit.Value)
					u.family = true
				}
			case *ast.Ident: // T and say themselves
				return true
			}
			if u.key == "" {
				t.Errorf("%s: the key cannot be read", u.at)
			}
			for i := 1; i+1 < len(call.Args); i += 2 {
				if lit, ok := call.Args[i].(*ast.BasicLit); ok {
					name, _ := strconv.Unquote(lit.Value)
					u.names = append(u.names, name)
				}
			}
			out = append(out, u)
			return true
		})
	}
	return out
}

// families says which keys there are where the code names only how they begin.
func families(t *testing.T) map[string][]string {
	t.Helper()
	m := map[string][]string{
		"section.":           constants(t, ".", "section"),
		"network.":           {"taobao", "jd", "pdd", "vip"},
		"channel.":           {"telegram", "wechat", "kf", "web", "terminal"},
		"unsubscribe.on.":    {"telegram", "wechat", "kf", "web", "other"},
		"rules.settles.":     {"taobao", "jd", "pdd", "other"},
		"rules.void.":        {"any", "taobao", "jd", "pdd"},
		"topic.":             constants(t, "../core/user", "Topic"),
		"order.state.":       constants(t, "../core/order", "State"),
		"order.event.":       {"unpaid", "paid", "received", "settled"},
		"order.step.":        constants(t, "../core/order", "Step"),
		"orders.rebate.":     constants(t, "../core/rebate", "Stage"),
		"entry.":             constants(t, "../core/ledger", "Kind"),
		"trace.part.":        {"base", "level", "network", "category", "rule"},
		"withdrawal.state.":  constants(t, "../core/withdraw", "State"),
		"payee.method.":      {"alipay", "wechat"},
		"notice.withdrawal.": {"paid", "failed", "refused", "unknown"}, // confirming has its own
		"notice.claim.":      {"granted", "refused", "expired", "contested", "appealed"},
		"notice.charge.":     {"held", "refunding", "refunded"},
		"claim.state.":       constants(t, "../core/order", "ClaimState"),
		"fault.":             constants(t, "../core/fault", "Code"),
		"reason.":            reasons(t),
		"help.":              nil,
		"alike.":             {"same", "likely", "similar"},
		"alike.because.":     constants(t, "../core/alike", "Reason"),
		"desk.label.":        constants(t, "../core/desk", "Label"),
		"desk.word.":         constants(t, "../core/desk", "Stable"),
	}
	for _, r := range desk.Roles() {
		m["desk.word."] = append(m["desk.word."], string(r))
	}
	for _, c := range slices.Concat(bot.Commands("en"), bot.Menu("en"), bot.StaffCommands("en")) {
		m["help."] = append(m["help."], c.Name)
	}
	for family, names := range m {
		for i, n := range names {
			names[i] = family + n
		}
	}
	return m
}

// constants returns the values of the constants of a type.
func constants(t *testing.T, dir, typ string) (out []string) {
	t.Helper()
	_, files := parse(t, dir)
	for _, f := range files {
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if id, ok := v.Type.(*ast.Ident); !ok || id.Name != typ {
					continue
				}
				for _, value := range v.Values {
					s, err := strconv.Unquote(value.(*ast.BasicLit).Value)
					if err == nil && s != "" {
						out = append(out, s)
					}
				}
			}
		}
	}
	if len(out) == 0 {
		t.Fatalf("no constants of type %s in %s", typ, dir)
	}
	return out
}

// stable is the form of a key that core and adapters give to people.
var stable = regexp.MustCompile(`^(offer|link|charge|order|payout|review|withdraw|claim|payee|user|message|control|invite|bonus|target|desk|merge)\.[a-z_]+$`)

// silent are stable keys without a sentence, and why.
var silent = map[string]string{
	"link.network_off":     "answered by saying which shops there are",
	"link.no_search":       "answered by search.off",
	"bonus.malformed":      "a mistake of ours",
	"bonus.no_budget":      "a mistake in the configuration",
	"link.slot_taken":      "does not leave the desk",
	"link.unknown_slot":    "a mistake in the configuration",
	"payout.payer_gone":    "for operators",
	"payout.unclear":       "in an error; as a reason it has a sentence",
	"order.fenced":         "between two jobs",
	"payout.number_reused": "in an error; as a reason it has a sentence",
	"control.html":         "a page of the sandbox",
	"control.scope":        "for staff",
	"withdraw.batch_name":  "for staff",
	"withdraw.batch_empty": "for staff",
	"withdraw.payer_says":  "for staff",
	"withdraw.payer_busy":  "for staff",
	"withdraw.payer_first": "for staff",
	"control.why":          "for staff",

	"merge.undo":   "an act of staff",
	"merge.resume": "an act of staff",
	"merge.reason": "for staff",

	"charge.malformed":      "a mistake of ours",
	"charge.key_reused":     "a mistake of ours",
	"charge.wrong_stage":    "for staff",
	"charge.no_reason":      "for staff",
	"charge.refund":         "an act of staff",
	"charge.html":           "a page of the sandbox",
	"charge.none":           "for collectors",
	"charge.collector_gone": "for operators",
}

// reasons returns the stable keys that people can meet: those that core and the
// bot refuse with, and those that adapters name outside of an error.
func reasons(t *testing.T) []string {
	t.Helper()
	names := map[string]bool{}
	for _, n := range []event.Name{
		event.LinkMade, event.UserJoined, event.OrderChanged, event.ClaimChanged, event.AutopayHeld, event.BonusGiven, event.ChargeChanged,
		event.MergeChanged, event.MergeAnswered, event.PayeeChanged,
	} {
		names[string(n)] = true
	}
	for _, k := range []notify.Kind{
		notify.OrderSeen, notify.Received, notify.ClaimNews, notify.AutopayNews, notify.BonusNews, notify.CutNews, notify.ChargeNews, notify.MergeNews,
		notify.PayeeNews,
	} {
		names[string(k)] = true
	}
	found := map[string]bool{}
	for _, root := range []string{"../core", "../adapters", "."} {
		for _, dir := range folders(t, root) {
			_, files := parse(t, dir)
			for _, f := range files {
				for _, k := range reasonsIn(f, root) {
					if !names[k] && silent[k] == "" {
						found[k] = true
					}
				}
			}
		}
	}
	found["payout.unclear"] = true
	found["payout.number_reused"] = true
	var out []string
	for k := range found {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// reasonsIn returns the stable keys in a file. In an adapter's error the code
// decides what people read, so those are left out; in the bot only the errors
// count, because its other texts have keys of the same form.
func reasonsIn(f *ast.File, root string) (out []string) {
	var errors [][2]token.Pos
	inError := func(p token.Pos) bool {
		return slices.ContainsFunc(errors, func(e [2]token.Pos) bool { return e[0] <= p && p < e[1] })
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && strings.HasPrefix(sel.Sel.Name, "New") {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "fault" {
					errors = append(errors, [2]token.Pos{n.Pos(), n.End()})
					if code, ok := n.Args[0].(*ast.SelectorExpr); ok && root != "." &&
						slices.Contains([]string{"Internal", "Unavailable", "Unknown"}, code.Sel.Name) {
						return false
					}
				}
			}
		case *ast.BasicLit:
			s, err := strconv.Unquote(n.Value)
			if err != nil || !stable.MatchString(s) {
				return true
			}
			if e := inError(n.Pos()); root == "../core" || root == "." && e || root == "../adapters" && !e {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}

// folders returns the folders below root whose code runs in the product: without
// tests, fakes and the model of the world.
func folders(t *testing.T, root string) (out []string) {
	t.Helper()
	if root == "." {
		return []string{"."}
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); strings.HasSuffix(name, "test") || strings.HasSuffix(name, "fake") || name == "testdata" || name == "market" {
			return filepath.SkipDir
		}
		out = append(out, path)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// parse reads the code of a folder, without tests.
func parse(t *testing.T, dir string) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, n := range names {
		if strings.HasSuffix(n, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, n, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return fset, files
}
