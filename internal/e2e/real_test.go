package e2e_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// real is a platform with files that EPA published.
func real(t *testing.T) *platform {
	t.Helper()
	p := serve(t, "/egrid", &dashboard.Options{})
	for _, name := range []string{"2023/GEN23.csv", "2016/GEN16.csv", "2023/SRL23-rev0.csv", "2023/ST23-rev0.csv", "2023/US23-rev0.csv"} {
		p.publish(t, filepath.Base(name), testenv.Open(t, name))
	}
	return p
}

// Real figures, in each look of the page.
func TestRealData(t *testing.T) {
	p, w := real(t), start(t)
	for name, v := range map[string]view{
		"desktop-light": {width: 1280, height: 900},
		"desktop-dark":  {width: 1280, height: 900, dark: true},
		"mobile-light":  {width: 360, height: 780},
		"mobile-dark":   {width: 360, height: 780, dark: true},
	} {
		t.Run(name, func(t *testing.T) {
			b := w.open(t, p.url, v)
			b.ready()
			b.showAll()
			b.checkTotals()
			b.checkWidth()
			b.shootView(name + "-top")
			b.shoot(name)

			b.click("#all-plants")
			b.until(rows(25))
			b.ready()
			// The largest generators of eGRID2023 belong to Palo Verde, three units of it.
			if got := b.texts(names)[0]; got != "Palo Verde" {
				t.Errorf("the first plant is %q; want Palo Verde", got)
			}
			if b.text("#plants tbody tr .oris") == "" {
				t.Error("no ORIS code")
			}
			if share := strings.TrimPrefix(b.text("#plants tbody tr .share"), "Share of state\n"); share != "30.6%" {
				t.Errorf("Palo Verde has %s of Arizona; want 30.6%%", share)
			}
			if note := b.text("#note"); !strings.Contains(note, "shares of their states by the state sheet (release rev0)") || !strings.Contains(note, "21.4 TWh more; most in Arizona, 8.9 TWh more") || !strings.Contains(note, "do not add up") {
				t.Errorf("the note says %q", note)
			}
			b.checkWidth()
			b.shootView(name + "-plants")
			b.click("#plants tbody tr .open")
			b.until("document.querySelectorAll('#plant-generators tbody tr').length === 3")
			b.ready()
			b.checkWidth()
			b.shoot(name + "-plant")
			w.close()
		})
	}
}

// checkTotals wants the totals of the sheets of regions in every part, and a word on
// the generators, which are of another release.
func (b *tab) checkTotals() {
	b.t.Helper()
	for selector, parts := range map[string][]string{
		"#loaded": {"Release rev0", "US sheet"}, "#summary": {"in 2023, generator sheet (release unmarked)", "4,167.6 TWh", "4,167,601,391 MWh", "771.5 lb/MWh", "as published"},
		"#top":          {"shares of their states by the state sheet (release rev0)", "21.4 TWh more; most in Arizona, 8.9 TWh more", "do not add up"},
		"#by-state":     {"Source: state sheet (release rev0)", "generator sheet (release unmarked) adds up to 4,189.0 TWh, 21.4 TWh more"},
		"#by-fuel":      {"Source: US sheet (release rev0)", "has 4,167.6 TWh", "21.4 TWh more"},
		"#by-year":      {"2023: The US sheet (release rev0) has 4,167.6 TWh", "21.4 TWh more"},
		"#by-subregion": {"Source: subregion sheet (release rev0)"},
	} {
		text := b.text(selector)
		for _, part := range parts {
			if !strings.Contains(text, part) {
				b.t.Errorf("%s lacks %q:\n%s", selector, part, text)
			}
		}
	}
	if share := b.text("#top tbody tr .share"); share != "30.6%" {
		b.t.Errorf("Palo Verde has %s of Arizona; want 30.6%%", share)
	}
	if !slices.Contains(b.says("by-state"), "Arizona (AZ): 102,908,709.515 MWh") {
		b.t.Errorf("no bar of Arizona says 102,908,709.515 MWh: %q", b.says("by-state"))
	}
}

// checkWidth wants a page that is no wider than the window.
func (b *tab) checkWidth() {
	b.t.Helper()
	if over := eval[int](b, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
		b.t.Errorf("the page is %d pixels wider than the window; widest: %s", over, eval[string](b,
			"[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 120)).join('\\n')"))
	}
}
