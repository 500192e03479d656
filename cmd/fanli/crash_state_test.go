package main

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/libtnb/sqlite"

	"fanli/adapters/store/mariadbtest"
)

// A state is the digest of all that outlasts a process: every row of the database,
// the books of the networks and of the bank, the clock, and how far the tale is. A
// process has no other past: two that start over equal states do the same.
//
// What has no meaning is left out. Tags, codes, links and trace ids are drawn at
// random: a tag counts as the number of its link, the others as being there. What
// is sealed has another text each time and counts as being there, but for dialogues,
// which are read: other things that are sealed are what the tale has said so far. The leases of jobs, which one process after the other takes
// again under one name, and the fences that come from leases are no money; whoever
// else holds a lease keeps others out until it ends, and counts as being there.
// The numbers of outboxes have an order only: a server leaves gaps in them where a
// transaction was rolled back.
type state [sha256.Size]byte

// A reading reads states of a world. It has connections of its own and sees what
// others would find if the process died now.
type reading struct {
	t      *testing.T
	key    cipher.AEAD // of what is sealed
	db     *sql.DB
	tables []*tableText
	counts map[string]bool // tables whose numbers a server gives
	look   func() string   // at what is neither in the database nor put

	mu      sync.Mutex
	outside map[string]string // what is not in the database, as text
	tags    map[string]string // tag → the number of its link, code → the number of whose it is
	urls    string            // of all links
	said    *strings.Replacer
}

// A tableText is a table as text.
type tableText struct {
	name    string
	columns []string
	hash    state
}

// ofTarget says which tables belong to the name of what is stored. What is not
// here is every table.
func ofTarget(domain string) func(table string) bool {
	prefix := map[string]string{
		"lease": "jobs_", "link": "bot_", "memory": "bot_", "post": "bot_", "notify": "notification_", "webhook": "notification_", "order": "order_", "rebate": "rebate", "user": "user", "merge": "user", "moved": "payment_",
		"act": "payment_", "control": "payment_", "credit": "payment_", "reconcile": "payment_", "seal": "payment_", "withdraw": "payment_",
	}[domain]
	return func(table string) bool {
		if domain == "outbox" {
			return strings.HasSuffix(table, "_outbox")
		}
		return strings.HasPrefix(table, prefix)
	}
}

// meaningless are columns that only count as being there.
func meaningless(table, column string) bool {
	switch table + "." + column {
	case "jobs_leases.holder", "jobs_leases.token", "order_progress.fence", "bot_answers.answer", "bot_chats.body", "user_payees.sealed",
		"payment_withdrawals.payee", "user_codes.code", "user_linkcodes.hash", "bot_links.made_url", "payment_acts.trace":
		return true
	}
	return column == "seq" && strings.HasSuffix(table, "_outbox")
}

// read begins to read the states of a world.
func (w *little) read(s *mariadbtest.Server) *reading {
	w.t.Helper()
	block, err := aes.NewCipher(make([]byte, sealKeyLen))
	if err != nil {
		w.t.Fatal(err)
	}
	key, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &reading{t: w.t, key: key, counts: map[string]bool{}}
	r.forget()
	list := "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	if w.dsn != "" {
		r.db = s.Shell(w.t, w.dsn)
	} else {
		if r.db, err = sql.Open(sqlite.DriverName, "file:"+filepath.ToSlash(w.path)+"?_pragma=query_only(1)&_pragma=busy_timeout(5000)"); err != nil {
			w.t.Fatal(err)
		}
		list = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	}
	r.db.SetMaxOpenConns(1)
	names, err := column(r.db, list)
	if err == nil && w.dsn != "" {
		var counted []string
		counted, err = column(r.db, list+" AND auto_increment IS NOT NULL")
		for _, name := range counted {
			r.counts[name] = true
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_turn") && !strings.HasSuffix(name, "_migrations") {
			r.tables = append(r.tables, &tableText{name: name})
		}
	}
	if len(r.tables) < 30 {
		w.t.Fatalf("a database with %d tables", len(r.tables))
	}
	slices.SortFunc(r.tables, func(a, b *tableText) int { return cmp.Compare(a.name, b.name) })
	return r
}

