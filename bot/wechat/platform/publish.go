package platform

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Own returns the menus that an account shall have: those of its configuration, or the
// standard one for everybody.
func (c Config) Own(standard Menu) (all Menu, tagged map[string]Menu) {
	all = standard
	if len(c.Menu) > 0 {
		all = c.Menu
	}
	tagged = make(map[string]Menu, len(c.TaggedMenus))
	for name, m := range c.TaggedMenus {
		tagged[name] = m
	}
	return all, tagged
}

// Publish publishes a menu for everybody, and one for those who have a tag, by its name.
// Tags that there are not are made. It may be made again, also after it has ended half
// way: a menu for a tag takes the place of the one that was there, and menus for others
// stay.
func (c *Client) Publish(ctx context.Context, all Menu, tagged map[string]Menu) error {
	if err := c.SetMenu(ctx, all); err != nil || len(tagged) == 0 {
		return err
	}
	tags, err := c.Tags(ctx)
	if err != nil {
		return err
	}
	is, err := c.Menu(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(tagged)) {
		tag, err := c.tagNamed(ctx, tags, name)
		if err == nil {
			err = c.replace(ctx, is.Conditional, tagged[name], Match{Tag: tag})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// TagNamed returns the number of a tag, which is made if there is none of the name.
func (c *Client) TagNamed(ctx context.Context, name string) (int64, error) {
	tags, err := c.Tags(ctx)
	if err != nil {
		return 0, err
	}
	return c.tagNamed(ctx, tags, name)
}

func (c *Client) tagNamed(ctx context.Context, tags []Tag, name string) (int64, error) {
	if i := slices.IndexFunc(tags, func(t Tag) bool { return t.Name == name }); i >= 0 {
		return tags[i].ID, nil
	}
	return c.CreateTag(ctx, name)
}

// replace publishes a conditional menu and takes away those that were there for the same
// people.
func (c *Client) replace(ctx context.Context, is []Conditional, m Menu, who Match) error {
	old := slices.DeleteFunc(slices.Clone(is), func(o Conditional) bool { return o.Match != who })
	if len(old) == 1 && reflect.DeepEqual(old[0].Menu, m) {
		return nil
	}
	if _, err := c.AddConditionalMenu(ctx, m, who); err != nil {
		return err
	}
	for _, o := range old {
		if err := c.DeleteConditionalMenu(ctx, o.ID); err != nil {
			return err
		}
	}
	return nil
}

// String is the menu as people read it to each other: one line for each button.
func (m Menu) String() string {
	var b strings.Builder
	for _, top := range m {
		top.write(&b, "")
		for _, sub := range top.Sub {
			sub.write(&b, "  ")
		}
	}
	return b.String()
}

func (b Button) write(out *strings.Builder, indent string) {
	out.WriteString(indent + b.Name)
	switch {
	case b.Say != "":
		out.WriteString(" → " + b.Say)
	case b.URL != "":
		out.WriteString(" → " + b.URL)
	}
	out.WriteString("\n")
}
