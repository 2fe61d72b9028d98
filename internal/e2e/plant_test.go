package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestPlant(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plants", view{})
	b.ready()
	b.click("#plants tbody tr:first-child .generation") // the row is a link, too
	b.until("document.querySelectorAll('#plant-generators tbody tr').length === 2")
	b.until("document.querySelector('#plant-figures dl')")
	if got := b.text("#plant-title"); got != "Largest of all" {
		t.Errorf("the title is %q", got)
	}
	if text := b.text("#plant-figures"); !strings.Contains(text, "10,234,567 MWh") || !strings.Contains(text, "ORIS plant code") {
		t.Errorf("the figures are %q", text)
	}
	b.until("location.search.includes('plant=9100') && location.search.includes('year=2023')")
	b.ready()
	b.script("history.back()")
	b.until(rows(25))
	b.ready()

	// A plant without an ORIS code goes by state and name, by a link too.
	b = w.open(t, p.url+"?view=plants&year=2016", view{})
	b.ready()
	b.click("#plants tbody tr:first-child .open")
	b.until("document.querySelector('#plant-title')?.innerText === 'Beta ~ 1/2, East'")
	b.until("document.querySelectorAll('#plant-generators tbody tr').length === 2")
	b = w.open(t, eval[string](b, "location.href"), view{})
	b.until("document.querySelector('#plant-title')?.innerText === 'Beta ~ 1/2, East' && document.querySelectorAll('#plant-generators tbody tr').length === 2")
	b.ready()

	// No generator sheet of the year, no such plant, and no plant at all.
	b = w.open(t, p.url+"?view=plant&year=2021&plant=0917", view{})
	b.until("document.querySelector('#plant-generators').innerText.includes('No generator sheet of 2021 is loaded')")
	b.until("document.querySelector('#plant-units').innerText.includes('No unit sheet of 2021 is loaded')")
	b.until("document.querySelector('#plant-figures dl')")
	b.ready()
	b.shoot("plant-of-a-plant-sheet")
	b = w.open(t, p.url+"?view=plant&plant=nobody", view{failing: true})
	b.until("document.querySelector('#plant-head').innerText.includes('No plant \"nobody\" in data year 2023')")
	b = w.open(t, p.url+"?view=plant", view{})
	b.until("document.querySelector('#view').innerText.includes('The address names no plant')")
	b.click("#plant-head a")
	b.until(rows(25))
	b.ready()
}

// Every figure of the plant is that of the API, with its unit.
func TestPlantFigures(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plant&plant=9000&year=2021", view{})
	b.ready()
	tiles := b.texts("#plant-tiles .tile")
	want := []string{"Net generation\n900,000 MWh", "Nameplate capacity\n550 MW", "Capacity factor\n0.1", "Share of state\n90.0%", "CO2e\n40.5 short tons", "CO2e output rate\n–"}
	for i, tile := range tiles {
		if !strings.HasPrefix(tile, want[i]) {
			t.Errorf("tile %d says %q; want %q", i+1, tile, want[i])
		}
	}
	plant := asked[map[string]any](t, p.url+"plants/9000?year=2021")
	for column, value := range plant {
		if column == "id" {
			continue
		}
		shown := eval[string](b, "document.querySelector('#plant-figures [data-column="+column+"] dd')?.innerText ?? 'nowhere'")
		if shown == "nowhere" || (value == nil) != (shown == "–") {
			t.Errorf("%s is shown as %q; the API has %v", column, shown, value)
		}
		if text, ok := value.(string); ok && column != "fuel_category" && shown != text {
			t.Errorf("%s is shown as %q; the API has %q", column, shown, text)
		}
	}
	if text := b.text("#plant-head"); !strings.Contains(text, "PLNT21.csv") || !strings.Contains(text, "release unmarked") {
		t.Errorf("the head says %q, without the source", text)
	}
	if regions := b.texts("#plant-regions tbody tr"); len(regions) != 5 || !strings.Contains(regions[1], "ERCT") || !strings.Contains(regions[1], "no subregion sheet of 2021 is loaded") {
		t.Errorf("the regions are %q", regions)
	}

	// The generator sheet of 2023 names no regions: another year does.
	b = w.open(t, p.url+"?view=plant&plant=9000&year=2023", view{})
	b.ready()
	b.until("document.querySelector('#plant-regions [data-level=SRL]').innerText.includes('ERCT as in 2021')")
	b.until("document.querySelector('#plant-mix svg .datum')")
	if mix := b.says("plant-mix"); !slices.Equal(mix, []string{"NG: 1,000 MWh"}) {
		t.Errorf("the mix by its generators is %q", mix)
	}
}

