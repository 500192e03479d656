package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	gormmysql "gorm.io/driver/mysql"
	"gorm.io/gorm"

	"fanli/core/fault"
)

// Sizes of MySQL.
const (
	// ConnectionsMin is the least number of connections: one for the writer of
	// each target and some to read.
	ConnectionsMin = 10
	// connectionsDefault is how many there are at most if nobody says so.
	connectionsDefault = 16
	// connectionLife is when a connection is made anew, so that a server that
	// took over from another one is found.
	connectionLife = 10 * time.Minute
	// dialTimeout and writeTimeout bound what the network may take. Reading has
	// no limit of its own: a statement may wait for a lock, and the context ends
	// it.
	dialTimeout  = 5 * time.Second
	writeTimeout = 30 * time.Second
	// lockWaitSeconds is how long a statement waits for another process.
	lockWaitSeconds = "10"
	// mysqlParamsMax bounds the parameters of one statement, so that a page of
	// 500 order lines is one, far below the packet that servers take.
	mysqlParamsMax = 16_000
	// mysqlPort is where a server listens if the address does not say.
	mysqlPort = "3306"
)

// MySQL's error numbers that mean something to a caller.
const (
	numberTooManyConnections = 1040
	numberNoAccess           = 1044
	numberNoLogin            = 1045
	numberNoDatabase         = 1049
	numberShutdown           = 1053
	numberPacketTooLarge     = 1153
	numberLockWait           = 1205
	numberDeadlock           = 1213
	numberReadOnly           = 1290
	numberInterrupted        = 1317
	numberBadText            = 1366
	numberTooLong            = 1406
	numberReadOnlyMode       = 1836
	numberKilled             = 1927 // MariaDB
	numberChanged            = 1020 // MariaDB: somebody else has changed the row since
)

// numbers says what a caller can do about an error number. What is not here is
// Internal: a person should look at it.
var numbers = map[uint16]fault.Code{
	numberTooManyConnections: fault.Unavailable,
	numberShutdown:           fault.Unavailable,
	numberLockWait:           fault.Unavailable,
	numberDeadlock:           fault.Unavailable,
	numberChanged:            fault.Unavailable,
	numberReadOnly:           fault.Unavailable, // a replica that has not taken over yet
	numberReadOnlyMode:       fault.Unavailable,
	numberInterrupted:        fault.Unavailable,
	numberKilled:             fault.Unavailable,
	numberNoAccess:           fault.Invalid,
	numberNoLogin:            fault.Invalid,
	numberNoDatabase:         fault.Invalid,
	numberPacketTooLarge:     fault.Invalid,
	numberTooLong:            fault.Invalid,
	numberBadText:            fault.Invalid,
}

// mysqlFault says what an error of the MySQL driver means; ok is false if it is
// not one, or nothing that is known.
func mysqlFault(err error) (code fault.Code, ok bool) {
	var m *mysql.MySQLError
	if errors.As(err, &m) {
		code, ok = numbers[m.Number]
		return code, ok
	}
	if lost(err) {
		return fault.Unavailable, true
	}
	return "", false
}

