package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/pressly/goose/v3"

	"fanli/core/fault"
)

// migrations are the numbered files of each kind of database and target. They
// are only ever added to.
//
//go:embed migrations
var migrations embed.FS

// A Step is one migration.
type Step struct {
	Target  string
	Version int64
	Name    string // of its file
}

// String names the step: "order/0002_lines.sql".
func (s Step) String() string { return s.Target + "/" + s.Name }

// Applied is a step that Migrate has done.
type Applied struct {
	Step
	Took time.Duration
}

// migrated returns the targets with tables here, in the order of their migrations.
func (db *DB) migrated() []target { return append(db.speakers(), jobsTarget) }

// versions is the table that says which steps of a target were done.
func (t target) versions() string { return string(t) + "_migrations" }

// Migrate brings the tables of all targets to the state that this binary knows,
// and returns the steps that it did. In SQLite a step is a transaction; in
// MySQL it is one that can be done again from its first statement. So one that was
// interrupted is done by the next call, and when several processes start at the
// same time each step is done by one of them. It fails with
// fault.Conflict for a database that a newer binary has migrated, or into which a
// transfer has not ended.
func (db *DB) Migrate(ctx context.Context) ([]Applied, error) {
	if err := db.marked(ctx); err != nil {
		return nil, classify("store.Migrate", err)
	}
	return db.migrateAll(ctx)
}

func (db *DB) migrateAll(ctx context.Context) ([]Applied, error) {
	var done []Applied
	for _, t := range db.migrated() {
		steps, err := db.migrate(ctx, t)
		done = append(done, steps...)
		if err != nil {
			return done, classify("store.Migrate", fmt.Errorf("%s: %w", t, err))
		}
	}
	return done, nil
}

// Pending returns the steps that Migrate would do. It changes nothing.
func (db *DB) Pending(ctx context.Context) ([]Step, error) {
	var out []Step
	for _, t := range db.migrated() {
		steps, err := db.pending(ctx, t)
		if err != nil {
			return out, classify("store.Pending", fmt.Errorf("%s: %w", t, err))
		}
		out = append(out, steps...)
	}
	return out, nil
}

// Tables returns the tables that a target owns, in the order of their names.
func Tables(ctx context.Context, target string) (names []string, err error) {
	db, err := Open(ctx, Config{Path: Memory, SealKey: make([]byte, sealKeyLen), Targets: []string{target}})
	if err != nil {
		return nil, err
	}
	if _, err = db.Migrate(ctx); err == nil {
		names, err = db.tables(ctx)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return jobsTarget.owns(name) })
	return names, errors.Join(err, db.Close())
}

// migrate does the steps of one target. A step also fails if another process did
// it a moment ago; then there is less to do than before, and going on is right.
func (db *DB) migrate(ctx context.Context, t target) (done []Applied, err error) {
	todo, err := db.pending(ctx, t)
	for err == nil && len(todo) > 0 {
		var some []Applied
		upErr := again(ctx, func() error {
			some, err = db.up(ctx, t)
			done = append(done, some...)
			return err
		})
		left, lookErr := db.pending(ctx, t)
		if lookErr != nil || len(left) >= len(todo) {
			return done, errors.Join(upErr, lookErr)
		}
		todo, err = left, nil
	}
	return done, err
}

// up does what it can.
func (db *DB) up(ctx context.Context, t target) ([]Applied, error) {
	files, err := db.files(t)
	if err != nil {
		return nil, err
	}
	p, end, err := db.provider(t, files)
	if err != nil {
		return nil, err
	}
	defer end()
	results, err := p.Up(ctx)
	var partial *goose.PartialError
	if errors.As(err, &partial) {
		results = partial.Applied
	}
	done := make([]Applied, len(results))
	for i, r := range results {
		done[i] = Applied{Step{string(t), r.Source.Version, path.Base(r.Source.Path)}, r.Duration}
	}
	return done, err
}

// provider returns what does the steps in files, and what ends it.
func (db *DB) provider(t target, files fs.FS) (*goose.Provider, func(), error) {
	options := []goose.ProviderOption{
		goose.WithTableName(t.versions()), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()),
	}
	if db.turns == nil {
		pool, err := db.write.DB()
		if err != nil {
			return nil, nil, err
		}
		p, err := goose.NewProvider(goose.DialectSQLite3, pool, files, options...)
		return p, func() {}, err
	}
	pool, err := db.migrationPool()
	if err != nil {
		return nil, nil, err
	}
	end := func() { _ = pool.Close() }
	p, err := goose.NewProvider(goose.DialectMySQL, pool, files, append(options, goose.WithSessionLocker(sessionLock{t.versions()}))...)
	if err != nil {
		end()
	}
	return p, end, err
}

// files returns the migrations of a target for this kind of database.
func (db *DB) files(t target) (fs.FS, error) {
	return fs.Sub(migrations, path.Join("migrations", db.write.Name(), string(t)))
}

// pending compares the files of a target with what was done.
func (db *DB) pending(ctx context.Context, t target) ([]Step, error) {
	files, err := db.files(t)
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(files, ".") // sorted by name
	if err != nil {
		return nil, err
	}
	known, err := db.versions(ctx, t)
	if err != nil {
		return nil, err
	}
	var out []Step
	for _, e := range entries {
		v, err := goose.NumericComponent(e.Name())
		if err != nil {
			return nil, err
		}
		if i := slices.Index(known, v); i >= 0 {
			known = slices.Delete(known, i, i+1)
			continue
		}
		out = append(out, Step{string(t), v, e.Name()})
	}
	if len(known) > 0 {
		return nil, fault.Newf(fault.Conflict, "store.newer", "the database has step %d of %s, which this binary does not know", known[0], t)
	}
	return out, nil
}

// versions returns the steps of a target that were done.
func (db *DB) versions(ctx context.Context, t target) ([]int64, error) {
	there, err := db.hasTable(ctx, t.versions())
	if err != nil || !there {
		return nil, err
	}
	var out []int64
	err = db.reader(ctx).Table(t.versions()).Where("is_applied AND version_id > 0").Distinct("version_id").Pluck("version_id", &out).Error
	return out, err
}

// hasTable reports whether there is a table called name.
func (db *DB) hasTable(ctx context.Context, name string) (bool, error) {
	g := db.reader(ctx).Table("sqlite_master").Where("type = 'table' AND name = ?", name)
	if db.turns != nil {
		g = db.reader(ctx).Table("information_schema.tables").Where("table_schema = DATABASE() AND table_name = ?", name)
	}
	var n int64
	err := g.Count(&n).Error
	return n > 0, err
}