// forget begins with another world in the same database.
func (r *reading) forget() {
	r.urls = ""
	r.outside, r.tags, r.said = map[string]string{}, map[string]string{}, strings.NewReplacer()
	r.look = func() string { return "" }
}

// column returns a column of texts.
func column(db *sql.DB, query string) (out []string, err error) {
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// refresh reads again the tables that are wanted. Links come first: they say what
// tags mean.
func (r *reading) refresh(want func(table string) bool) error {
	if want("bot_links") || want("user_codes") {
		if err := r.learn(); err != nil {
			return err
		}
	}
	for _, t := range r.tables {
		if want(t.name) {
			if err := r.load(t); err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
		}
	}
	return nil
}

// learn reads what the tags mean.
func (r *reading) learn() error {
	tags, err := column(r.db, "SELECT tag FROM bot_links ORDER BY id")
	if err != nil {
		return err
	}
	urls, err := column(r.db, "SELECT made_url FROM bot_links ORDER BY id")
	if err != nil {
		return err
	}
	codes, err := column(r.db, "SELECT code FROM user_codes ORDER BY user_id")
	if err != nil || len(tags)+len(codes) == len(r.tags) && strings.Join(urls, "") == r.urls {
		return err
	}
	r.urls = strings.Join(urls, "")
	var old []string
	for i, url := range urls {
		if quoted, err := json.Marshal(url); err == nil && url != "" {
			old = append(old, strings.Trim(string(quoted), `"`), fmt.Sprint("url-", i+1))
		}
	}
	for i, tag := range tags {
		r.tags[tag] = fmt.Sprint("tag-", i+1)
		old = append(old, tag, r.tags[tag])
	}
	for i, code := range codes {
		r.tags[code] = fmt.Sprint("code-", i+1)
		old = append(old, code, r.tags[code])
	}
	r.said = strings.NewReplacer(old...)
	return nil
}

// load reads a table.
func (r *reading) load(t *tableText) error {
	query := "SELECT * FROM " + t.name // the name comes from the database
	if ofTarget("lease")(t.name) {
		query += " WHERE name NOT LIKE 'job/%'"
	}
	rows, err := r.db.QueryContext(context.Background(), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if t.columns == nil {
		if t.columns, err = rows.Columns(); err != nil {
			return err
		}
	}
	cells, into := make([]sql.RawBytes, len(t.columns)), make([]any, len(t.columns))
	for i := range cells {
		into[i] = &cells[i]
	}
	var lines []string
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		lines = append(lines, r.line(t, cells))
	}
	slices.Sort(lines)
	t.hash = sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return rows.Err()
}

// line is a row as text.
func (r *reading) line(t *tableText, cells []sql.RawBytes) string {
	var b strings.Builder
	for i, c := range t.columns {
		text := "?"
		switch {
		case cells[i] == nil:
			text = "NULL"
		case t.name == "bot_dialogues" && c == "state":
			text = r.unsealed(string(cells[i]), "dialogue/"+string(cells[slices.Index(t.columns, "user_id")]))
		case !meaningless(t.name, c):
			text = string(cells[i])
		}
		fmt.Fprintf(&b, "%s=%q ", c, text)
	}
	return r.said.Replace(b.String())
}

// unsealed is what was sealed under the key of the tales.
func (r *reading) unsealed(text, owner string) string {
	_, text, _ = strings.Cut(text, ".")
	box, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		r.t.Fatal(err)
	}
	plain, err := r.key.Open(nil, nil, box, []byte(owner))
	if err != nil {
		r.t.Fatal(owner, ": ", err)
	}
	return string(plain)
}

// put says how something outside is.
func (r *reading) put(what, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outside[what] = text
}

// now is the state.
func (r *reading) now() state {
	h := sha256.New()
	for _, t := range r.tables {
		_, _ = h.Write(t.hash[:])
	}
	_, _ = h.Write([]byte(r.look()))
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, what := range slices.Sorted(maps.Keys(r.outside)) {
		text := r.said.Replace(r.outside[what])
		_, _ = h.Write(binary.BigEndian.AppendUint64([]byte(what), uint64(len(text))))
		_, _ = h.Write([]byte(text))
	}
	return state(h.Sum(nil))
}
