package user

import (
	"context"
	"time"
)

// A Service is what other targets ask of this one. A [Directory] is one; where it
// runs in another process, so is a client of it. Implementations pass
// servicetest.Users.
type Service interface {
	Resolve(ctx context.Context, i Identity, locale string) (u User, joined bool, err error)
	Find(ctx context.Context, i Identity) (User, error)
	User(ctx context.Context, id int64) (User, error)
	Identities(ctx context.Context, user int64) ([]Identity, error)
	SetLocale(ctx context.Context, user int64, locale string) error
	Payee(ctx context.Context, user int64) (Payee, error)
	SetPayee(ctx context.Context, user int64, p Payee) error
	Level(ctx context.Context, user int64) (level int, until time.Time, err error)
	Sharing(ctx context.Context, user int64) (int, error)
	Code(ctx context.Context, user int64) (string, error)
	Bind(ctx context.Context, user int64, code string) error
	Invited(ctx context.Context, user int64) (int, error)
	Inviters(ctx context.Context, user int64, at time.Time) ([2]int64, error)
	MakeLinkCode(ctx context.Context, user int64) (LinkCode, error)
	PreviewLink(ctx context.Context, user int64, code string) (Preview, error)
	Link(ctx context.Context, user, other int64, code string) (Merge, error)
	LastMerge(ctx context.Context, user int64) (Merge, error)
	Unlink(ctx context.Context, user int64) (Merge, error)
	Notices(ctx context.Context, user int64) (Notices, error)
	ChangeNotices(ctx context.Context, user int64, c NoticesChange) (Notices, error)
}

var _ Service = (*Directory)(nil)
