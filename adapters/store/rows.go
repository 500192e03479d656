package store

import (
	"encoding/json"
	"math/bits"
	"reflect"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"fanli/core/fault"
	"fanli/core/link"
	"fanli/core/order"
)

// inMax bounds a list of values in a condition.
const inMax = 500

// A row is a line of a table. Its fields are the columns.
type row interface{ TableName() string }

func op[R row]() string {
	var r R
	return "store." + r.TableName()
}

// find returns the rows that g selects.
func find[R row](g *gorm.DB) ([]R, error) { return findSome[R](g, 1) }

// findSome returns the rows that g selects. There may be any number of them; there
// is room for count, where gorm would make it for twenty.
func findSome[R row](g *gorm.DB, count int) ([]R, error) {
	rows := make([]R, 0, count)
	err := g.Find(&rows).Error
	return rows, classify(op[R](), err)
}

// first returns the first row that g selects, or fault.NotFound.
func first[R row](g *gorm.DB) (R, error) {
	var r R
	rows, err := find[R](g.Limit(1))
	if err != nil {
		return r, err
	}
	if len(rows) == 0 {
		return r, fault.Wrap(fault.NotFound, op[R](), gorm.ErrRecordNotFound)
	}
	return rows[0], nil
}

// findIn returns the rows whose column is one of values, in addition to what g
// asks. Values that come twice are asked for once.
func findIn[R row, V comparable](g func() *gorm.DB, column string, values []V) ([]R, error) {
	var out []R
	for part := range slices.Chunk(distinct(values), inMax) {
		q := g()
		rows, err := findSome[R](q.Where(column+" IN ?", padded(q, part)), len(part))
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// distinct returns the values in their order, each once, without the zero value:
// an empty text names nothing.
func distinct[V comparable](values []V) []V {
	var zero V
	seen := make(map[V]bool, len(values))
	out := make([]V, 0, len(values))
	for _, v := range values {
		if v != zero && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// padded repeats the last of a list's values until there are as many as a power of
// two, so that lists of any length make few different statements where statements
// are kept. A value that comes twice asks for nothing more.
func padded[V any](g *gorm.DB, values []V) []V {
	if len(values) == 0 || !keepsStatements(g) {
		return values
	}
	n := 1
	for n < len(values) {
		n *= 2
	}
	n = max(min(n, inMax), len(values))
	out := make([]V, n)
	for i := copy(out, values); i < n; i++ {
		out[i] = values[len(values)-1]
	}
	return out
}

// insert stores rows in few statements. It sets their ids.
func insert[R row](g *gorm.DB, rows []R, with ...clause.Expression) error {
	most := paramsMax(g) / reflect.TypeFor[R]().NumField()
	for len(rows) > 0 {
		n := stride(g, len(rows), most)
		part := rows[:n:n]
		if err := g.Clauses(with...).Create(&part).Error; err != nil {
			return classify(op[R](), err)
		}
		rows = rows[n:]
	}
	return nil
}

// stride is how many of the rows that are left one statement takes, at most most.
// Where statements are kept that is a power of two, so that few different ones are
// needed.
func stride(g *gorm.DB, left, most int) int {
	n := min(left, most)
	if !keepsStatements(g) {
		return n
	}
	return 1 << (bits.Len(uint(n)) - 1)
}

// paramsMax bounds the parameters of one statement.
func paramsMax(g *gorm.DB) int {
	if g.Name() == mysqlName {
		return mysqlParamsMax
	}
	return sqliteParamsMax
}

// keepsStatements reports whether a statement that comes again is cheaper than
// another one: on SQLite (see statements.go). To MySQL they go as text.
func keepsStatements(g *gorm.DB) bool { return g.Name() != mysqlName }

// mysqlName is what gorm calls MySQL and MariaDB.
const mysqlName = "mysql"

// upsert is the clause by which rows that are there already, by the columns of a
// unique index, take new values in others.
func upsert(unique []string, update ...string) clause.Expression {
	c := clause.OnConflict{DoUpdates: clause.AssignmentColumns(update)}
	for _, name := range unique {
		c.Columns = append(c.Columns, clause.Column{Name: name})
	}
	return c
}

// ignore is the clause by which rows that are there already are left alone.
func ignore() clause.Expression { return clause.OnConflict{DoNothing: true} }

// locked is the clause that keeps others from changing what is read, those too
// that do not wait for the target's turn. SQLite's transactions have the whole
// database to themselves and leave it out.
func locked(g *gorm.DB) *gorm.DB { return g.Clauses(clause.Locking{Strength: "UPDATE"}) }

// keep is locked, for more than one statement.
func keep(g *gorm.DB) *gorm.DB { return locked(g).Session(&gorm.Session{}) }

// byKeys returns the rows of order lines' keys. Keys of one batch are nearly
// always of one account, so this is one statement for each inMax of them.
func byKeys[R row](g *gorm.DB, keys []order.Key) ([]R, error) {
	type feed struct{ network, account string }
	ids := map[feed][]string{}
	var feeds []feed
	for _, k := range keys {
		f := feed{k.Network, k.Account}
		if ids[f] == nil {
			feeds = append(feeds, f)
		}
		ids[f] = append(ids[f], k.ID)
	}
	var out []R
	for _, f := range feeds {
		rows, err := findIn[R](func() *gorm.DB {
			return g.Where("network = ? AND account = ?", f.network, f.account)
		}, "line_no", ids[f])
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// keyColumns are the columns of an order line's key.
func keyColumns() []string { return []string{"network", "account", "line_no"} }

// ms writes a time; 0 is the zero time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// at reads what ms wrote.
func at(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// text writes v as JSON.
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), fault.Wrap(fault.Internal, "store.text", err)
}

// parse reads what text wrote; "" leaves v as it is.
func parse(s string, v any) error {
	if s == "" {
		return nil
	}
	return fault.Wrap(fault.Internal, "store.parse", json.Unmarshal([]byte(s), v))
}

// promiseText writes a promise; most lines have none, and it is "".
func promiseText(p link.Promise) (string, error) {
	if p == (link.Promise{}) {
		return "", nil
	}
	return text(p)
}

// changedOne says fault.NotFound where a statement met no row.
func changedOne[R row](g *gorm.DB) error {
	if g.Error == nil && g.RowsAffected == 0 {
		return fault.Wrap(fault.NotFound, op[R](), gorm.ErrRecordNotFound)
	}
	return classify(op[R](), g.Error)
}
