package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanli/core/fault"
)

// A Remembering is what the bot and its channels remember across restarts.
// (Package bot declares what it needs of it by itself.)
type Remembering interface {
	Answer(ctx context.Context, channel, id string) (answer []byte, ok bool, err error)
	KeepAnswer(ctx context.Context, channel, id string, answer []byte, at time.Time) error
	Dialogue(ctx context.Context, user int64) (state []byte, rev int64, err error)
	SetDialogue(ctx context.Context, user, rev int64, state []byte) error
	Mark(ctx context.Context, name string) (string, error)
	SetMark(ctx context.Context, name, value string, token int64) error
	Append(ctx context.Context, chat, asked string, answer bool, body []byte, at time.Time) (seq int64, fresh bool, err error)
	Since(ctx context.Context, chat string, after int64, count int) (seqs []int64, bodies [][]byte, err error)
	End(ctx context.Context) (seq int64, err error)
	News(ctx context.Context, after int64, count int) (chats []string, last int64, err error)
	Unanswered(ctx context.Context, chat string, from, until time.Time, count int) (chats, asked []string, err error)
}

// Memory checks every promise of what the bot remembers.
func Memory(t *testing.T, open func(t *testing.T) Remembering) {
	t.Helper()
	run(t, open, []check[Remembering]{
		{"TheFirstAnswerIsKept", firstAnswer},
		{"AnswersAtOnceAreOne", answersAtOnce},
		{"DialoguesStartChangeAndEnd", dialogues},
		{"OneOfManyChangesADialogue", dialoguesAtOnce},
		{"MarksMove", marks},
		{"MarksAreFenced", marksFenced},
		{"AChatIsReadInOrder", chatInOrder},
		{"ChatsAtOnceLoseNothing", chatsAtOnce},
		{"AMessageAndItsAnswerAreThereOnce", chatOnce},
		{"NewsOfAllChats", chatNews},
		{"WhatHasNoAnswer", chatUnanswered},
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
	set := func(user, rev int64, state []byte) { must(t, m.SetDialogue(t.Context(), user, rev, state)) }
	wantState := func(user, rev int64, state []byte) {
		t.Helper()
		got, at, err := m.Dialogue(t.Context(), user)
		must(t, err)
		want(t, fmt.Sprint("dialogue of ", user), got, state)
		want(t, fmt.Sprint("revision of ", user), at, rev)
	}
	wantState(7, 0, nil)
	set(7, 0, []byte("asks for the payee"))
	set(8, 0, []byte("other"))
	wantState(7, 1, []byte("asks for the payee"))
	set(7, 1, []byte("asks for the amount"))
	wantState(7, 2, []byte("asks for the amount"))
	for _, rev := range []int64{0, 1, 3} {
		wantCode(t, fmt.Sprint("SetDialogue at revision ", rev), m.SetDialogue(t.Context(), 7, rev, []byte("stale")), fault.Conflict)
	}
	wantState(7, 2, []byte("asks for the amount"))
	set(7, 2, nil)
	wantState(7, 3, nil)
	wantCode(t, "SetDialogue of what has ended", m.SetDialogue(t.Context(), 7, 0, []byte("stale")), fault.Conflict)
	set(7, 3, []byte("again"))
	wantState(7, 4, []byte("again"))
	wantState(8, 1, []byte("other"))
}

func dialoguesAtOnce(t *testing.T, m Remembering) {
	for rev := range int64(2) {
		_, errs := together(atOnce, func(i int) (struct{}, error) {
			return struct{}{}, m.SetDialogue(t.Context(), 7, rev, fmt.Append(nil, i))
		})
		won := -1
		for i, err := range errs {
			if err == nil {
				want(t, "who had won before", won, -1)
				won = i
				continue
			}
			wantCode(t, "SetDialogue of a second one", err, fault.Conflict)
		}
		got, at, err := m.Dialogue(t.Context(), 7)
		must(t, err)
		want(t, "state", string(got), fmt.Sprint(won))
		want(t, "revision", at, rev+1)
	}
}

func marksFenced(t *testing.T, m Remembering) {
	set := func(value string, token int64) error { return m.SetMark(t.Context(), "offset", value, token) }
	must(t, set("1", 5))
	must(t, set("2", 5))
	must(t, set("3", 7))
	wantCode(t, "SetMark under an old lease", set("4", 5), fault.Conflict)
	must(t, set("5", 0))
	wantCode(t, "SetMark under an old lease, after one without", set("6", 6), fault.Conflict)
	got, err := m.Mark(t.Context(), "offset")
	must(t, err)
	want(t, "mark", got, "5")
	must(t, set("7", 8))
}

func chatOnce(t *testing.T, m Remembering) {
	add := func(chat, asked string, answer bool, body string) (int64, bool) {
		t.Helper()
		seq, fresh, err := m.Append(t.Context(), chat, asked, answer, []byte(body), start())
		must(t, err)
		return seq, fresh
	}
	first, fresh := add("a", "1", false, "first")
	want(t, "whether the first is fresh", fresh, true)
	again, fresh := add("a", "1", false, "second")
	want(t, "whether the second is fresh", fresh, false)
	want(t, "place of the second", again, first)
	for _, other := range []struct {
		chat, asked string
		answer      bool
	}{{"a", "1", true}, {"b", "1", false}, {"a", "2", false}, {"a", "", false}, {"a", "", false}} {
		_, fresh := add(other.chat, other.asked, other.answer, "x")
		want(t, fmt.Sprintf("whether %+v is fresh", other), fresh, true)
	}
	seqs, bodies, err := m.Since(t.Context(), "a", 0, 10)
	must(t, err)
	want(t, "length of the chat", len(seqs), 5)
	want(t, "what was said first", string(bodies[0]), "first")
	fresher, errs := together(atOnce, func(i int) (bool, error) {
		_, fresh, err := m.Append(t.Context(), "a", "3", true, fmt.Append(nil, i), start())
		return fresh, err
	})
	must(t, errors.Join(errs...))
	n := 0
	for _, f := range fresher {
		if f {
			n++
		}
	}
	want(t, "how many answers at once are fresh", n, 1)
}

func chatNews(t *testing.T, m Remembering) {
	end, err := m.End(t.Context())
	must(t, err)
	want(t, "end of nothing", end, int64(0))
	var places []int64
	for _, chat := range []string{"a", "b", "a", "c"} {
		seq, _, err := m.Append(t.Context(), chat, "", false, []byte("x"), start())
		must(t, err)
		places = append(places, seq)
	}
	end, err = m.End(t.Context())
	must(t, err)
	want(t, "end", end, places[3])
	for _, tt := range []struct {
		after int64
		count int
		chats []string
		last  int64
	}{{0, 10, []string{"a", "b", "c"}, end}, {places[0], 10, []string{"b", "a", "c"}, end}, {0, 2, []string{"a", "b"}, places[1]}, {end, 10, nil, end}} {
		chats, last, err := m.News(t.Context(), tt.after, tt.count)
		must(t, err)
		want(t, fmt.Sprint("chats after ", tt.after), chats, tt.chats)
		want(t, fmt.Sprint("place after ", tt.after), last, tt.last)
	}
}

func chatUnanswered(t *testing.T, m Remembering) {
	add := func(chat, asked string, answer bool, after time.Duration) {
		t.Helper()
		_, _, err := m.Append(t.Context(), chat, asked, answer, []byte("x"), start().Add(after))
		must(t, err)
	}
	add("a", "1", false, 0)
	add("a", "2", false, time.Second)
	add("b", "1", false, 2*time.Second)
	add("a", "", false, 3*time.Second)
	add("a", "1", true, 4*time.Second)
	add("b", "2", false, 5*time.Second)
	for _, tt := range []struct {
		chat        string
		from, until time.Duration
		count       int
		want        string
	}{
		{"", 0, time.Minute, 10, "[a b b] [2 1 2]"}, {"", 0, time.Minute, 2, "[a b] [2 1]"}, {"b", 0, time.Minute, 10, "[b b] [1 2]"},
		{"a", 0, time.Minute, 10, "[a] [2]"}, {"", 2 * time.Second, 5 * time.Second, 10, "[b] [1]"}, {"c", 0, time.Minute, 10, "[] []"},
	} {
		chats, asked, err := m.Unanswered(t.Context(), tt.chat, start().Add(tt.from), start().Add(tt.until), tt.count)
		must(t, err)
		want(t, fmt.Sprintf("unanswered of %+v", tt), fmt.Sprint(chats, asked), tt.want)
	}
}

func marks(t *testing.T, m Remembering) {
	got, err := m.Mark(t.Context(), "telegram/offset")
	must(t, err)
	want(t, "mark that was never set", got, "")
	for _, v := range []string{"1", "2", "", "3"} {
		must(t, m.SetMark(t.Context(), "telegram/offset", v, 0))
		must(t, m.SetMark(t.Context(), "other", "x", 0))
		got, err := m.Mark(t.Context(), "telegram/offset")
		must(t, err)
		want(t, "mark", got, v)
	}
}

func chatInOrder(t *testing.T, m Remembering) {
	var mine []int64
	for i := range 5 {
		seq, _, err := m.Append(t.Context(), "a", "", false, fmt.Append(nil, "a", i), start())
		must(t, err)
		mine = append(mine, seq)
		_, _, err = m.Append(t.Context(), "b", "", false, []byte("b"), start())
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
	seqs, errs := together(atOnce, func(i int) (int64, error) {
		seq, _, err := m.Append(t.Context(), "a", "", false, fmt.Append(nil, i), start())
		return seq, err
	})
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
