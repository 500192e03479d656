package user_test

import (
	"strings"
	"testing"
	"time"

	"fanli/core/fault"
	"fanli/core/user"
)

func TestAnInvitationBindsOnce(t *testing.T) {
	t.Parallel()
	d, _ := directory()
	var ids []int64
	codes := map[int64]string{}
	for _, name := range []string{"ann", "bob", "cid", "dan"} {
		u, _, err := d.Resolve(t.Context(), user.Identity{Channel: "web", External: name}, "zh")
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, u.ID)
		code, err := d.Code(t.Context(), u.ID)
		again, err2 := d.Code(t.Context(), u.ID)
		if err != nil || err2 != nil || len(code) != 8 || again != code {
			t.Fatalf("code %q, then %q, %v, %v", code, again, err, err2)
		}
		codes[u.ID] = code
	}
	ann, bob, cid, dan := ids[0], ids[1], ids[2], ids[3]
	steps := []struct {
		name   string
		user   int64
		code   string
		reason string
	}{
		{"nobody's code", bob, "22222222", "invite.no_such_code"},
		{"an empty one", bob, "", "invite.no_such_code"},
		{"their own", bob, codes[bob], "invite.own"},
		{"of one who came later", ann, codes[bob], "invite.older"},
		{"of a friend", bob, " " + strings.ToLower(codes[ann]) + "\n", ""},
		{"again", bob, codes[ann], "invite.bound"},
		{"the friend's friend", cid, codes[bob], ""},
		{"and a fourth", dan, codes[cid], ""},
	}
	for _, s := range steps {
		if err := d.Bind(t.Context(), s.user, s.code); fault.ReasonOf(err) != s.reason || (err == nil) != (s.reason == "") {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	for _, tt := range []struct {
		user int64
		at   time.Time
		want [2]int64
	}{
		{ann, start, [2]int64{}}, {bob, start, [2]int64{ann, 0}}, {cid, start, [2]int64{bob, ann}},
		{dan, start, [2]int64{cid, bob}}, // and no third
		{cid, start.Add(-time.Second), [2]int64{}},
	} {
		if got, err := d.Inviters(t.Context(), tt.user, tt.at); got != tt.want || err != nil {
			t.Errorf("user %d at %s: %v, %v, want %v", tt.user, tt.at, got, err, tt.want)
		}
	}
	if n, err := d.Invited(t.Context(), ann); n != 1 || err != nil {
		t.Errorf("ann has brought %d, %v", n, err)
	}
}
