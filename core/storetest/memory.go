package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// A Remembering is what the bot and its channels remember across restarts.
// (Package bot declares what it needs of it by itself.)
type Remembering interface {
	Answer(ctx context.Context, channel, id string) (answer []byte, ok bool, err error)
	KeepAnswer(ctx context.Context, channel, id string, answer []byte, at time.Time) error
	Dialogue(ctx context.Context, user int64) ([]byte, error)
	SetDialogue(ctx context.Context, user int64, state []byte) error
	Mark(ctx context.Context, name string) (string, error)
	SetMark(ctx context.Context, name, value string) error
	Append(ctx context.Context, chat string, body []byte, at time.Time) (seq int64, err error)
	Since(ctx context.Context, chat string, after int64, count int) (seqs []int64, bodies [][]byte, err error)
}

// Memory checks every promise of what the bot remembers.
func Memory(t *testing.T, open func(t *testing.T) Remembering) {
	t.Helper()
	run(t, open, []check[Remembering]{
		{"TheFirstAnswerIsKept", firstAnswer},
		{"AnswersAtOnceAreOne", answersAtOnce},
		{"DialoguesStartChangeAndEnd", dialogues},
		{"MarksMove", marks},
		{"AChatIsReadInOrder", chatInOrder},
		{"ChatsAtOnceLoseNothing", chatsAtOnce},
	})
}

func firstAnswer(t *testing.T, m Remembering) {
	_, ok, err := m.Answer(t.Context(), "web", "1")
	must(t, err)
	want(t, "whether an answer that was not kept is there", ok, false)
	for _, text := range []string{"first", "second"} {
		must(t, m.KeepAnswer(t.Context(), "web", "1", []byte(text), start()))
	}
	must(t, m.KeepAnswer(t.Context(), "telegram", "1", []byte("other"), start()))
	must(t, m.KeepAnswer(t.Context(), "web", "2", nil, start()))
	for _, tt := range []struct{ channel, id, answer string }{{"web", "1", "first"}, {"telegram", "1", "other"}, {"web", "2", ""}} {
		got, ok, err := m.Answer(t.Context(), tt.channel, tt.id)
		must(t, err)
		want(t, "whether the answer is there", ok, true)
		want(t, "answer", string(got), tt.answer)
	}
}

func answersAtOnce(t *testing.T, m Remembering) {
	_, errs := together(atOnce, func(i int) (struct{}, error) {
		return struct{}{}, m.KeepAnswer(t.Context(), "web", "1", fmt.Append(nil, i), start())
	})
	must(t, errors.Join(errs...))
	first, _, err := m.Answer(t.Context(), "web", "1")
	must(t, err)
	must(t, m.KeepAnswer(t.Context(), "web", "1", []byte("late"), start()))
	again, ok, err := m.Answer(t.Context(), "web", "1")
	must(t, err)
	want(t, "whether the answer is there", ok, true)
	want(t, "answer", again, first)
}

func dialogues(t *testing.T, m Remembering) {
	set := func(user int64, state []byte) { must(t, m.SetDialogue(t.Context(), user, state)) }
	wantState := func(user int64, state []byte) {
		t.Helper()
		got, err := m.Dialogue(t.Context(), user)
		must(t, err)
		want(t, fmt.Sprint("dialogue of ", user), got, state)
	}
	wantState(7, nil)
	set(7, []byte("asks for the payee"))
	set(8, []byte("other"))
	set(7, []byte("asks for the amount"))
	wantState(7, []byte("asks for the amount"))
	set(7, nil)
	set(7, nil) // ending what has ended is no error
	wantState(7, nil)
	wantState(8, []byte("other"))
}

func marks(t *testing.T, m Remembering) {
	got, err := m.Mark(t.Context(), "telegram/offset")
	must(t, err)
	want(t, "mark that was never set", got, "")
	for _, v := range []string{"1", "2", "", "3"} {
		must(t, m.SetMark(t.Context(), "telegram/offset", v))
		must(t, m.SetMark(t.Context(), "other", "x"))
		got, err := m.Mark(t.Context(), "telegram/offset")
		must(t, err)
		want(t, "mark", got, v)
	}
}

func chatInOrder(t *testing.T, m Remembering) {
	var mine []int64
	for i := range 5 {
		seq, err := m.Append(t.Context(), "a", fmt.Append(nil, "a", i), start())
		must(t, err)
		mine = append(mine, seq)
		_, err = m.Append(t.Context(), "b", []byte("b"), start())
		must(t, err)
	}
	for _, tt := range []struct {
		after int64
		count int
		want  []int
	}{{0, 10, []int{0, 1, 2, 3, 4}}, {0, 2, []int{0, 1}}, {mine[1], 10, []int{2, 3, 4}}, {mine[4], 10, nil}} {
		seqs, bodies, err := m.Since(t.Context(), "a", tt.after, tt.count)
		must(t, err)
		want(t, "number of bodies", len(bodies), len(seqs))
		want(t, fmt.Sprintf("number since %d", tt.after), len(seqs), len(tt.want))
		for i, n := range tt.want {
			want(t, "seq", seqs[i], mine[n])
			want(t, "body", string(bodies[i]), fmt.Sprint("a", n))
		}
	}
	seqs, _, err := m.Since(t.Context(), "nobody", 0, 10)
	must(t, err)
	want(t, "length of a chat that is not there", len(seqs), 0)
}

func chatsAtOnce(t *testing.T, m Remembering) {
	seqs, errs := together(atOnce, func(i int) (int64, error) { return m.Append(t.Context(), "a", fmt.Append(nil, i), start()) })
	must(t, errors.Join(errs...))
	said := map[int64]string{}
	for i, seq := range seqs {
		said[seq] = fmt.Sprint(i)
	}
	got, bodies, err := m.Since(t.Context(), "a", 0, 2*atOnce)
	must(t, err)
	want(t, "how much was kept", len(got), atOnce)
	for i, seq := range got {
		want(t, "body", string(bodies[i]), said[seq])
	}
}
