package telegramfake

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// A Person is somebody who may write to the bot.
type Person struct {
	ID       int64
	Name     string
	Language string // as "zh-hans"; empty for none
	Bot      bool
}

// person is what the server knows about a Person.
type person struct {
	user
	started bool // has written to the bot
	blocked bool // does not want to hear from it
	gone    bool // deleted the account
}

// group is a chat with several people.
type group struct {
	chat
	moved  int64 // what became of it; 0 for nothing
	out    bool  // the bot was thrown out
	admins map[int64]bool
}

// room is what was said in a chat.
type room struct {
	lastID   int64
	messages map[int64]*message
	sent     []int64 // the bot's, in order
	actions  []string
	keys     [][]string // below the chat
}

// Meet tells the server about a person who has not yet written to the bot.
// Others are met when they first write.
func (s *Server) Meet(p Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(p.ID)
	u.FirstName, u.Language, u.IsBot = p.Name, p.Language, p.Bot
}

// person returns somebody, known from now on.
func (s *Server) person(id int64) *person {
	if s.people[id] == nil {
		s.people[id] = &person{user: user{ID: id, FirstName: "User " + strconv.FormatInt(id, 10)}}
	}
	return s.people[id]
}

// Group opens a group with the bot in it. A basic group has a small negative
// id, a supergroup one that starts with -100.
func (s *Server) Group(id int64, title string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kind := "group"
	if id <= superBase {
		kind = "supergroup"
	}
	s.groups[id] = &group{chat: chat{ID: id, Type: kind, Title: title}, admins: map[int64]bool{}}
}

// Promote makes a person, or the bot, an administrator of a group.
func (s *Server) Promote(group, person int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(person)
	s.groups[group].admins[person] = true
}

// superBase is where the ids of supergroups begin, downwards.
const superBase = -1_000_000_000_000

// Migrate makes a basic group a supergroup and returns its new id.
func (s *Server) Migrate(id int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.groups[id]
	moved := superBase + id
	old.moved = moved
	s.groups[moved] = &group{chat: chat{ID: moved, Type: "supergroup", Title: old.Title}, admins: old.admins}
	s.service(id, map[string]any{"migrate_to_chat_id": moved})
	s.service(moved, map[string]any{"migrate_from_chat_id": id})
	return moved
}

// service tells of a change of a group.
func (s *Server) service(group int64, what map[string]any) {
	r := s.room(group)
	r.lastID++
	m := &message{ID: r.lastID, Chat: s.groups[group].chat, From: &user{ID: anonymousID, IsBot: true, FirstName: "Group"}, Date: s.cfg.Now().Unix(), more: what}
	r.messages[m.ID] = m
	s.push("message", *m)
}

// ThrowOut removes the bot from a group.
func (s *Server) ThrowOut(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[id].out = true
}

// Block makes a person refuse the bot, and says so to it.
func (s *Server) Block(id int64) { s.member(id, true) }

// Unblock takes a person's refusal back, and says so to the bot.
func (s *Server) Unblock(id int64) { s.member(id, false) }

func (s *Server) member(id int64, blocked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.person(id)
	p.started, p.blocked = true, blocked
	was, is := "member", "kicked"
	if !blocked {
		was, is = is, was
	}
	status := func(v string) map[string]any { return map[string]any{"user": s.me, "status": v} }
	s.push("my_chat_member", map[string]any{
		"chat": p.chat(), "from": p.user, "date": s.cfg.Now().Unix(),
		"old_chat_member": status(was), "new_chat_member": status(is),
	})
}

// Delete removes a person's account.
func (s *Server) Delete(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.person(id).gone = true
}

// chat is the private chat with p.
func (p *person) chat() chat { return chat{ID: p.ID, Type: "private", FirstName: p.FirstName} }

// room returns what was said in a chat.
func (s *Server) room(id int64) *room {
	if s.chats[id] == nil {
		s.chats[id] = &room{messages: map[int64]*message{}}
	}
	return s.chats[id]
}

// reach finds the chat that the bot wants to write to, or says why it cannot.
func (s *Server) reach(p Params) (chat, *failure) {
	id, err := strconv.ParseInt(p["chat_id"], 10, 64)
	switch {
	case p["chat_id"] == "":
		return chat{}, refuse("chat_id is empty")
	case err != nil:
		return chat{}, refuse("chat not found")
	case id < 0:
		return s.reachGroup(id)
	}
	who := s.people[id]
	switch {
	case who == nil:
		return chat{}, refuse("chat not found")
	case who.gone:
		return chat{}, forbid("user is deactivated")
	case who.blocked:
		return chat{}, forbid("bot was blocked by the user")
	case !who.started:
		return chat{}, forbid("bot can't initiate conversation with a user")
	default:
		return who.chat(), nil
	}
}

func (s *Server) reachGroup(id int64) (chat, *failure) {
	g := s.groups[id]
	switch {
	case g == nil:
		return chat{}, refuse("chat not found")
	case g.moved != 0:
		return chat{}, &failure{
			code: http.StatusBadRequest, migrated: g.moved,
			text: "Bad Request: group chat was upgraded to a supergroup chat",
		}
	case g.out:
		return chat{}, forbid(fmt.Sprintf("bot was kicked from the %s chat", g.Type))
	default:
		return g.chat, nil
	}
}

func (s *Server) getChat(p Params) (any, *failure) {
	c, f := s.reach(p)
	if f != nil {
		return nil, f
	}
	return c, nil
}

func (s *Server) getChatMember(p Params) (any, *failure) {
	c, f := s.reach(p)
	if f != nil {
		return nil, f
	}
	who := s.people[p.number("user_id")]
	if who == nil {
		return nil, refuse("user not found")
	}
	return s.memberOf(c, who), nil
}

// memberOf is a person as a chat knows them.
func (s *Server) memberOf(c chat, who *person) map[string]any {
	status := "member"
	if g := s.groups[c.ID]; g != nil && g.admins[who.ID] {
		status = "administrator"
	}
	return map[string]any{"user": who.user, "status": status}
}

func (s *Server) getAdministrators(p Params) (any, *failure) {
	c, f := s.reach(p)
	if f != nil {
		return nil, f
	}
	g := s.groups[c.ID]
	if g == nil {
		return nil, refuse("there are no administrators in the private chat")
	}
	all := []map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(g.admins)) {
		all = append(all, s.memberOf(c, s.people[id]))
	}
	return all, nil
}
