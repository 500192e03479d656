package order

import (
	"fmt"
	"slices"
	"time"

	"fanli/core/link"
)

// A Step of the ladder says what decided whose a line is.
type Step string

// The steps, strongest first.
const (
	ByTag    Step = "tag"    // the link's own tag came back
	ByMember Step = "member" // the account that bought it is bound to the user
	BySplit  Step = "split"  // the order that it was split from is this user's
	BySlot   Step = "slot"   // the slot, the item and the time fit exactly one user
	ByItem   Step = "item"   // no mark came back; the item and the time fit exactly one user
	ByKin    Step = "kin"    // another line of the same order is this user's
	BySuffix Step = "suffix" // several users fit; one had confirmed the buyer's number before
	ByClaim  Step = "claim"  // the user gave the order number, and had asked for the item
	ByProof  Step = "proof"  // the user knew what only the buyer sees, and nobody else did
	ByStaff  Step = "staff"  // a person decided
)

// How far before an order its click may lie, and how far a network's clock may
// be ahead of ours.
const (
	clickWindow = 24 * time.Hour
	clockSlack  = 2 * time.Minute
)

// suffixLen is how many last digits of a Taobao order number name its buyer.
const suffixLen = 6

// Suffix returns the part of an order number that all orders of one buyer share,
// or "" for a network without one.
func Suffix(network, number string) string {
	if network != link.Taobao || len(number) < 18 {
		return ""
	}
	return number[len(number)-suffixLen:]
}

// A Way is a link as the order target knows it: one way in which an item could
// have been bought.
type Way struct {
	Link    int64
	User    int64
	Network string
	Item    string
	Tag     string
	Slot    string
	Promise link.Promise
	At      time.Time
}

// Ways are all that could explain a batch of lines, fetched at once.
type Ways struct {
	ByTag    map[string]Way      // of the batch's network
	Kin      map[string][]int64  // users who own another line by its own evidence, by its Root
	Word     map[string][]int64  // users who own another line by the word of people, by what that word was about
	Split    map[string][]Source // what others were split from, by the number of its order
	ByItem   map[string][]Way    // candidates for each item, any slot
	Suffixes map[string][]int64  // users who confirmed a suffix
	Claims   map[string][]Claim  // open claims for each order number
	Members  map[string]int64    // users to whom an account of a buyer is bound, by tag
	Decided  map[string][]int64  // Word, also where that is not asked for

	Persons map[int64]int64 // of accounts that are merged into another one: into which
}

// person returns who an account is: accounts of one person do not contradict each
// other.
func (w Ways) person(account int64) int64 {
	if to, ok := w.Persons[account]; ok {
		return to
	}
	return account
}

// persons returns one account of each person among accounts, the last of them.
func (w Ways) persons(accounts []int64) (out []int64) {
	for _, a := range accounts {
		i := slices.IndexFunc(out, func(o int64) bool { return w.person(o) == w.person(a) })
		if i < 0 {
			out = append(out, a)
		} else {
			out[i] = a
		}
	}
	return out
}

// Relate says what follows for other lines from r being a user's by a step. From its own
// evidence it follows that all of the order as it was placed is theirs, as an order has
// one buyer; from a claim, too, but a line's own claimant comes first. A person's
// decision is about the number that was named, no more: others may contend for the rest.
// And what itself only follows adds nothing.
func (w Ways) Relate(r Revision, user int64, by Step) {
	of, number := w.Kin, r.Root()
	switch by {
	case ByKin:
		return
	case BySplit, ByClaim:
		of = w.Word
	case ByProof, ByStaff:
		of, number = w.Word, r.Order
	case ByTag, ByMember, BySlot, ByItem, BySuffix:
	}
	if !slices.Contains(of[number], user) {
		of[number] = append(of[number], user)
	}
}

// kin returns one account of each person to whom other lines of r's order point.
func (w Ways) kin(r Revision) []int64 {
	users := slices.Concat(w.Kin[r.Root()], w.Word[r.Root()])
	if r.Parent != "" {
		users = append(users, w.Word[r.Order]...)
	}
	return w.persons(users)
}

// learn adds what a line says about others: whose it is, and what comes of its parts.
func (w Ways) learn(l *Line) {
	r := l.Row()
	if l.User != 0 {
		w.Relate(r, l.User, l.Step)
	}
	if sources, asked := w.Split[r.Order]; asked && l.Whole != nil {
		s := Source{l.Key, r.Item, l.Why == WhySplit, Way{Link: l.Link, User: l.User, Promise: l.Promise}}
		if i := slices.IndexFunc(sources, func(o Source) bool { return o.Key == l.Key }); i >= 0 {
			sources[i] = s
			return
		}
		w.Split[r.Order] = append(sources, s)
	}
}

// A Source is a line of an order that others were split from.
type Source struct {
	Key   Key
	Item  string
	Split bool // its network says that it has been replaced
	Way   Way  // of User 0 while it is nobody's, of Link 0 if no link is known
}

// claims are the open ones of a line's order, by its own number and by that of
// the order that it was split from: a buyer may have read either.
func (w Ways) claims(r Revision) []Claim {
	if r.Root() == r.Order {
		return w.Claims[r.Order]
	}
	return slices.Concat(w.Claims[r.Order], w.Claims[r.Root()])
}

// A verdict says whose a line is and why.
type verdict struct {
	user     int64
	way      Way
	step     Step
	evidence string
}

