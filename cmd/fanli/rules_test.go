package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// written writes a file of a test and returns its path.
func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// An operator's shell may have another configuration than the process that serves,
// or none. Looking, or deciding a withdrawal, must not put its rules in force.
func TestAVisitLeavesTheRulesAlone(t *testing.T) {
	t.Parallel()
	dir, _ := withBooks(t)
	other := written(t, "other.yaml", "rebate:\n  base: 40%\n")
	for _, args := range [][]string{{"rules", "show"}, {"withdrawals"}, {"claims"}, {"reconcile", "status"}} {
		cli(t, "", nil, append(args, "--config", other, "--data", dir)...).want(t, exitOK)
	}
	cli(t, "", nil, "rules", "show", "--config", other, "--data", dir).want(t, exitOK, "version 1", "base 70% of the commission")
}

// TestRulesAreTriedSetAndTakenBack plays an operator's way through the rules, over
// books in which something was bought.
func TestRulesAreTriedSetAndTakenBack(t *testing.T) {
	t.Parallel()
	dir, _ := withBooks(t)
	fanli := func(args ...string) result { return cli(t, "", nil, append(args, "--data", dir)...) }
	fanli("rules", "show").want(t, exitOK, "version 1", "base 70% of the commission", "hold taobao: 15 days")
	more := written(t, "more.yaml", "rebate:\n  base: 80%\n  rules:\n    - name: jd plus\n      mode: add\n      when: {networks: [jd], from: 2026-11-11 20:00}\n      give: {commission: 5%}\n")
	fanli("rules", "what-if", "--file", more, "--days", "3660").want(t, exitOK, "paid then", "house then", "base 80%")
	fanli("rules", "show").want(t, exitOK, "version 1")
	fanli("rules", "set", more).want(t, exitUsage, "--by NAME and --reason TEXT")
	fanli("rules", "set", more, "--by", "ann", "--reason", "double eleven", "--expect", "9").want(t, exitFailed, "not those of version 9 any more")
	fanli("rules", "set", more, "--by", "ann", "--reason", "double eleven").want(t, exitOK,
		"- base 70% of the commission", "+ base 80% of the commission", "+ 1. jd plus: add 5% of the commission when networks [jd], from 2026-11-11T12:00:00Z", "version 2 is in force")
	fanli("rules", "set", more, "--by", "ann", "--reason", "double eleven").want(t, exitOK, "version 2 says the same; nothing changes")
	fanli("rules", "rollback", "1", "--by", "bob", "--reason", "it is over").want(t, exitOK, "+ base 70% of the commission", "version 3 is in force")
	fanli("rules", "history").want(t, exitOK, "3  ", "bob", "it is over", "ann", "double eleven", "configuration")
	fanli("rules", "show", "2").want(t, exitOK, "version 2", "jd plus")
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"rules show 9", exitFailed, "there is no version 9"},
		{"rules show x", exitUsage, "not the number of a version"},
		{"rules rollback 9 --by a --reason b", exitFailed, "there is no version 9"},
		{"rules what-if", exitUsage, "takes --file"},
		{"rules what-if --file nothing.yaml", exitUsage, "nothing.yaml"},
	} {
		fanli(strings.Fields(tt.args)...).want(t, tt.code, tt.want)
	}
	for text, want := range map[string]string{
		"rebate:\n  base: 350%\n":                                                                     "line 2: rebate.base: 350% is not between",
		"rebate:\n  base: 90%\n  levels: {1: 20%}\n":                                                  "together they can give 110%",
		"rebate:\n  rules: [{name: gift, mode: add, give: {fixed: 3}}]\n":                             "name a budget that pays the difference",
		"rebate:\n  rules: [{name: gift, mode: add, give: {fixed: 3}, budget: x}]\n":                  "there is no budget \"x\"",
		"rebate:\n  budgets: {x: {day: 1}}\n":                                                         "it is not versioned",
		"withdraw:\n  minimum: 1\n":                                                                   "the file has no rules",
		"rebate:\n  rulez: []\n":                                                                      "did you mean rules?",
		"rebate:\n  rules: [{name: a, mode: add, give: {commission: 1%}, when: {from: yesterday}}]\n": "is not a moment in Beijing",
	} {
		fanli("rules", "set", written(t, "bad.yaml", text), "--by", "ann", "--reason", "a slip").want(t, exitUsage, want)
	}
	fanli("rules", "history").want(t, exitOK, "3  ")
	fanli("audit").want(t, exitOK, "the books are sound")
	fanli("debts", "list").want(t, exitOK, "nobody owes anything")
	fanli("debts", "write-off", "1", "5", "--by", "ann", "--reason", "x").want(t, exitFailed, "user 1 does not owe ¥5.00")
	fanli("debts", "write-off", "x", "5").want(t, exitUsage, "not the number of a user")
	fanli("debts", "write-off", "1", "5.005").want(t, exitUsage, "not an amount in yuan")
}

// TestRulesShowWhatIsGivenAway shows campaigns, which are rules, and what only the
// configuration says.
func TestRulesShowWhatIsGivenAway(t *testing.T) {
	t.Parallel()
	dir, _ := withBooks(t)
	config := written(t, "gifts.yaml", `rebate:
  budgets: {fest: {total: 100}}
  checkin: {amount: 0.05, budget: fest}
  invitation: {inviter: 5, invited: 2, budget: fest}
`)
	rules := written(t, "fest.yaml", `rebate:
  rules:
    - {name: fest, mode: bonus, when: {from: 2026-12-01, until: 2026-12-08}, give: {rebate: 50%}, user_cap: 10, budget: fest}
`)
	fanli := func(args ...string) result {
		return cli(t, "", nil, append(args, "--config", config, "--data", dir)...)
	}
	fanli("rules", "set", rules, "--by", "ann", "--reason", "opening").want(t, exitOK,
		"+ 1. fest: bonus 50% of the rebate when from 2026-11-30T16:00:00Z, until 2026-12-07T16:00:00Z, for one user in all at most ¥10.00, budget fest")
	fanli("rules", "show").want(t, exitOK, "version 2", "1. fest: bonus 50% of the rebate",
		"a check-in brings ¥0.05, budget fest", "a first order brings its inviter ¥5.00 and its buyer ¥2.00, budget fest")
}
