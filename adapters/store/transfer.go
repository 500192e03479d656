package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fanli/core/fault"
)

// Sizes of a transfer. Its memory is one batch, however large the tables are.
const (
	transferParamsMax = 8_000
	transferBytesMax  = 2 << 20
)

// transferMark is the table that says that a transfer has begun and not ended.
// Nothing works in a database that has it.
const transferMark = "fanli_transfer"

// A Copied is what Transfer has done with one table.
type Copied struct {
	Table  string
	Rows   int64 // there were
	Copies int64 // there are in the new place
	Was    string
	Is     string // hash of the content; equal to Was in a sound copy
}

// Equal reports whether both places have the same.
func (c Copied) Equal() bool { return c.Rows == c.Copies && c.Was == c.Is }

// Transfer copies everything in a SQLite database to an empty one on a server, or
// the tables of the targets that are to be there, as of one moment, and compares both afterwards, row by row, by reading what is in
// the new place. said hears of each table when it is done. What is sealed is copied
// sealed: the seal keys stay what they are.
//
// A transfer that was interrupted, or whose comparison failed, leaves a database in
// which nothing works but Transfer, which then begins again. It fails with
// fault.Conflict, and changes nothing, if there is anything in the new place that
// no transfer has put there, or if the old one is not migrated.
func Transfer(ctx context.Context, from, to *DB, said func(Copied)) error {
	err := transfer(ctx, from, to, said)
	return classify("store.Transfer", err)
}

func transfer(ctx context.Context, from, to *DB, said func(Copied)) error {
	if from.turns != nil || to.turns == nil {
		return fault.New(fault.Invalid, "store.transfer_kinds")
	}
	todo, err := from.Pending(ctx)
	if err != nil {
		return err
	}
	if len(todo) > 0 {
		return fault.Newf(fault.Conflict, "store.not_migrated", "%d migrations have not been applied to the old database", len(todo))
	}
	begun, err := to.mark(ctx)
	if err != nil {
		return err
	}
	if _, err := to.migrateAll(ctx); err != nil {
		return err
	}
	pool, err := to.migrationPool()
	if err != nil {
		return err
	}
	defer pool.Close()
	c, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	l := sessionLock{jobsTarget.versions()} // of two transfers one waits, and then finds the other's
	if err := l.SessionLock(ctx, c); err != nil {
		return err
	}
	defer func() { _ = l.SessionUnlock(context.WithoutCancel(ctx), c) }()
	if begun {
		if err := to.empty(ctx, c); err != nil {
			return err
		}
	}
	sound, err := copyAll(ctx, from, to, c, said)
	if err != nil || !sound {
		return err
	}
	_, err = c.ExecContext(ctx, "DROP TABLE "+transferMark)
	return err
}

// mark makes the mark. begun is true if it was there before; otherwise there must
// be nothing at all.
func (db *DB) mark(ctx context.Context) (begun bool, err error) {
	if begun, err = db.hasTable(ctx, transferMark); err != nil || begun {
		return begun, err
	}
	names, err := db.tables(ctx)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		var one []int
		if err := db.reader(ctx).Raw("SELECT 1 FROM " + name + " LIMIT 1").Find(&one).Error; err != nil {
			return false, err
		}
		if len(one) > 0 {
			return false, fault.Newf(fault.Conflict, "store.not_empty", "there is something in the new database already, in %s; give it an empty one", name)
		}
	}
	return false, db.write.WithContext(ctx).Exec("CREATE TABLE " + transferMark + " (id BIGINT NOT NULL PRIMARY KEY) ENGINE=InnoDB").Error
}

// marked fails with fault.Conflict in a database into which a transfer has not
// ended.
func (db *DB) marked(ctx context.Context) error {
	if db.turns == nil {
		return nil
	}
	begun, err := db.hasTable(ctx, transferMark)
	if err == nil && begun {
		err = fault.Newf(fault.Conflict, "store.transfer_unfinished", "a transfer into this database has not ended: run fanli transfer again")
	}
	return err
}

// tables returns the tables of content, in the order of their names.
func (db *DB) tables(ctx context.Context) (out []string, err error) {
	statement := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if db.turns != nil {
		statement = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
	}
	var names []string
	if err := db.reader(ctx).Raw(statement).Find(&names).Error; err != nil {
		return nil, err
	}
	for _, name := range names {
		if !strings.HasSuffix(name, "_migrations") && !strings.HasSuffix(name, "_turn") && name != transferMark {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out, nil
}

// empty throws away what an earlier transfer has left. It does not ask triggers.
func (db *DB) empty(ctx context.Context, c *sql.Conn) error {
	names, err := db.tables(ctx)
	for _, name := range names {
		if err == nil {
			_, err = c.ExecContext(ctx, "TRUNCATE TABLE "+name)
		}
	}
	return err
}

// copyAll copies all tables as of one moment and compares them.
func copyAll(ctx context.Context, from, to *DB, c *sql.Conn, said func(Copied)) (sound bool, err error) {
	names, err := from.tables(ctx)
	if err != nil {
		return false, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !to.owns(name) })
	there, err := to.tables(ctx)
	if err != nil {
		return false, err
	}
	if !slices.Equal(names, there) {
		return false, fault.Newf(fault.Internal, "store.transfer_tables", "the old database has the tables %v, the new one %v", names, there)
	}
	pool, err := from.read.DB()
	if err != nil {
		return false, err
	}
	tx, err := pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }()
	sound = true
	for _, name := range names {
		done, err := copyTable(ctx, tx, c, name)
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		sound = sound && done.Equal()
		said(done)
	}
	return sound, goOnNumbering(ctx, tx, c, to.owns)
}

