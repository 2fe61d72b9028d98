package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// says lists what the marks of a chart say.
func (b *tab) says(id string) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf("[...document.querySelectorAll('#%s svg .datum')].map((e) => e.getAttribute('aria-label'))", id))
}

// press chooses a mark of a chart.
func (b *tab) press(id, label string) {
	b.t.Helper()
	b.script(fmt.Sprintf("document.querySelector('#%s svg .datum[data-label=%q]').dispatchEvent(new MouseEvent('click', {bubbles: true}))", id, label))
}

func TestTiles(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	loaded := b.text("#loaded")
	for _, part := range []string{"2023", "unmarked", "GEN", "Revision 3"} {
		if !strings.Contains(loaded, part) {
			t.Errorf("the header says %q, without %s", loaded, part)
		}
	}
	tiles := b.texts("#summary dd")
	if len(tiles) != 5 || !strings.HasPrefix(tiles[0], "64\n") || !strings.HasPrefix(tiles[1], "12.1 TWh") || !strings.Contains(tiles[1], "generator sheet (release unmarked)") {
		t.Errorf("the tiles are %q", tiles)
	}
	if !strings.Contains(tiles[3], "no US or plant sheet of 2023 loaded") {
		t.Errorf("the tile of CO2 says %q; want why it is missing", tiles[3])
	}

	// The tiles follow what is chosen, as the API has it.
	b.choose("#filter-state", "TX")
	b.until("document.querySelector('#summary dd').innerText.startsWith('20\\n')")
	b.ready()
	years := asked[[]struct {
		Year   int
		Plants int
		MWh    float64 `json:"net_generation_mwh"`
	}](t, p.url+"plants/years?state=TX")
	newest := years[len(years)-1]
	if tiles := b.texts("#summary dd"); newest.Plants != 20 || newest.MWh != 590000 || !strings.Contains(tiles[1], "590,000 MWh") {
		t.Errorf("the tiles are %q; the API has %+v", tiles, newest)
	}
	b.choose("#filter-year", "2021")
	b.until("document.querySelector('#summary dd').innerText.startsWith('2\\n')")
	b.ready()
	if tiles := b.texts("#summary dd"); !strings.HasPrefix(tiles[1], "1 TWh") && !strings.HasPrefix(tiles[1], "1.0 TWh") {
		t.Errorf("in 2021, the tiles are %q", tiles)
	}
}

// The largest plants lead to their views, and to all the others.
func TestTop(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?state=TX&year=2023", view{})
	b.ready()
	want := asked[[]struct {
		ID   string
		Name string `json:"plant_name"`
	}](t, p.url+"plants/top?state=TX&year=2023")
	got := b.texts("#top tbody .name a")
	for i, plant := range want {
		if got[i] != plant.Name {
			t.Errorf("plant %d is %q; the API has %q", i+1, got[i], plant.Name)
		}
	}
	b.click("#all-plants")
	b.until(rows(20) + " && document.querySelector('#filter-state').value === 'TX'")
	b.ready()
	b.script("history.back()")
	b.until("document.querySelectorAll('#top tbody tr').length === 10")
	b.click("#top tbody tr:first-child a")
	b.until("document.querySelector('#plant-title')?.innerText === '" + want[0].Name + "'")
	b.until("document.activeElement.tagName === 'H2'")
	if view := eval[string](b, "new URLSearchParams(location.search).get('plant')"); view != want[0].ID {
		t.Errorf("the address names plant %q; want %s", view, want[0].ID)
	}
	b.ready()
}

// What is loaded is told by sheet, year and release.
func TestLoaded(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url, view{})
	b.ready()
	got := b.texts("#loaded-part tbody tr")
	for i, row := range got {
		got[i] = strings.Join(strings.Fields(row), " ")
	}
	want := []string{"2023 65 unmarked –", "2021 – 3 unmarked", "2016 3 unmarked –"}
	if !slices.Equal(got, want) {
		t.Errorf("the sheets are %q; want %q", got, want)
	}
	if text := b.text("#loaded-part"); !strings.Contains(text, "71 rows of 3 sheets") {
		t.Errorf("the part says %q", text)
	}
}

