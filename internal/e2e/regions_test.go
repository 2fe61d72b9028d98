package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Regions stand side by side, and every figure is that of the API.
func TestRegions(t *testing.T) {
	w := start(t)
	p := editions(t, plain)
	b := w.open(t, p.url+"?view=regions&level=SRL&code=CAMX,ERCT", view{})
	b.ready()
	b.click("#region-figures .more button") // every figure
	units := at(t, p.ask(t, "regions/SRL/CAMX"), "meta", "units").(map[string]any)
	checked := 0
	for i, path := range []string{"regions/SRL/CAMX", "regions/SRL/ERCT", "regions/US/US"} {
		data := at(t, p.ask(t, path), "data")
		want := map[string]any{}
		for _, part := range []string{"totals", "rates", "other"} {
			for name, value := range at(t, data, part).(map[string]any) {
				want[name] = value
			}
		}
		for fuel, share := range at(t, data, "resource_mix").(map[string]any) {
			want[fuel+"_generation_share"] = share
		}
		columns := eval[[]string](b, "[...document.querySelectorAll('#region-figures tr[data-column]')].map((e) => e.dataset.column)")
		figures := b.figures(fmt.Sprintf("#region-figures tr[data-column] > :nth-child(%d)", i+2))
		for j, column := range columns {
			if _, ok := units[column]; !ok {
				continue
			}
			if err := figures[j].check(want[column]); err != nil {
				t.Errorf("%s, %s: %v", path, column, err)
			}
			checked++
		}
		if len(columns) < len(want) {
			t.Errorf("%s: %d figures on the page; the API has %d", path, len(columns), len(want))
		}
	}
	if checked < 450 {
		t.Errorf("%d figures were compared", checked)
	}
	if heads := b.texts("#region-figures thead th"); len(heads) != 3 || !strings.HasPrefix(heads[0], "WECC California (CAMX)") || !strings.Contains(heads[2], "2023, US sheet (release unmarked)") {
		t.Errorf("the heads are %q", heads)
	}

	// The charts have the API's figures in their tables.
	ranking := at(t, p.ask(t, "levels/SRL/rows?sort=-co2_output_rate_lb_per_mwh&columns=subregion,co2_output_rate_lb_per_mwh&limit=100"), "data").([]any)
	b.click("#region-rank details.values summary")
	b.until(fmt.Sprintf("document.querySelectorAll('#region-rank details.values tbody tr').length === %d", len(ranking)))
	for i, cell := range b.figures("#region-rank details.values tbody td.number:last-of-type") {
		if err := cell.check(at(t, ranking, i, "co2_output_rate_lb_per_mwh")); err != nil {
			t.Errorf("rank %d: %v", i+1, err)
		}
	}
	years := at(t, p.ask(t, "levels/SRL/rows?year=all&subregion=ERCT&columns=data_year,release,co2_output_rate_lb_per_mwh"), "data").([]any)
	b.click("#region-trend details.values summary")
	b.until("document.querySelectorAll('#region-trend details.values tbody tr').length >= 2")
	trend := b.figures("#region-trend details.values tbody tr > :nth-child(3)")
	for i, year := range years {
		if err := trend[i].check(at(t, year, "co2_output_rate_lb_per_mwh")); err != nil {
			t.Errorf("%v: %v", year, err)
		}
	}
	if head := b.text("#region-trend details.values thead"); !strings.Contains(head, "ERCOT All (ERCT)") {
		t.Errorf("the years are of %q", head)
	}
	if !strings.Contains(b.text("#region-trend"), "2022 v2, 2023 unmarked") {
		t.Errorf("the years do not say their releases:\n%s", b.text("#region-trend"))
	}
	b.shoot("regions")
}

// A person adds and takes away regions, explains a figure, goes back, by keys too.
func TestRegionsWalk(t *testing.T) {
	w := start(t)
	p := editions(t, plain)
	b := w.open(t, p.url+"?view=regions", view{})
	b.ready()
	heads := func(want ...string) string {
		return fmt.Sprintf("JSON.stringify([...document.querySelectorAll('#region-figures thead th')].map((e) => e.firstChild.textContent)) === %q", fmt.Sprintf("[%s]", strings.Join(want, ",")))
	}
	b.until(heads(`"United States"`))
	b.choose("#region-add", "TX")
	b.until(heads(`"Texas (TX)"`, `"United States"`))
	b.choose("#region-add", "CA")
	b.until(heads(`"Texas (TX)"`, `"California (CA)"`, `"United States"`))
	b.ready()
	if title := eval[string](b, "document.title"); !strings.HasPrefix(title, "Texas (TX) and California (CA) · Regions") {
		t.Errorf("the title is %q", title)
	}
	b.until("location.search.includes('code=TX%2CCA')")

	// A figure is explained where it stands.
	b.script("document.querySelector('tr[data-column=co2_output_rate_lb_per_mwh] .unfold').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("document.querySelectorAll('.unfolded .formula .same').length === 3")
	explained := at(t, p.ask(t, "explain/ST/TX/co2_output_rate_lb_per_mwh"), "data")
	text := b.text(".unfolded")
	if want := fmt.Sprintf("row %v of the state sheet", at(t, explained, "row")); !strings.Contains(text, want) || !strings.Contains(text, "ST23.csv") || !strings.Contains(text, "STCO2RTA") {
		t.Errorf("explained is\n%s\nwithout %s", text, want)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("!document.querySelector('.unfolded')")

	b.click(".chips a") // Texas
	b.until(heads(`"California (CA)"`, `"United States"`))
	b.script("history.back()")
	b.until(heads(`"Texas (TX)"`, `"California (CA)"`, `"United States"`))

	// Another year, and a release of it.
	b.choose("#region-year", "2022")
	b.until("document.querySelector('#region-figures thead').innerText.includes('2022, state sheet (release v2)')")
	b.choose("#region-release", "v1")
	b.until("document.querySelector('#region-figures thead').innerText.includes('2022, state sheet (release v1)')")
	b.ready()

	// Another measure, and another kind of region; a bar adds its region.
	b.choose("#region-measure", "net_generation_mwh")
	b.until("document.querySelector('#region-rank figcaption').innerText.includes('States by net generation, 2022')")
	b.ready()
	for _, level := range []string{"Balancing authorities", "NERC regions", "United States", "Subregions"} {
		b.script(fmt.Sprintf("[...document.querySelectorAll('.tabs a')].find((e) => e.innerText === %q).click()", level))
		b.until(fmt.Sprintf("document.querySelector('.tabs a[aria-current]').innerText === %q", level))
		b.ready()
		if states := eval[[]string](b, "[...document.querySelectorAll('#view > [data-part]')].map((e) => e.dataset.state)"); slices.Contains(states, "error") {
			t.Errorf("%s: %v\n%s", level, states, b.text("#view"))
		}
	}
	b.script("document.querySelector('#region-rank svg a').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))")
	b.until("document.querySelectorAll('#region-figures thead th').length === 2 && location.search.includes('code=')")
	b.ready()
	b.checkWidth()

	// The API is stopped and started meanwhile.
	b.tolerateFailures()
	p.down.Store(true)
	b.choose("#region-measure", "co2_short_tons")
	b.until("document.querySelector('#region-rank .problem')?.innerText.includes('cannot be reached')")
	p.down.Store(false)
	b.click("#region-rank .retry")
	b.until("document.querySelector('#region-rank figcaption')?.innerText.includes('by CO2')")
	b = w.open(t, p.url+"?view=regions&level=SRL&code=NOPE", view{failing: true})
	b.until("document.querySelector('#region-figures .problem')?.innerText.includes('NOPE')")
}