// owns reports whether a table is one of the targets that are here.
func (db *DB) owns(table string) bool {
	return slices.ContainsFunc(db.migrated(), func(t target) bool { return t.owns(table) })
}

// owns reports whether a table is the target's: its name begins with the target's,
// or is its plural.
func (t target) owns(table string) bool {
	return strings.HasPrefix(table, string(t)+"_") || table == string(t)+"s"
}

// goOnNumbering makes the new database go on where the old one stopped to number: a
// number of a row that has gone is never given again.
func goOnNumbering(ctx context.Context, from *sql.Tx, to *sql.Conn, owns func(string) bool) error {
	rows, err := from.QueryContext(ctx, "SELECT name, seq FROM sqlite_sequence")
	if err != nil {
		return err
	}
	defer rows.Close()
	last := map[string]int64{}
	for rows.Next() {
		var name string
		var seq int64
		if err := rows.Scan(&name, &seq); err != nil {
			return err
		}
		last[name] = seq
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for name, seq := range last {
		if strings.HasSuffix(name, "_migrations") || !owns(name) {
			continue
		}
		if _, err := to.ExecContext(ctx, "ALTER TABLE "+name+" AUTO_INCREMENT = "+strconv.FormatInt(seq+1, 10)); err != nil {
			return err
		}
	}
	return nil
}

// querier is a transaction or a connection.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// copyTable copies one table and compares it.
func copyTable(ctx context.Context, from *sql.Tx, to *sql.Conn, name string) (done Copied, err error) {
	columns, err := columnsOf(ctx, from, name)
	if err != nil {
		return done, err
	}
	b := batchOf{table: name, columns: columns}
	was, err := read(ctx, from, name, columns, func(row []any) error {
		if !b.full(row) {
			return nil
		}
		return b.write(ctx, to)
	})
	if err == nil {
		err = b.write(ctx, to)
	}
	if err != nil {
		return done, err
	}
	is, err := read(ctx, to, name, columns, func([]any) error { return nil })
	return Copied{Table: name, Rows: was.rows, Copies: is.rows, Was: was.String(), Is: is.String()}, err
}

func columnsOf(ctx context.Context, q querier, name string) ([]string, error) {
	rows, err := q.QueryContext(ctx, "SELECT * FROM "+name+" LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	return columns, errors.Join(err, rows.Err())
}

// read hands every row of a table to see, and returns the hash of all.
func read(ctx context.Context, q querier, name string, columns []string, see func(row []any) error) (c content, err error) {
	rows, err := q.QueryContext(ctx, "SELECT "+quoted(columns)+" FROM "+name)
	if err != nil {
		return c, err
	}
	defer rows.Close()
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return c, err
		}
		for i, v := range row {
			if b, ok := v.([]byte); ok && b == nil { // SQLite's driver says that of nothing, which is not NULL
				row[i] = []byte{}
			}
		}
		c.add(row)
		if err := see(row); err != nil {
			return c, err
		}
	}
	return c, rows.Err()
}

// quoted lists columns. Both databases know this quote.
func quoted(columns []string) string { return "`" + strings.Join(columns, "`, `") + "`" }

// A batchOf collects rows for one statement.
type batchOf struct {
	table   string
	columns []string
	args    []any
	bytes   int
}

// full adds a row and reports whether it is time to write.
func (b *batchOf) full(row []any) bool {
	b.args = append(b.args, row...)
	for _, v := range row {
		b.bytes += len(bytesOf(v))
	}
	return len(b.args)+len(row) > transferParamsMax || b.bytes > transferBytesMax
}

// write writes what was collected.
func (b *batchOf) write(ctx context.Context, to *sql.Conn) error {
	if len(b.args) == 0 {
		return nil
	}
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(b.columns)), ", ") + ")"
	all := strings.TrimSuffix(strings.Repeat(row+", ", len(b.args)/len(b.columns)), ", ")
	//nolint:gosec // the names are those of our tables
	_, err := to.ExecContext(ctx, "INSERT INTO "+b.table+" ("+quoted(b.columns)+") VALUES "+all, b.args...)
	b.args, b.bytes = b.args[:0], 0
	return err
}

// A content is the hash of rows, whatever their order: the sum of the hashes of
// all.
type content struct {
	rows int64
	sum  [4]uint64
}

// add adds a row. Numbers count as their text: databases differ in which of both
// they return, and agree on what a column holds.
func (c *content) add(row []any) {
	var text []byte
	for _, v := range row {
		if v == nil {
			text = append(text, 0)
			continue
		}
		b := bytesOf(v)
		text = append(text, 1)
		text = binary.BigEndian.AppendUint64(text, uint64(len(b)))
		text = append(text, b...)
	}
	h := sha256.Sum256(text)
	for i := range c.sum {
		c.sum[i] += binary.BigEndian.Uint64(h[8*i:])
	}
	c.rows++
}

// String is the hash as text.
func (c *content) String() string {
	var b []byte
	for _, n := range c.sum {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return hex.EncodeToString(b)
}

// bytesOf is a value of a column as text.
func bytesOf(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	case int64:
		return strconv.AppendInt(nil, v, 10)
	case nil:
		return nil
	default:
		return fmt.Append(nil, v)
	}
}