func TestCharts(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	b.showAll()
	bars := b.says("by-state")
	if len(bars) != 5 || bars[0] != "Oklahoma (OK): 10,232,123.875 MWh" || bars[4] != "Vermont (VT): 0.004 MWh" {
		t.Errorf("the bars are %q", bars)
	}
	if text := eval[string](b, "document.querySelector('#by-state svg').textContent"); !strings.Contains(text, "Net generation, TWh") {
		t.Errorf("the axes are called %q", text)
	}
	years := eval[[]string](b, "[...document.querySelectorAll('#by-year svg .datum')].map((e) => e.dataset.label)")
	if want := []string{"2016", "2017", "2018", "2019", "2020", "2021", "2022", "2023"}; !slices.Equal(years, want) {
		t.Errorf("the years are %q; want %q, with those that are not loaded", years, want)
	}
	if text := b.text("#by-subregion"); !strings.Contains(text, "neither is loaded") {
		t.Errorf("the chart of subregions says %q", text)
	}
	// The alternative to the picture.
	b.click("#by-fuel summary")
	b.until("document.querySelector('#by-fuel .values tbody tr')")
	if table := b.texts("#by-fuel .values tbody tr"); len(table) != 6 || !strings.HasPrefix(table[0], "Nuclear\t") {
		t.Errorf("the table of fuels is %q", table)
	}
	// A bar is a choice. Subregions cannot be asked for with it.
	b.tolerateFailures()
	b.press("by-state", "CA")
	b.until("location.search.includes('state=CA') && document.querySelector('#by-state .datum.selected[data-label=CA]')")
	b.until("document.querySelector('#by-fuel').innerText.includes('in California')")

	// What cannot be asked is told, and can be undone.
	b.showAll()
	b.until("document.querySelector('#by-subregion').innerText.includes('Only a PLNT sheet says which plants are in which subregion, and none of data year 2023')")
	b.click("#clear")
	b.until("location.search === ''")
	b.showAll()
	b.until("document.querySelector('#by-subregion').innerText.includes('neither is loaded')")

	// A plant sheet knows subregions. A negative bar lies on the other side of zero.
	b = w.open(t, p.url+"?year=2021", view{})
	b.ready()
	b.showAll()
	bars = b.says("by-subregion")
	if want := []string{"ERCT: 1,000,000 MWh", "SPSO: -2,443.5 MWh"}; !slices.Equal(bars, want) {
		t.Errorf("the bars of subregions are %q; want %q", bars, want)
	}
	if !eval[bool](b, "document.querySelector('#by-subregion .datum.below') !== null") {
		t.Error("the negative bar is not marked")
	}
	b.shoot("plant-sheet")
}

// With nothing but regions loaded the page shows those.
func TestRegionsAlone(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: -1})
	p.publish(t, "ST23-rev0.csv", strings.NewReader("YEAR,PSTATABB,STNAMEPCAP,STNGENAN,STGENACL,STGENAWI\n2023,TX,600,1001000,501000,500000\n2023,OK,210,9000,9000,0\n"))
	b := w.open(t, p.url, view{})
	b.ready()
	b.showAll()
	if bars := b.says("by-state"); !slices.Equal(bars, []string{"Texas (TX): 1,001,000 MWh", "Oklahoma (OK): 9,000 MWh"}) {
		t.Errorf("the bars are %q", bars)
	}
	if bars := b.says("by-fuel"); !slices.Equal(bars, []string{"Coal: 510,000 MWh", "Wind: 500,000 MWh"}) {
		t.Errorf("the bars of fuels are %q", bars)
	}
	if text := b.text("#top [data-body]"); text != "No plants are loaded yet." {
		t.Errorf("the table says %q", text)
	}
	b.tolerateFailures() // 404: a year without plants
	b.choose("#filter-year", "2023")
	b.until("document.querySelector('#top').innerText.includes('No plants of data year 2023 are published')")
	b.choose("#filter-state", "TX")
	b.until("document.querySelectorAll('#by-year svg .datum').length === 1 && document.querySelector('#by-year .datum').getAttribute('aria-label').startsWith('2023: 1,001,000 MWh')")
	b.until("document.querySelector('#summary').innerText.includes('1,001,000 MWh')")
	b.shoot("regions-alone")
	b = w.open(t, p.url+"?view=plants", view{})
	b.ready()
	if text := b.text("#plants"); text != "No plants are loaded yet." {
		t.Errorf("the view of plants says %q", text)
	}
}

// Charts follow the width of the window.
func TestResize(t *testing.T) {
	b := start(t).open(t, sample(t).url, view{})
	b.ready()
	b.showAll()
	wide := eval[float64](b, "document.querySelector('#by-state svg').getBoundingClientRect().width")
	b.do(chromedp.EmulateViewport(360, 780))
	b.until(fmt.Sprintf("document.querySelector('#by-state svg').getBoundingClientRect().width < %f / 2", wide))
	b.until("[...document.querySelectorAll('svg.chart')].every((e) => e.getBoundingClientRect().right <= innerWidth)")
	b.checkWidth()
}

// The map of the overview narrows it by state, and leads to plants where their
// places are known.
func TestOverviewMap(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	b.showAll()
	says := eval[[]string](b, "[...document.querySelectorAll('#overview-map a.area')].map((e) => e.getAttribute('aria-label'))")
	if !slices.Contains(says, "Texas (TX): 590,000 MWh") || !slices.Contains(says, "Vermont (VT): 0.004 MWh") || len(says) != 5 {
		t.Errorf("the states say %q", says)
	}
	if legend := b.text("#overview-map-title"); legend != "Net generation by state, 2023" {
		t.Errorf("the map is called %q", legend)
	}
	b.script("document.querySelector('#overview-map a.area[data-code=TX]').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))")
	b.until("location.search === '?state=TX' && document.querySelector('#summary dd').innerText.startsWith('20\\n')")
	b.until("document.querySelector('#overview-map a.area.selected')?.dataset.code === 'TX'")
	b.ready()
}
