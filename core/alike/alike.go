// Package alike says whether two titles name the same goods.
//
// Shops write what they like: other words in another order, 1L or 1000毫升, 24包 or
// ×24. A title is read into what identifies goods (brand, model, variant, amount,
// number of packs, what it is for) and what only describes them. Two titles are
// compared part by part.
//
// # Guarantees
//
//   - The verdict depends on nothing but the two titles, and not on their order.
//   - Goods are never the same, nor likely the same, where the titles name different
//     brands, models, variants, amounts or numbers of packs, or where one is but an
//     accessory of the other, used, or a refill.
//   - What only one of the titles says makes a verdict weaker, never stronger.
//   - Every verdict says why, in words that people have texts for.
package alike

// A Verdict is how sure it is that two titles name the same goods.
type Verdict string

// The verdicts, from the surest on.
const (
	Same      Verdict = "same"      // all that identifies them agrees
	Likely    Verdict = "likely"    // nothing speaks against it, and something is not said
	Similar   Verdict = "similar"   // goods of the same kind
	Different Verdict = "different" // other goods
)

// A Reason is what a verdict rests on.
type Reason string

// The reasons. Those that end in _differs speak against, those in _unsaid are what only
// one of the titles says.
const (
	Brand  Reason = "brand"
	Model  Reason = "model"
	Amount Reason = "amount" // volume, weight, storage and the like
	Count  Reason = "count"  // of packs
	Name   Reason = "name"   // the words agree

	BrandUnsaid  Reason = "brand_unsaid"
	ModelUnsaid  Reason = "model_unsaid"
	AmountUnsaid Reason = "amount_unsaid"
	CountUnsaid  Reason = "count_unsaid"

	BrandDiffers   Reason = "brand_differs"
	ModelDiffers   Reason = "model_differs"
	VariantDiffers Reason = "variant_differs" // Pro, Max, mini
	AmountDiffers  Reason = "amount_differs"
	CountDiffers   Reason = "count_differs"
	ColourDiffers  Reason = "colour_differs"
	KindDiffers    Reason = "kind_differs" // an accessory, used, a refill
	NameDiffers    Reason = "name_differs"
)

// A Result is a verdict with what it rests on, the weightiest first.
type Result struct {
	Verdict Verdict
	Because []Reason
}

// Contradicted reports whether the titles say something that cannot both be true of the
// same goods; that the words differ is no contradiction.
func (r Result) Contradicted() bool {
	for _, why := range r.Because {
		switch why {
		case BrandDiffers, ModelDiffers, VariantDiffers, AmountDiffers, CountDiffers, KindDiffers:
			return true
		default:
		}
	}
	return false
}

// Sure reports whether the goods are the same, or likely the same.
func (r Result) Sure() bool { return r.Verdict == Same || r.Verdict == Likely }

// Parts of the words, in percent of the title that has fewer, that have to agree.
const (
	nameSimilar = 50 // below, goods are of another kind
	nameSure    = 60
	nameStrong  = 80 // words alone stand for a brand that is not said
)

// modelRunesMin is how long a model must be to name goods without their brand: 15 and
// A4 say little.
const modelRunesMin = 3

// A finding is what a comparison has found so far.
type finding struct {
	against []Reason // speaks against it
	unsaid  []Reason
	agreed  []Reason
	other   bool // they are goods of another kind, whatever their words
}

// Compare says whether two titles name the same goods.
func Compare(a, b Title) Result {
	var f finding
	f.compareKinds(a, b)
	f.compareBrands(a, b)
	model := f.compareModels(a, b)
	f.compareAmounts(a, b)
	f.compareCounts(a, b)
	name := overlap(a.words, b.words)
	if len(a.words) == 0 || len(b.words) == 0 { // 农夫山泉 550ml: the brand says what it is
		name = 0
		if f.has(Brand) || f.has(Model) {
			name = nameSure
		}
	}
	switch {
	case f.other:
		return Result{Different, f.against}
	case len(f.against) > 0 && name >= nameSimilar:
		return Result{Similar, f.against}
	case len(f.against) > 0:
		return Result{Different, append(f.against, NameDiffers)}
	case name < nameSimilar && (!f.has(Brand) || !f.has(Model)):
		return Result{Different, []Reason{NameDiffers}}
	}
	return f.judge(name, model, disjoint(a.colours, b.colours))
}