// Every figure leads to what it follows from, at an address of its own.
func TestExplain(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plant&plant=9000&year=2021", view{})
	b.ready()
	b.script("document.querySelector('#plant-figures [data-explain=co2e_short_tons]').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("document.querySelector('#explain').open && document.querySelector('#explain-part').dataset.state === 'ready'")
	b.until("location.search.includes('explain=co2e_short_tons')")
	text := b.text("#explain")
	for _, part := range []string{"CO2e", "Invented 00, 2021: 40.5 short tons", "record 1, column PLCO2EQA", "PLNT21.csv", "never changes"} {
		if !strings.Contains(text, part) {
			t.Errorf("the explanation lacks %q:\n%s", part, text)
		}
	}
	b.shootView("explain")
	// The permanent answer has the same figure.
	permanent := asked[struct{ Published float64 }](t, eval[string](b, "document.querySelector('#explain .permanent').href"))
	if permanent.Published != 40.5 {
		t.Errorf("the permanent answer has %v; want 40.5", permanent.Published)
	}
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.querySelector('#explain').open && !location.search.includes('explain')")
	b.until("document.activeElement.dataset.explain === 'co2e_short_tons'")

	// A sum over generators shows what it is the sum of; a link opens it.
	b = w.open(t, p.url+"?view=plant&plant=9100&year=2023&explain=net_generation_mwh", view{})
	b.until("document.querySelectorAll('#explain tbody tr').length >= 2")
	b.ready()
	rows := b.texts("#explain-part table:first-of-type tr")
	if !slices.Contains(rows, "1\t–\t9,000,000") || !slices.Contains(rows, "2\t–\t1,234,567") || !slices.Contains(rows, "Sum\t10,234,567") {
		t.Errorf("the sum is of %q", rows)
	}
	if text := b.text("#explain"); !strings.Contains(text, "GEN23.csv") {
		t.Errorf("the explanation lacks the file:\n%s", text)
	}
	b.click("#explain-close")
	b.until("!document.querySelector('#explain').open")
}

// The history has every data year, and why the plant is missing from some.
func TestHistory(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plant&plant=9003&year=2021", view{})
	b.ready()
	years := b.texts("#plant-history tbody tr")
	if len(years) != 3 || !strings.HasPrefix(years[0], "2023\t4,000\t13") || !strings.HasPrefix(years[1], "2021\t100,000\t50\t0.2\t0") || !strings.Contains(years[2], "has no ORIS codes, so its 2 plants cannot be matched") {
		t.Errorf("the history is %q", years)
	}
	b.click("#plant-history [data-year='2023'] a")
	b.until("location.search.includes('year=2023') && document.querySelector('#plant-tiles').innerText.includes('4,000 MWh')")
	b.ready()
	b.click("#plant-history .absent a")
	b.until("location.search.includes('q=Invented+03') && document.querySelector('#filter-year').value === '2016'")
	b.ready()
}

// On paper a plant is a report: no buttons, nothing cut off.
func TestPrint(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=plant&plant=9000&year=2021", view{})
	b.ready()
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
	shown := eval[[]string](b, "[...document.querySelectorAll('button, #nav a, .choices')].filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 80))")
	if len(shown) > 0 {
		t.Errorf("on paper there are %q", shown)
	}
	if address := b.text(".address"); !strings.Contains(address, "plant=9000") || !strings.Contains(address, "year=2021") || !strings.Contains(address, "release=none") {
		t.Errorf("the printed address is %q", address)
	}
	b.shoot("print")
}
