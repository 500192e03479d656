package bot

import (
	"context"
	"encoding/json"
)

// editedMark stands behind the ID of a message whose edit has led to something.
const editedMark = "/edited"

// looksAgain reports whether the later form of a message is looked at: what was there
// before was understood as nothing, and so was every other form of it. What cannot be
// known is left alone: a link made twice is worse than one that must be sent again.
func (b *Bot) looksAgain(ctx context.Context, m Message) bool {
	kept, ok, err := b.Memory.Answer(ctx, m.From.Channel, m.Edits)
	var before Reply
	if err != nil || !ok || json.Unmarshal(kept, &before) != nil || !before.Nothing {
		return false
	}
	_, ok, err = b.Memory.Answer(ctx, m.From.Channel, m.Edits+editedMark)
	return err == nil && !ok
}