// judge weighs a comparison that nothing speaks against. model is the longest model
// that both say.
func (f *finding) judge(name, model int, colours bool) Result {
	known := f.has(Brand) && (f.has(Model) || f.has(Amount)) || model >= modelRunesMin
	verdict := Similar
	switch {
	case known && name >= nameSure:
		verdict = Same
	case len(f.agreed) > 0:
		verdict = Likely
	}
	for _, r := range f.unsaid {
		switch {
		case r == CountUnsaid:
			verdict = weaker(verdict, Similar)
		case r == BrandUnsaid && model < modelRunesMin && (!f.has(Amount) || name < nameStrong):
			verdict = weaker(verdict, Similar)
		default:
			verdict = weaker(verdict, Likely)
		}
	}
	because := f.unsaid
	if colours {
		verdict, because = weaker(verdict, Likely), append(because, ColourDiffers)
	}
	if verdict == Same || len(because) == 0 {
		because = f.agreed
	}
	if len(because) == 0 {
		because = []Reason{Name}
	}
	return Result{verdict, because}
}

func (f *finding) has(r Reason) bool {
	for _, a := range f.agreed {
		if a == r {
			return true
		}
	}
	return false
}

// weaker returns the less sure of two verdicts.
func weaker(a, b Verdict) Verdict {
	for _, v := range []Verdict{Different, Similar, Likely} {
		if a == v || b == v {
			return v
		}
	}
	return Same
}

// compareKinds tells goods from what belongs to them, and new ones from others.
func (f *finding) compareKinds(a, b Title) {
	accessories := len(a.accessories) > 0 != (len(b.accessories) > 0) || disjoint(a.accessories, b.accessories)
	if accessories || a.fits != b.fits && len(a.accessories)+len(b.accessories) == 0 || !a.conditions.equal(b.conditions) {
		f.other = true
		f.against = append(f.against, KindDiffers)
	}
}

// compareBrands tells makers apart.
func (f *finding) compareBrands(a, b Title) {
	switch {
	case disjoint(a.brands, b.brands):
		f.other = true
		f.against = append(f.against, BrandDiffers)
	case len(a.brands) > 0 && len(b.brands) > 0:
		f.agreed = append(f.agreed, Brand)
	case len(a.brands)+len(b.brands) > 0:
		f.unsaid = append(f.unsaid, BrandUnsaid)
	}
}

// compareModels tells models apart, and returns how long the longest is that both say.
func (f *finding) compareModels(a, b Title) (longest int) {
	if !a.variants.equal(b.variants) {
		f.against = append(f.against, VariantDiffers)
	}
	onlyA, onlyB := a.models.without(b.models), b.models.without(a.models)
	for m := range a.models {
		if !onlyA[m] {
			longest = max(longest, len(m))
		}
	}
	switch {
	case len(onlyA) > 0 && len(onlyB) > 0 || disjoint(a.years, b.years):
		f.against = append(f.against, ModelDiffers)
	case longest > 0:
		f.agreed = append(f.agreed, Model)
	case len(onlyA)+len(onlyB) > 0:
		f.unsaid = append(f.unsaid, ModelUnsaid)
	}
	return longest
}

// compareAmounts holds every measure of one title against that of the other.
func (f *finding) compareAmounts(a, b Title) {
	differs, agrees, unsaid := false, false, false
	for m, of := range a.amounts {
		other, both := b.amounts[m]
		switch {
		case both && !of.within(other) && !other.within(of):
			differs = true
		case both:
			agrees = agrees || m.identifies()
		default:
			unsaid = unsaid || m.identifies()
		}
	}
	for m := range b.amounts {
		if _, both := a.amounts[m]; !both {
			unsaid = unsaid || m.identifies()
		}
	}
	f.note(differs, agrees, unsaid, AmountDiffers, Amount, AmountUnsaid)
}

// compareCounts holds the numbers of packs against each other. One pack is what a title
// means that says nothing.
func (f *finding) compareCounts(a, b Title) {
	differs, agrees, unsaid := false, false, false
	look := func(of, other Title) {
		for unit, counts := range of.counts {
			theirs, both := other.counts[unit]
			switch {
			case both && !counts.within(theirs) && !theirs.within(counts):
				differs = true
			case both:
				agrees = true
			case counts.one():
			case len(other.times) > 0 && disjoint(other.times, counts):
				differs = true
			case len(other.times) > 0:
				agrees = true
			default:
				unsaid = true
			}
		}
		if len(of.times) > 0 && len(other.times)+len(other.counts) == 0 && !of.times.one() {
			unsaid = true
		}
	}
	look(a, b)
	look(b, a)
	if disjoint(a.times, b.times) {
		differs = true
	} else if len(a.times) > 0 && len(b.times) > 0 {
		agrees = true
	}
	f.note(differs, agrees, unsaid, CountDiffers, Count, CountUnsaid)
}

// note keeps what a part has shown. What agrees in one measure and is not said in
// another is both.
func (f *finding) note(differs, agrees, unsaid bool, against, agreed, silent Reason) {
	if differs {
		f.against = append(f.against, against)
		return
	}
	if agrees {
		f.agreed = append(f.agreed, agreed)
	}
	if unsaid {
		f.unsaid = append(f.unsaid, silent)
	}
}