// lost reports whether the connection to the server has gone. What was not
// committed then is rolled back.
func lost(err error) bool {
	for _, known := range []error{
		driver.ErrBadConn, mysql.ErrInvalidConn, io.EOF, io.ErrUnexpectedEOF,
		mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrPktSyncMul, // an answer that was cut off
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return isNetwork(err)
}

// mysqlBusy reports whether err says that somebody else was in the way. Nothing
// of the transaction remains, once it is rolled back, and running it again is
// right.
func mysqlBusy(err error) bool {
	var m *mysql.MySQLError
	if !errors.As(err, &m) {
		return false
	}
	switch m.Number {
	case numberDeadlock, numberLockWait, numberChanged, numberTooManyConnections:
		return true
	}
	return false
}

// mysqlMaybe reports whether a commit that failed with err may have happened all
// the same: the server was asked and its answer never came.
func mysqlMaybe(err error) bool {
	var m *mysql.MySQLError
	switch {
	case errors.As(err, &m):
		return m.Number == numberShutdown || m.Number == numberInterrupted || m.Number == numberKilled
	case errors.Is(err, sql.ErrTxDone), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return false // it was rolled back before the server was asked
	default:
		return true
	}
}

// CheckDSN fails with fault.Invalid for an address that cannot be one. It does not
// connect, and its error does not repeat the address.
func CheckDSN(dsn string) error {
	_, err := mysqlConfig(dsn)
	return err
}

// mysqlConfig reads an address, as mysql://USER:PASSWORD@HOST:PORT/NAME or as the
// driver writes it, and adds what the store relies on.
func mysqlConfig(dsn string) (*mysql.Config, error) {
	c, err := readDSN(dsn)
	if err != nil || c.DBName == "" {
		return nil, fault.Newf(fault.Invalid, "store.dsn", // without the cause, which quotes the password
			"the database's address cannot be read: write mysql://USER:PASSWORD@HOST:PORT/NAME, with %%40 for an @ in the password")
	}
	c.InterpolateParams = true // one round trip for a statement, not three
	c.ClientFoundRows = true   // a row that is changed to what it was is a row that was found
	c.MultiStatements = false
	c.ParseTime, c.Loc = false, time.UTC
	c.RejectReadOnly = true // after a fail-over: look for the server that can write
	c.Collation = "utf8mb4_bin"
	c.Logger = &mysql.NopLogger{} // what it would say comes as an error, too
	if c.Timeout == 0 {
		c.Timeout = dialTimeout
	}
	if c.WriteTimeout == 0 {
		c.WriteTimeout = writeTimeout
	}
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	c.Params["sql_mode"] = "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"
	c.Params["innodb_lock_wait_timeout"] = lockWaitSeconds
	return c, nil
}

func readDSN(dsn string) (*mysql.Config, error) {
	if !strings.HasPrefix(dsn, "mysql://") {
		return mysql.ParseDSN(dsn)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, err
	}
	host := u.Host
	if u.Port() == "" {
		host += ":" + mysqlPort
	}
	c, err := mysql.ParseDSN("tcp(" + host + ")/?" + u.RawQuery)
	if err != nil {
		return nil, err
	}
	c.DBName, c.User = strings.TrimPrefix(u.Path, "/"), u.User.Username()
	c.Passwd, _ = u.User.Password()
	return c, nil
}

// openMySQL opens the pools.
func (db *DB) openMySQL(ctx context.Context) (err error) {
	c, err := mysqlConfig(db.cfg.DSN)
	if err != nil {
		return err
	}
	conns := db.cfg.Connections
	if conns == 0 {
		conns = connectionsDefault
	}
	if conns < ConnectionsMin {
		return fault.Newf(fault.Invalid, "store.connections", "%d connections are fewer than %d", conns, ConnectionsMin)
	}
	writers := len(db.migrated()) // no more than one of a target works at a time
	db.turns = map[target]chan struct{}{}
	for _, t := range db.migrated() {
		db.turns[t] = make(chan struct{}, 1)
	}
	if db.write, err = db.mysqlPool(ctx, c, writers); err != nil {
		return err
	}
	if db.read, err = db.mysqlPool(ctx, c, conns-writers); err != nil {
		return err
	}
	return db.checkMySQL(ctx)
}

func (db *DB) mysqlPool(ctx context.Context, c *mysql.Config, conns int) (*gorm.DB, error) {
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fault.New(fault.Invalid, "store.dsn") // without the cause, which may quote the password
	}
	p := sql.OpenDB(connector)
	p.SetMaxOpenConns(conns)
	p.SetMaxIdleConns(conns)
	p.SetConnMaxLifetime(connectionLife)
	db.pools = append([]*sql.DB{p}, db.pools...)
	if err := again(ctx, func() error { return p.PingContext(ctx) }); err != nil {
		return nil, err
	}
	return gorm.Open(gormmysql.New(gormmysql.Config{
		Conn:                      p,
		SkipInitializeWithVersion: true,
		DisableWithReturning:      true, // MySQL has no RETURNING: MariaDB goes the same way
	}), gormConfig())
}

// checkMySQL refuses a server on which rows would get other numbers than the
// store thinks: it knows the first one of a statement and counts on.
func (db *DB) checkMySQL(ctx context.Context) error {
	var step int
	err := db.reader(ctx).Raw("SELECT @@auto_increment_increment").Find(&step).Error
	if err == nil && step != 1 {
		err = fault.Newf(fault.Invalid, "store.auto_increment", "auto_increment_increment is %d: fanli needs a server on which it is 1", step)
	}
	return err
}

// takeTurn waits until no other transaction of this process works on a target,
// and returns what ends the turn. So a crowd on one target waits here, and not
// on connections that the others need.
func (db *DB) takeTurn(ctx context.Context, t target) (end func(), err error) {
	turn := db.turns[t]
	if turn == nil { // SQLite has one connection for all writers
		return func() {}, nil
	}
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin begins a transaction that no other one of its target runs beside, in
// whatever process: what it reads is what it changes, and what it does not find
// nobody else puts there.
func (db *DB) begin(ctx context.Context, t target) (*gorm.DB, error) {
	if db.turns == nil {
		g := db.write.WithContext(ctx).Begin()
		return g, g.Error
	}
	g := db.write.WithContext(ctx).Begin(&sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if g.Error != nil {
		return nil, g.Error
	}
	var ids []int64
	err := locked(g.Table(t.turn())).Where("id = 1").Pluck("id", &ids).Error
	if err == nil && len(ids) != 1 {
		err = fault.Newf(fault.Internal, "store.no_turn", "the table %s has lost its row", t.turn())
	}
	if err != nil {
		g.Rollback()
		return nil, err
	}
	return g, nil
}

// turn is the name of the table whose row a transaction of the target holds.
// Only MySQL has it.
func (t target) turn() string { return string(t) + "_turn" }
