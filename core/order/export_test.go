package order

import "time"

// Take lets tests teach a line one revision.
func Take(l *Line, r Revision, now time.Time) bool { return l.take(r, now) }

// Ripen lets tests see what time alone does to a line.
func Ripen(l *Line, now time.Time) bool { return l.ripen(now) }

// Whose lets tests climb the ladder.
func Whose(r Revision, w Ways) (user int64, step Step, ok bool) {
	v, ok := whose(r, w)
	return v.user, v.step, ok
}
