package observe

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/go-logr/logr"
	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/grpclog"
)

// Records counts the lines of a log by level.
type Records struct{ debug, info, warn, fail atomic.Int64 }

func (c *Records) of(l slog.Level) *atomic.Int64 {
	switch {
	case l >= slog.LevelError:
		return &c.fail
	case l >= slog.LevelWarn:
		return &c.warn
	case l >= slog.LevelInfo:
		return &c.info
	default:
		return &c.debug
	}
}

func (c *Records) source() Source {
	return Source{Name: "log", Read: func(_ context.Context, say Say) error {
		for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			say(logRecords, float64(c.of(l).Load()), strings.ToLower(l.String()))
		}
		return nil
	}}
}

// Log returns h with the trace of what is logged in each line of which the context
// has one: trace_id and span_id. counts may be nil.
func Log(h slog.Handler, counts *Records) slog.Handler { return named{h, counts} }

type named struct {
	slog.Handler
	counts *Records
}

// Handle implements slog.Handler.
func (n named) Handle(ctx context.Context, r slog.Record) error {
	if n.counts != nil {
		n.counts.of(r.Level).Add(1)
	}
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r = r.Clone()
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	return n.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (n named) WithAttrs(as []slog.Attr) slog.Handler {
	return named{n.Handler.WithAttrs(as), n.counts}
}

// WithGroup implements slog.Handler.
func (n named) WithGroup(name string) slog.Handler { return named{n.Handler.WithGroup(name), n.counts} }

// Libraries makes libraries that would write to standard error by themselves write
// to log. They keep their loggers in globals, so a process does this once, before it
// uses them. What they say is theirs and may have content: at info and below it is
// left out.
func Libraries(log *slog.Logger) {
	grpclog.SetLoggerV2(grpcLog{log.With("library", "grpc")})
	redis.SetLogger(redisLog{log.With("library", "redis")})
	_ = mysql.SetLogger(mysqlLog{log.With("library", "mysql")}) // it fails for nil only
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "library", "otel", "error", err) }))
	slog.SetDefault(log.With("library", "go")) // whatever else writes to the standard library's log
	slog.SetLogLoggerLevel(slog.LevelWarn)
	otel.SetLogger(logr.Discard()) // what it has to say beside errors
}

type redisLog struct{ log *slog.Logger }

// Printf implements go-redis' logger.
func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.WarnContext(ctx, fmt.Sprintf(format, v...))
}

type mysqlLog struct{ log *slog.Logger }

// Print implements mysql.Logger.
func (l mysqlLog) Print(v ...any) { l.log.Warn(fmt.Sprint(v...)) }

type grpcLog struct{ log *slog.Logger }

func (l grpcLog) say(level slog.Level, text string) {
	l.log.Log(context.Background(), level, strings.TrimSuffix(text, "\n"))
}

// The rest implements grpclog.LoggerV2. Its warnings are of connections that come and
// go, which is nobody's business at info.

func (grpcLog) Info(...any)             {}
func (grpcLog) Infoln(...any)           {}
func (grpcLog) Infof(string, ...any)    {}
func (l grpcLog) Warning(args ...any)   { l.say(slog.LevelDebug, fmt.Sprint(args...)) }
func (l grpcLog) Warningln(args ...any) { l.say(slog.LevelDebug, fmt.Sprintln(args...)) }
func (l grpcLog) Warningf(format string, args ...any) {
	l.say(slog.LevelDebug, fmt.Sprintf(format, args...))
}
func (l grpcLog) Error(args ...any)   { l.say(slog.LevelWarn, fmt.Sprint(args...)) }
func (l grpcLog) Errorln(args ...any) { l.say(slog.LevelWarn, fmt.Sprintln(args...)) }
func (l grpcLog) Errorf(format string, args ...any) {
	l.say(slog.LevelWarn, fmt.Sprintf(format, args...))
}

// Fatal is an error: no library ends this process.
func (l grpcLog) Fatal(args ...any)   { l.say(slog.LevelError, fmt.Sprint(args...)) }
func (l grpcLog) Fatalln(args ...any) { l.say(slog.LevelError, fmt.Sprintln(args...)) }
func (l grpcLog) Fatalf(format string, args ...any) {
	l.say(slog.LevelError, fmt.Sprintf(format, args...))
}

// V implements grpclog.LoggerV2.
func (grpcLog) V(int) bool { return false }
