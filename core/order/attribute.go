package order

import "slices"

// attribute runs the ladder for those of lines that are nobody's. It returns further
// lines that became somebody's because one of lines is.
func (b *Book) attribute(tx Tx, lines []*Line) (more []*Line, err error) {
	byNetwork := map[string][]*Line{}
	for _, l := range lines {
		if l.Whole != nil && (l.User == 0 || l.Why == WhySplit) {
			byNetwork[l.Key.Network] = append(byNetwork[l.Key.Network], l)
		}
	}
	for network, batch := range byNetwork {
		found, err := b.attributeOn(tx, network, batch)
		if err != nil {
			return nil, err
		}
		more = append(more, found...)
	}
	return more, nil
}

// attributeOn climbs the ladder for a batch of one network, and then for what depends
// on whose lines of it are, until nothing does any more.
func (b *Book) attributeOn(tx Tx, network string, batch []*Line) (more []*Line, err error) {
	known, seen := slices.Clone(batch), map[Key]bool{}
	open := slices.DeleteFunc(slices.Clone(batch), func(l *Line) bool { return l.User != 0 })
	if err := b.climb(tx, network, open, known); err != nil {
		return nil, err
	}
	for decided := slices.DeleteFunc(batch, func(l *Line) bool { return l.User == 0 }); len(decided) > 0; {
		for _, l := range known {
			seen[l.Key] = true
		}
		others, err := b.depending(tx, network, decided, seen)
		if err != nil || len(others) == 0 {
			return more, err
		}
		known = append(known, others...)
		if err := b.climb(tx, network, others, known); err != nil {
			return nil, err
		}
		decided = slices.DeleteFunc(others, func(l *Line) bool { return l.User == 0 })
		more = append(more, decided...)
	}
	return more, nil
}

// climb gives lines to those whose they are; known are these and others that are not
// stored yet. Each is held against its own evidence, then against that of its order's
// other lines, then against claims to itself, and at last against what people have
// said of its order's other lines: so it does not matter in which order a page has
// them, or pages come.
func (b *Book) climb(tx Tx, network string, lines, known []*Line) error {
	if len(lines) == 0 {
		return nil
	}
	w, err := b.ways(tx, network, lines)
	if err != nil {
		return err
	}
	for _, l := range known {
		w.learn(l)
	}
	w.Decided = w.Word
	alone, beside, claimed, said := w, w, w, w
	alone.Kin, alone.Word, alone.Claims = nil, nil, nil
	beside.Word, beside.Claims = nil, nil
	claimed.Kin, claimed.Word = nil, nil
	said.Claims = nil
	for _, known := range []Ways{alone, beside, claimed, said} {
		for _, l := range lines {
			if l.User != 0 {
				continue
			}
			v, ok := whose(l.Row(), known)
			if !ok {
				continue
			}
			if err := b.give(tx, l, v, w); err != nil {
				return err
			}
			w.learn(l)
		}
	}
	return nil
}

// depending returns the lines that are nobody's and have not been seen, of orders of
// which a decided line is, also of parts of such lines, and of buyers whose number was
// confirmed just now.
func (b *Book) depending(tx Tx, network string, decided []*Line, seen map[Key]bool) (others []*Line, err error) {
	for _, l := range decided {
		r := l.Row()
		beside, err := tx.ByOrder(network, r.Root())
		if err != nil {
			return nil, err
		}
		if r.Parent != "" && l.Why == WhySplit {
			parts, err := tx.ByOrder(network, r.Order)
			if err != nil {
				return nil, err
			}
			beside = append(beside, parts...)
		}
		if s := Suffix(network, r.Order); s != "" && l.Step == ByClaim {
			alike, err := tx.Alike(network, s, rerunMax)
			if err != nil {
				return nil, err
			}
			beside = append(beside, alike...)
		}
		for i := range beside {
			o := &beside[i]
			if o.User == 0 && o.Whole != nil && !seen[o.Key] {
				seen[o.Key] = true
				others = append(others, o)
			}
		}
	}
	return others, nil
}

// named returns all lines of an order number and of what was split from it, in however
// many steps: what is decided of an order is decided of its parts.
func named(tx Tx, network, number string) (lines []Line, err error) {
	seen, done := map[Key]bool{}, map[string]bool{}
	for numbers := []string{number}; len(numbers) > 0; numbers = numbers[1:] {
		if done[numbers[0]] {
			continue
		}
		done[numbers[0]] = true
		found, err := tx.ByOrder(network, numbers[0])
		if err != nil {
			return nil, err
		}
		for _, l := range found {
			if seen[l.Key] {
				continue
			}
			seen[l.Key] = true
			lines = append(lines, l)
			if l.Why == WhySplit {
				numbers = append(numbers, l.Row().Order)
			}
		}
	}
	return lines, nil
}

// ways fetches all that could explain lines, in one go.
func (b *Book) ways(tx Tx, network string, open []*Line) (w Ways, err error) {
	var tags, items, orders, suffixes []string
	sources := map[string][]Source{}
	since := b.Now()
	for _, l := range open {
		r := l.Row()
		if r.Tag != "" {
			tags = append(tags, r.Tag)
		}
		if r.Item != "" {
			items = append(items, r.Item)
		}
		if s := Suffix(network, r.Order); s != "" {
			suffixes = append(suffixes, s)
		}
		orders = append(orders, r.Order)
		if r.Parent != "" {
			orders, sources[r.Parent] = append(orders, r.Parent), nil
		}
		if !r.Created.IsZero() && r.Created.Before(since) {
			since = r.Created
		}
	}
	if w, err = tx.Ways(network, tags, items, orders, suffixes, since.Add(-claimWindow)); err != nil {
		return w, err
	}
	if w.Kin == nil {
		w.Kin = map[string][]int64{}
	}
	if w.Word == nil {
		w.Word = map[string][]int64{}
	}
	if w.Persons == nil {
		w.Persons = map[int64]int64{}
	}
	w.Split = sources
	return w, b.sources(tx, network, w)
}

// sources completes w with what lines were split from.
func (b *Book) sources(tx Tx, network string, w Ways) error {
	for number := range w.Split {
		whole, err := tx.ByOrder(network, number)
		if err != nil {
			return err
		}
		for i := range whole {
			l := &whole[i]
			w.learn(l)
			if _, known := w.Persons[l.User]; known || l.User == 0 || l.Row().Order != number {
				continue
			}
			if w.Persons[l.User], err = tx.Root(l.User); err != nil {
				return err
			}
		}
	}
	return nil
}

// give makes a line somebody's, with its evidence.
func (b *Book) give(tx Tx, l *Line, v verdict, w Ways) error {
	l.User, l.Link, l.Step, l.Evidence, l.Promise = v.user, v.way.Link, v.step, v.evidence, v.way.Promise
	if v.step != ByClaim {
		return nil
	}
	for _, c := range w.claims(l.Row()) {
		if w.person(c.User) != w.person(v.user) {
			continue
		}
		now, err := tx.Claim(c.ID) // a line of the same order may have granted it just now
		if err != nil {
			return err
		}
		if now.State.Open() {
			now.State = ClaimGranted
			if err := swapClaim(tx, &now, now.Rev); err != nil {
				return err
			}
		}
	}
	if s := Suffix(l.Key.Network, l.Row().Order); s != "" {
		if !slices.Contains(w.Suffixes[s], v.user) && w.Suffixes != nil {
			w.Suffixes[s] = append(w.Suffixes[s], v.user) // for the other lines of the page
		}
		return tx.AddSuffix(l.Key.Network, s, v.user)
	}
	return nil
}
