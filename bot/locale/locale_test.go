package locale_test

import (
	"testing"

	"fanli/bot/locale"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := []struct{ hint, want string }{
		{"", "zh"}, {"zh", "zh"}, {"zh-hans", "zh"}, {"ZH_TW", "zh"}, {" zh-CN ", "zh"},
		{"en", "en"}, {"en-GB", "en"}, {"de", "en"}, {"?", "en"},
	}
	for _, tt := range tests {
		t.Run(tt.hint, func(t *testing.T) {
			t.Parallel()
			if got := locale.Match(tt.hint); got != tt.want {
				t.Errorf("Match(%q) = %q, want %q", tt.hint, got, tt.want)
			}
		})
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	zh := locale.For("zh")
	t.Run("ValuesTakeThePlaceOfNames", func(t *testing.T) {
		t.Parallel()
		if got, want := zh.T("span.days", "n", "3"), "3 天"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("AValueWithBracesStaysAsItIs", func(t *testing.T) {
		t.Parallel()
		if got, want := zh.T("search.none", "words", "{words}{n}"), "没找到“{words}{n}”。换个说法，或直接发商品链接给我。"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("AMissingKeyReadsAsItself", func(t *testing.T) {
		t.Parallel()
		if got := zh.T("no.such"); got != "no.such" || zh.Has("no.such") {
			t.Errorf("got %q", got)
		}
	})
	t.Run("AnUnknownLanguageIsChinese", func(t *testing.T) {
		t.Parallel()
		if got := locale.For("tlh").Tag(); got != locale.Chinese {
			t.Errorf("got %q", got)
		}
	})
	t.Run("EveryLanguageHasTheSameKeys", func(t *testing.T) {
		t.Parallel()
		for _, tag := range locale.Tags() {
			w := locale.For(tag)
			if w.Tag() != tag {
				t.Errorf("%s has no words", tag)
			}
			for _, k := range zh.Keys() {
				if !w.Has(k) || w.T(k) == "" {
					t.Errorf("%s has no %s", tag, k)
				}
			}
			for _, k := range w.Keys() {
				if !zh.Has(k) {
					t.Errorf("only %s has %s", tag, k)
				}
			}
		}
	})
}
