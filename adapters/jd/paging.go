package jd

import (
	"strconv"

	"fanli/core/fault"
)

// Pages of rows are numbered, and a row that changes leaves the window of
// updates that is being read: the rows behind it move up, and one that stood
// first on the next page is now last on a page that has been read already. So a
// window of more than one page is read twice: forward to the last page, then
// backward to the first.
//
//   - Reading backward, a row that moves toward the first page moves toward pages
//     that are still to come. Rows may leave at any moment and none is missed.
//   - Reading forward, a row that moves toward the last page does so likewise.
//     Rows may appear late at any moment and none is missed.
//
// Rows come twice, which an [order.Feed] may do. Where a window is so full that
// this matters, the second reading costs at most fifty calls; most windows have
// one page and are read once. Streams whose rows do not move (they are found by
// the time of the order, which does not change) are read forward only.

// A place is where the reading of a window stands. As a cursor it is written
// "f3", page 3 forward, or "b2", page 2 backward.
type place struct {
	page     int // from 1
	backward bool
}

// readPlace reads a cursor; the empty one is the first page.
func readPlace(cursor string) (place, error) {
	if cursor == "" {
		return place{page: 1}, nil
	}
	n, err := strconv.Atoi(cursor[1:])
	if err != nil || n < 1 || n > rowsMax+1 || cursor[0] != 'f' && cursor[0] != 'b' {
		return place{}, fault.Newf(fault.Invalid, "feed.bad_cursor", "jd: cursor %.20q", cursor)
	}
	return place{page: n, backward: cursor[0] == 'b'}, nil
}

// next returns the cursor behind p, where more says that JD has more pages.
func (p place) next(more, moving bool, pagesMax int) (string, error) {
	switch {
	case !p.backward && more && p.page >= pagesMax:
		return "", fault.Newf(fault.Invalid, reasonTooFull, "jd: more than %d pages", pagesMax)
	case !p.backward && more:
		return "f" + strconv.Itoa(p.page+1), nil
	case p.page > 1 && (p.backward || moving):
		return "b" + strconv.Itoa(p.page-1), nil
	default:
		return "", nil
	}
}