// whose climbs the ladder for one line. It never guesses: ok is false unless
// exactly one user is left.
func whose(r Revision, w Ways) (v verdict, ok bool) {
	if r.Tag != "" {
		if way, found := w.ByTag[r.Tag]; found {
			return verdict{way.User, way, ByTag, fmt.Sprintf("tag %s is on link %d", r.Tag, way.Link)}, true
		}
		return byMember(r, w)
	}
	if v, found := bySplit(r, w); found {
		return v, true
	}
	fits := candidates(r, w.ByItem[r.Item])
	step := ByItem
	if r.Slot != "" {
		step = BySlot
		fits = slices.DeleteFunc(fits, func(way Way) bool { return way.Slot != r.Slot })
	}
	users := w.distinct(fits)
	switch {
	case len(users) == 1:
		way := fits[len(fits)-1]
		return verdict{way.User, way, step, fmt.Sprintf("link %d for item %s at %s fits, slot %q, no other user's does",
			way.Link, way.Item, way.At.UTC().Format(time.RFC3339), way.Slot)}, true
	case len(users) > 1:
		if v, ok := bySuffix(r, w, fits); ok {
			return v, true
		}
	}
	if kin := w.kin(r); len(users) == 0 && len(kin) == 1 {
		way, _ := asked(kin[0], r, w) // what they had asked for is as it was promised
		return verdict{kin[0], way, ByKin, "another line of order " + r.Root() + " is theirs"}, true
	}
	return byClaim(r, w)
}

// bySplit gives a line to whom the line is that it was split from, as that was
// promised: whoever decided so meant these goods. Other lines of that order with the
// same item say nothing, once the network has said which one was replaced.
func bySplit(r Revision, w Ways) (v verdict, ok bool) {
	if r.Parent == "" {
		return v, false
	}
	sources := slices.DeleteFunc(slices.Clone(w.Split[r.Parent]), func(s Source) bool { return s.Item != r.Item })
	if gone := slices.DeleteFunc(slices.Clone(sources), func(s Source) bool { return !s.Split }); len(gone) > 0 {
		sources = gone
	}
	for _, s := range sources {
		if s.Way.User == 0 || ok && w.person(v.user) != w.person(s.Way.User) {
			return verdict{}, false
		}
		v, ok = verdict{s.Way.User, s.Way, BySplit, "it was split from order " + r.Parent + ", which is theirs"}, true
	}
	return v, ok
}

// candidates are the ways whose time fits the line's click, oldest first.
func candidates(r Revision, ways []Way) []Way {
	at := r.Clicked
	if at.IsZero() {
		at = r.Created
	}
	var fits []Way
	for _, way := range ways {
		if !way.At.After(at.Add(clockSlack)) && way.At.After(at.Add(-clickWindow)) {
			fits = append(fits, way)
		}
	}
	slices.SortStableFunc(fits, func(a, b Way) int { return a.At.Compare(b.At) })
	return fits
}

// distinct returns the people who have made ways.
func (w Ways) distinct(ways []Way) map[int64]bool {
	users := map[int64]bool{}
	for _, way := range ways {
		users[w.person(way.User)] = true
	}
	return users
}

// bySuffix picks the one candidate who has confirmed the buyer's digits before.
func bySuffix(r Revision, w Ways, fits []Way) (verdict, bool) {
	s := Suffix(r.Key.Network, r.Order)
	owners := w.Suffixes[s]
	if s == "" || len(owners) == 0 {
		return verdict{}, false
	}
	fits = slices.DeleteFunc(slices.Clone(fits), func(way Way) bool {
		return !slices.ContainsFunc(owners, func(o int64) bool { return w.person(o) == w.person(way.User) })
	})
	if len(w.distinct(fits)) != 1 {
		return verdict{}, false
	}
	way := fits[len(fits)-1]
	return verdict{way.User, way, BySuffix, fmt.Sprintf("link %d fits, and its user confirmed buyer …%s before", way.Link, s)}, true
}

// claimWindow is how long before an order its claimant must have asked for the
// item.
const claimWindow = 15 * 24 * time.Hour

// byClaim grants a claim to the one claimant who had asked for the item before
// the order was placed; of several links, the newest is the one that was used.
// Knowing a number alone is not enough: numbers can be guessed.
func byClaim(r Revision, w Ways) (verdict, bool) {
	var found []verdict
	for _, c := range w.claims(r) {
		twice := slices.ContainsFunc(found, func(v verdict) bool { return w.person(v.user) == w.person(c.User) })
		if used, ok := asked(c.User, r, w); ok && !twice {
			found = append(found, verdict{c.User, used, ByClaim, fmt.Sprintf("claim %d, and link %d for the item before the order", c.ID, used.Link)})
		}
	}
	if len(found) != 1 {
		return verdict{}, false
	}
	return found[0], true
}

// asked returns a user's newest link for a line's item from before the order; if this
// account has none, that of another one of the same person. So what a person gets does
// not depend on whether we heard first of their order or of their other account.
func asked(user int64, r Revision, w Ways) (used Way, ok bool) {
	own := func(way Way) bool { return way.User == user }
	for _, way := range w.ByItem[r.Item] {
		fits := w.person(way.User) == w.person(user) && way.At.Before(r.Created.Add(clockSlack)) && way.At.After(r.Created.Add(-claimWindow))
		if fits && (own(way) == own(used) && !way.At.Before(used.At) || own(way) && !own(used)) {
			used, ok = way, true
		}
	}
	return used, ok
}
