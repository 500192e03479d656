package sandbox

import (
	"fanli/adapters/taobao/taobaofake"
	"fanli/core/link"
)

// An Endpoint is what a real adapter needs to speak with a part of the world.
type Endpoint struct {
	URL    string
	Key    string   // app key, client id
	Secret string   //
	Site   string   // Taobao's second part of the PID
	Slots  []string // Taobao's adzones, Pinduoduo's pid
	Invite string   // Taobao's code for members
	Allow  string   // Taobao's page on which people become some
}

// Endpoints returns where the networks are, by name.
func (w *World) Endpoints() map[string]Endpoint {
	base := w.opts.BaseURL
	return map[string]Endpoint{
		link.Taobao: {URL: base + "/fake/taobao/router/rest", Key: "30000001", Secret: secret(link.Taobao), Site: taobaoSite, Slots: adzones(), Invite: memberInvite, Allow: base + "/fake/taobao" + taobaofake.AuthorizePath},
		link.JD:     {URL: base + "/fake/jd/routerjson", Key: secret("jd app"), Secret: secret(link.JD)},
		link.PDD:    {URL: base + "/go/pdd/api/router", Key: secret("pdd app"), Secret: secret(link.PDD), Slots: []string{pddPID}},
	}
}
