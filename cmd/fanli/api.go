package main

import (
	"context"

	"fanli/core/access"
)

func (a *app) wireGateway(context.Context, surroundings) error {
	a.keys = &access.Keeper{Store: a.db.Keys(), Hash: a.db.KeyHash, Now: a.now}
	return nil
}
