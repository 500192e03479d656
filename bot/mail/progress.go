package mail

import (
	"context"
	"encoding/json"
	"strconv"

	"fanli/core/fault"
	"fanli/core/post"
)

// A Progress is how far a parcel has come. It is kept: what has arrived is not sent
// again, also by another process.
type Progress struct {
	store  post.Store
	holder string
	p      post.Parcel
	notes  []string
}

func newProgress(s post.Store, holder string, p post.Parcel) *Progress {
	return &Progress{store: s, holder: holder, p: p, notes: notesOf(p.Note)}
}

func notesOf(kept string) (notes []string) {
	_ = json.Unmarshal([]byte(kept), &notes) // none
	return notes
}

// Do sends the message with number part of a parcel, counted from 0, unless it has
// arrived. That it begins is kept before. send is told whether an earlier try may have
// been seen already; what it returns is kept and what Note returns, "" for nothing. Where
// send returns an error that says for sure that nobody has seen the message (anything but
// Unavailable, Unknown and Internal), the next try is not told so. A Carrier returns
// what Do returns.
func (g *Progress) Do(ctx context.Context, part int, send func(ctx context.Context, again bool) (note string, err error)) error {
	if part < g.p.Parts {
		return nil
	}
	if part > g.p.Parts {
		return fault.Newf(fault.Internal, "", "message %d of a parcel of which %d have arrived", part, g.p.Parts)
	}
	again := g.p.Doubt
	g.p.Doubt = true
	if err := g.begin(ctx); err != nil {
		g.p.Doubt = again
		return fault.In("mail.Begin", err)
	}
	note, err := send(ctx, again)
	switch fault.CodeOf(err) {
	case "":
		g.p.Parts, g.p.Doubt = part+1, false
		g.note(part, note)
	case fault.Unavailable, fault.Unknown, fault.Internal:
	default:
		g.p.Doubt = again
	}
	return err
}

func (g *Progress) begin(ctx context.Context) error {
	if g.store == nil {
		return nil
	}
	return g.store.Begin(ctx, g.holder, g.p)
}

// Arrived is how many of the parcel's messages have arrived.
func (g *Progress) Arrived() int { return g.p.Parts }

// Note is what was kept of a message that has arrived: as a rule the platform's id of it.
func (g *Progress) Note(part int) string {
	if part < 0 || part >= len(g.notes) {
		return ""
	}
	return g.notes[part]
}

// NoteOf is the Note of the first message of a parcel that was posted for the same chat
// before, by its key; "" where none has arrived.
func (g *Progress) NoteOf(ctx context.Context, key string) (string, error) {
	if g.store == nil {
		return "", nil
	}
	kept, err := g.store.Note(ctx, fit(key))
	if err != nil {
		return "", fault.In("mail.NoteOf", err)
	}
	return (&Progress{notes: notesOf(kept)}).Note(0), nil
}

func (g *Progress) note(part int, note string) {
	if note == "" {
		return
	}
	for len(g.notes) <= part {
		g.notes = append(g.notes, "")
	}
	g.notes[part] = note
	b, err := json.Marshal(g.notes)
	if err == nil {
		g.p.Note = string(b)
	}
}

// PartKey is what tells one message of a parcel from all others, for platforms that take a
// key: the same for every try.
func (p Parcel) PartKey(part int) string { return p.Key + "/" + strconv.Itoa(part) }

// Carry has a carrier send a parcel at once, without that anything is kept: for commands
// and for what must not wait, as bot.Channel.Send. Its error is the carrier's.
func Carry(ctx context.Context, c Carrier, p Parcel) error {
	return c.Carry(ctx, p, &Progress{})
}
