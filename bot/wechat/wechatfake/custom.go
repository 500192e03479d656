package wechatfake

import (
	"fmt"
	"strconv"
	"strings"
)

// custom is a customer message.
type custom struct {
	ToUser string `json:"touser"`
	Kind   string `json:"msgtype"`
	Text   *struct {
		Content string `json:"content"`
	} `json:"text"`
	Image *mediaRef `json:"image"`
	Voice *mediaRef `json:"voice"`
	Video *mediaRef `json:"video"`
	News  *struct {
		Articles []struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			URL         string `json:"url"`
			Picture     string `json:"picurl"`
		} `json:"articles"`
	} `json:"news"`
	Menu *struct {
		Head string `json:"head_content"`
		Tail string `json:"tail_content"`
		List []struct {
			ID      string `json:"id"`
			Content string `json:"content"`
		} `json:"list"`
	} `json:"msgmenu"`
}

type mediaRef struct {
	ID string `json:"media_id"`
}

// to finds who a message is for.
func (s *Server) to(openid string) (*follower, *refusal) {
	p := s.people[openid]
	switch {
	case p == nil:
		return nil, refuse(40003, "invalid openid")
	case !p.following:
		return p, refuse(43004, "require subscribe")
	}
	return p, nil
}

func (s *Server) sendCustom(r *request) (any, *refusal) {
	var in custom
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	n, f := s.content(in)
	if f != nil {
		return nil, f
	}
	p, f := s.to(in.ToUser)
	if f == nil {
		f = s.spend(p)
	}
	if f != nil {
		return nil, f
	}
	s.show(p, n)
	return nil, nil
}

// content reads what a customer message shows.
func (s *Server) content(in custom) (n Seen, f *refusal) {
	n = Seen{By: "custom", Kind: in.Kind}
	switch {
	case in.Kind == "text" && in.Text != nil:
		n.Text = in.Text.Content
		if n.Text == "" {
			return n, refuse(44004, "empty content")
		}
		if len(n.Text) > textBytesMax {
			return n, refuse(45002, "content size out of limit")
		}
	case in.Kind == "image" && in.Image != nil:
		return s.mediaIn(n, in.Image)
	case in.Kind == "voice" && in.Voice != nil:
		return s.mediaIn(n, in.Voice)
	case in.Kind == "video" && in.Video != nil:
		return s.mediaIn(n, in.Video)
	case in.Kind == "news" && in.News != nil:
		if len(in.News.Articles) != 1 {
			return n, refuse(45008, "article size out of limit")
		}
		a := in.News.Articles[0]
		n.Title, n.Text, n.URL, n.Media = a.Title, a.Description, a.URL, a.Picture
	case in.Kind == "msgmenu" && in.Menu != nil:
		return s.menuIn(n, in)
	default:
		return n, refuse(40008, "invalid message type")
	}
	return n, nil
}

func (s *Server) mediaIn(n Seen, m *mediaRef) (Seen, *refusal) {
	n.Media = m.ID
	if kept, ok := s.media[m.ID]; !ok || !s.cfg.Now().Before(kept.until) {
		return n, refuse(40007, "invalid media_id")
	}
	return n, nil
}

func (s *Server) menuIn(n Seen, in custom) (Seen, *refusal) {
	if s.profile == Sandbox {
		return n, refuse(40200, "invalid account type")
	}
	n.Text = strings.TrimSpace(in.Menu.Head + "\n" + in.Menu.Tail)
	for _, i := range in.Menu.List {
		if _, err := strconv.ParseInt(i.ID, 10, 64); err != nil && i.ID == "" {
			return n, refuse(47001, "data format error")
		}
		n.Items = append(n.Items, Item{i.ID, i.Content})
	}
	if len(n.Items) == 0 {
		return n, refuse(44004, "empty content")
	}
	return n, nil
}

func (s *Server) sendTyping(r *request) (any, *refusal) {
	var in struct {
		ToUser  string `json:"touser"`
		Command string `json:"command"`
	}
	if f := r.decode(&in); f != nil {
		return nil, f
	}
	p, f := s.to(in.ToUser)
	if f != nil {
		return nil, f
	}
	now := s.cfg.Now()
	if !now.Before(p.message.until) && !now.Before(p.action.until) {
		return nil, refuse(45015, "response out of time limit or subscription is canceled")
	}
	switch in.Command {
	case "Typing":
		if p.typing {
			return nil, refuse(45081, "already setted command to typing")
		}
		p.typing = true
	case "CancelTyping":
		p.typing = false
	default:
		return nil, refuse(45080, fmt.Sprintf("command %q is not supported", in.Command))
	}
	return nil, nil
}
