package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

const names = "#plants tbody tr .name button"

func TestTable(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url, view{})
	b.ready()
	got := b.texts(names)
	if len(got) != 25 || got[0] != "Largest of all" || got[1] != "Invented 59" || got[2] != "Invented 58" {
		t.Errorf("the table begins %q and has %d rows; want the largest first, 25 of them", got[:min(3, len(got))], len(got))
	}
	cells := b.texts("#plants tbody tr:first-child td")
	want := []string{"1", "Largest of all", "OK", "Nuclear", "2,401", "10,234,567", "100.0%", "9100"}
	if !slices.Equal(cells, want) {
		t.Errorf("the first row is %q; want %q", cells, want)
	}
	title := eval[string](b, "document.querySelector('#plants tbody tr .generation').title")
	if title != "10,234,567.375 MWh" {
		t.Errorf("the title of the first net generation is %q; want all digits", title)
	}
	loaded := b.text("#loaded")
	for _, part := range []string{"2023", "unmarked", "GEN", "Revision 3"} {
		if !strings.Contains(loaded, part) {
			t.Errorf("the header says %q, without %s", loaded, part)
		}
	}
	if tiles := b.texts("#summary dd"); len(tiles) != 5 || !strings.HasPrefix(tiles[0], "64\n") || !strings.HasPrefix(tiles[2], "12.1 TWh") {
		t.Errorf("the tiles are %q", tiles)
	}
}

// What is negative, missing, tiny or looks like markup is shown as it is.
func TestValues(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?state=OK", view{})
	b.ready()
	b.until("document.querySelectorAll('#plants tbody tr').length === 3")
	cells := b.texts("#plants tbody tr .generation")
	if want := []string{"10,234,567", "-2,444", "–"}; !slices.Equal(cells, want) {
		t.Errorf("net generation is %q; want %q", cells, want)
	}
	if title := eval[string](b, "document.querySelector('#plants tbody tr:nth-child(3) .generation').title"); title != "missing" {
		t.Errorf("the title of a missing value is %q", title)
	}
	if oris := b.texts("#plants tbody tr .oris"); oris[1] != "0917" {
		t.Errorf("ORIS code %q; want 0917 with its zero", oris[1])
	}
	b.choose("#filter-state", "VT")
	b.until("document.querySelectorAll('#plants tbody tr').length === 1")
	if got := b.text(names); !strings.HasPrefix(got, "<img src=x") {
		t.Errorf("the name is %q; want the markup as text", got)
	}
	if got := b.text("#plants tbody tr .generation"); got != "0.004" {
		t.Errorf("a tiny net generation is %q; want 0.004", got)
	}
	if title := eval[string](b, "document.title"); title == "hacked" {
		t.Error("a name ran as markup")
	}
}

func TestFilters(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	b.choose("#filter-state", "TX")
	b.until("document.querySelectorAll('#plants tbody tr').length === 20 && [...document.querySelectorAll('#plants .place')].every((e) => e.innerText === 'TX')")
	b.until("new URLSearchParams(location.search).get('state') === 'TX'")
	b.choose("#filter-fuel", "GAS")
	b.until("location.search.includes('fuel_category=GAS') && document.querySelector('#plants tbody tr')")
	b.until("[...document.querySelectorAll('#plants .fuel')].every((e) => e.innerText === 'Gas')")
	if note := b.text("#note"); !strings.Contains(note, "sums of their generators") {
		t.Errorf("the note on fuels of generator sheets is %q", note)
	}
	if csv := eval[string](b, "document.querySelector('#csv').href"); !strings.Contains(csv, "state=TX") || !strings.Contains(csv, "fuel_category=GAS") || !strings.Contains(csv, "format=csv") {
		t.Errorf("the download is %s; want the selection as CSV", csv)
	}
	csv := promised(b, "fetch(document.querySelector('#csv').href).then((r) => r.text())")
	if rows := strings.Count(csv, "\n") - 1; rows != eval[int](b, "document.querySelectorAll('#plants tbody tr').length") {
		t.Errorf("the download has %d rows:\n%s", rows, csv)
	}

	// Back goes to the choice before.
	b.script("history.back()")
	b.until("document.querySelector('#filter-fuel').value === '' && document.querySelectorAll('#plants tbody tr').length === 20")

	// A linked view shows what it says, and Clear ends it.
	b = w.open(t, p.url+"?year=2021&state=OK", view{})
	b.ready()
	if got := b.texts(names); !slices.Equal(got, []string{"Pumped & Co"}) {
		t.Errorf("the linked view shows %q", got)
	}
	if loaded := b.text("#loaded"); !strings.Contains(loaded, "2021") || !strings.Contains(loaded, "PLNT") {
		t.Errorf("the header says %q", loaded)
	}
	b.click("#clear")
	b.until("location.search === '' && document.querySelectorAll('#plants tbody tr').length === 25")
	b.ready()
}

func TestSearch(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url, view{})
	b.ready()
	b.do(chromedp.SendKeys("#filter-q", "invented 07"))
	b.until("document.querySelectorAll('#plants tbody tr').length === 1 && document.querySelector('#plants .name button').innerText === 'Invented 07'")
	b.until("new URLSearchParams(location.search).get('q') === 'invented 07'")
	if value := eval[string](b, "document.querySelector('#filter-q').value"); value != "invented 07" {
		t.Errorf("the field holds %q", value)
	}
	b.do(chromedp.SendKeys("#filter-q", " nobody"))
	b.until("document.getElementById('plants-part').dataset.state === 'empty'")
	if text := b.text("#plants"); !strings.Contains(text, "invented 07 nobody") {
		t.Errorf("the empty table says %q", text)
	}
}

func TestLoadMore(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url, view{})
	b.ready()
	for _, rows := range []int{50, 64} {
		b.click("#more")
		b.until(fmt.Sprintf("document.querySelectorAll('#plants tbody tr').length === %d", rows))
	}
	if eval[bool](b, "document.querySelector('#more') !== null") {
		t.Error("there is more to load behind the last page")
	}
	ids := eval[[]string](b, "[...document.querySelectorAll('#plants tbody tr')].map((e) => e.dataset.id)")
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 64 {
		t.Errorf("%d different plants; want 64", n)
	}
	if count := b.text("#count"); count != "64 of 64 plants" {
		t.Errorf("the count says %q", count)
	}
}

func TestDetail(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	b.click("#plants tbody tr:first-child .generation")
	b.until("document.querySelector('#detail').open && document.querySelectorAll('#detail-generators tbody tr').length === 2")
	b.until("document.querySelector('#detail-plant dl')")
	if got := b.text("#detail-title"); got != "Largest of all" {
		t.Errorf("the title is %q", got)
	}
	if text := b.text("#detail-plant"); !strings.Contains(text, "10,234,567 MWh") || !strings.Contains(text, "ORIS plant code") {
		t.Errorf("the panel says %q", text)
	}
	b.until("location.search.includes('plant=9100')")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.querySelector('#detail').open && !location.search.includes('plant=')")

	// By keys: the name is a button.
	b.script("document.querySelector('#plants tbody tr:nth-child(2) .open').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("document.querySelector('#detail').open && document.querySelector('#detail-title').innerText === 'Invented 59'")
	b.click("#detail-close")
	b.until("!document.querySelector('#detail').open")
	b.until("document.activeElement.innerText === 'Invented 59'")

	// A plant without an ORIS code goes by state and name, by a link too.
	b = w.open(t, p.url+"?year=2016", view{})
	b.ready()
	b.click("#plants tbody tr:first-child .open")
	b.until("document.querySelector('#detail').open && document.querySelector('#detail-title').innerText === 'Beta ~ 1/2, East'")
	b.until("document.querySelectorAll('#detail-generators tbody tr').length === 2")
	b = w.open(t, eval[string](b, "location.href"), view{})
	b.until("document.querySelector('#detail').open && document.querySelectorAll('#detail-generators tbody tr').length === 2")

	// No generator sheet of the year, and no such plant.
	b = w.open(t, p.url+"?year=2021&plant=0917", view{})
	b.until("document.querySelector('#detail-generators').innerText.includes('no generator sheet of 2021')")
	b.until("document.querySelector('#detail-plant dl')")
	b.shootView("detail-plant-sheet")
	b = w.open(t, p.url+"?plant=nobody", view{failing: true})
	b.until("document.querySelector('#detail-plant').innerText.includes('No plant \"nobody\" in data year 2023')")
}

func TestCharts(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	b.showAll()
	bars := eval[[]string](b, "[...document.querySelectorAll('#by-state svg .bar title')].map((e) => e.textContent)")
	if len(bars) != 5 || bars[0] != "Oklahoma (OK): 10,232,123.875 MWh" || bars[4] != "Vermont (VT): 0.004 MWh" {
		t.Errorf("the bars are %q", bars)
	}
	if unit := b.texts("#by-state svg .axis"); !slices.Contains(unit, "Net generation, TWh") {
		t.Errorf("the axes are called %q", unit)
	}
	years := eval[[]string](b, "[...document.querySelectorAll('#by-year svg .bar')].map((e) => e.dataset.label)")
	if want := []string{"2016", "2017", "2018", "2019", "2020", "2021", "2022", "2023"}; !slices.Equal(years, want) {
		t.Errorf("the years are %q; want %q, with those that are not loaded", years, want)
	}
	if text := b.text("#by-subregion"); !strings.Contains(text, "neither is loaded") {
		t.Errorf("the chart of subregions says %q", text)
	}
	// The alternative to the picture.
	b.click("#by-fuel summary")
	if rows := b.texts("#by-fuel .values tbody tr"); len(rows) != 6 || !strings.HasPrefix(rows[0], "Nuclear (NUCLEAR)") {
		t.Errorf("the table of fuels is %q", rows)
	}
	// A bar is a choice. Subregions cannot be asked for with it.
	b.tolerateFailures()
	b.script("document.querySelector('#by-state svg .bar[data-label=CA]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
	b.until("location.search.includes('state=CA') && document.querySelector('#by-state .bar.selected[data-label=CA]')")
	b.until("document.querySelector('#by-fuel').innerText.includes('in California')")

	// What cannot be asked is told, and can be undone.
	b.showAll()
	b.until("document.querySelector('#by-subregion').innerText.includes('No PLNT sheet of data year 2023')")
	b.click("#by-subregion .clear")
	b.until("location.search === ''")
	b.showAll()
	b.until("document.querySelector('#by-subregion').innerText.includes('neither is loaded')")

	// A plant sheet knows subregions. A negative bar lies on the other side of zero.
	b = w.open(t, p.url+"?year=2021", view{})
	b.ready()
	b.showAll()
	bars = eval[[]string](b, "[...document.querySelectorAll('#by-subregion svg .bar title')].map((e) => e.textContent)")
	if want := []string{"ERCT: 1,000,000 MWh", "SPSO: -2,443.5 MWh"}; !slices.Equal(bars, want) {
		t.Errorf("the bars of subregions are %q; want %q", bars, want)
	}
	if !eval[bool](b, "document.querySelector('#by-subregion .below .fill').getBoundingClientRect().right <= document.querySelector('#by-subregion line.zero').getBoundingClientRect().left + 2") {
		t.Error("the negative bar does not begin at zero")
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
	if bars := eval[[]string](b, "[...document.querySelectorAll('#by-state svg .bar title')].map((e) => e.textContent)"); !slices.Equal(bars, []string{"Texas (TX): 1,001,000 MWh", "Oklahoma (OK): 9,000 MWh"}) {
		t.Errorf("the bars are %q", bars)
	}
	if bars := eval[[]string](b, "[...document.querySelectorAll('#by-fuel svg .bar title')].map((e) => e.textContent)"); !slices.Equal(bars, []string{"Coal (COAL): 510,000 MWh", "Wind (WIND): 500,000 MWh"}) {
		t.Errorf("the bars of fuels are %q", bars)
	}
	if text := b.text("#plants"); text != "No plants are loaded yet." {
		t.Errorf("the table says %q", text)
	}
	b.tolerateFailures() // 404: a year without plants
	b.choose("#filter-year", "2023")
	b.until("document.querySelector('#plants').innerText.startsWith('No plants of data year 2023 are published')")
	b.choose("#filter-state", "TX")
	b.until("document.querySelectorAll('#by-year svg .bar').length === 1 && document.querySelector('#by-year .bar title').textContent.startsWith('2023: 1,001,000 MWh')")
	b.shoot("regions-alone")
}

// A page that finds no API says so in each part, and recovers.
func TestAPIDown(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: -1})
	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	p.down.Store(true)
	b := w.open(t, p.url, view{failing: true})
	b.until("['summary', 'plants-part', 'filters-part'].every((id) => document.getElementById(id).dataset.state === 'error')")
	if text := b.text("#plants"); !strings.Contains(text, "The API cannot be reached") || !strings.Contains(text, "egrid serve") {
		t.Errorf("the table says %q", text)
	}
	b.shoot("down")
	p.down.Store(false)
	b.click("#plants .retry")
	b.until("document.querySelectorAll('#plants tbody tr').length === 25")
	if state := eval[string](b, "document.getElementById('summary').dataset.state"); state != "error" {
		t.Errorf("the tiles are %s; want each part to be retried alone", state)
	}
	b.click("#summary .retry")
	b.until("document.querySelectorAll('#summary .tile dd').length === 5")
	b.click("#filters-part .retry")
	b.until("document.querySelector('#filters-part').dataset.state === 'ready'")

	// A proxy's page is no answer.
	p.page.Store(true)
	b.choose("#filter-state", "TX")
	b.until("document.querySelector('#plants').innerText.includes('something that is not eGRID data')")
	p.page.Store(false)
	b.click("#plants .retry")
	b.until("document.querySelectorAll('#plants tbody tr').length === 20")
	b.click("#clear")
	b.until("document.querySelectorAll('#plants tbody tr').length === 25")

	// Load more fails and recovers, too.
	p.down.Store(true)
	b.click("#more")
	b.until("document.querySelector('.more .retry')")
	if rows := eval[int](b, "document.querySelectorAll('#plants tbody tr').length"); rows != 25 {
		t.Errorf("%d rows after a failure; want the 25 there were", rows)
	}
	p.down.Store(false)
	b.click(".more .retry")
	b.until("document.querySelectorAll('#plants tbody tr').length === 50")
}

// The page heals by itself once the API is back.
func TestHeals(t *testing.T) {
	w := start(t)
	p := sample(t)
	p.down.Store(true)
	b := w.open(t, p.url, view{failing: true})
	b.until("document.querySelector('#link').innerText.includes('trying again')")
	p.down.Store(false)
	b.until("document.querySelectorAll('#plants tbody tr').length === 25 && document.querySelectorAll('#summary .tile dd').length === 5")
	b.until("document.querySelector('#link').innerText === 'Live'")
}

func TestRefreshesItself(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: time.Second})
	b := w.open(t, p.url, view{})
	b.until("!document.getElementById('nothing').hidden")
	if text := b.text("#nothing"); !strings.Contains(text, "egrid load") {
		t.Errorf("the empty page says %q", text)
	}
	b.shoot("nothing")

	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	b.until("document.getElementById('nothing').hidden && document.querySelectorAll('#plants tbody tr').length === 25")
	b.until("[...document.querySelector('#filter-year').options].some((o) => o.value === '2023')")

	// What was loaded in addition stays, and so does the choice.
	b.click("#more")
	b.until("document.querySelectorAll('#plants tbody tr').length === 50")
	p.publish(t, "GEN23.csv", strings.NewReader(strings.Replace(generators23(), "Largest of all,9100,1,NUC,1200.5,9000000.25", "Largest of all,9100,1,NUC,1200.5,1", 1)))
	b.until("document.querySelector('#plants tbody tr .generation').innerText === '1,234,568'")
	if rows := eval[int](b, "document.querySelectorAll('#plants tbody tr').length"); rows != 50 {
		t.Errorf("%d rows after a publish; want 50 as before", rows)
	}
	b.until("document.querySelector('#loaded').innerText.includes('Revision 2')")

	// Looks are cheap: most of them are 304.
	b.until("performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/snapshots')).length >= 6")
	if p.asked(304) < 2 {
		t.Errorf("%d looks were answered 304; want most of them", p.asked(304))
	}
}

// The page works under a prefix, and with its API elsewhere.
func TestPrefix(t *testing.T) {
	w := start(t)
	p := serve(t, "/deep/egrid", nil)
	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	b := w.open(t, p.url, view{})
	b.ready()
	b.click("#more")
	b.until("document.querySelectorAll('#plants tbody tr').length === 50")
}

// A table that another publish has overtaken reads on in what it began with, and
// is loaded anew once that is pruned.
func TestStalePage(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: -1})
	p.publish(t, "GEN21.csv", strings.NewReader(strings.ReplaceAll(generators23(), "2023,", "2021,")))
	b := w.open(t, p.url, view{})
	b.ready()
	p.publish(t, "GEN21.csv", strings.NewReader(strings.ReplaceAll(generators16, "2016,", "2021,")))
	p.publish(t, "PLNT21.csv", strings.NewReader(plants21))
	b.click("#more")
	b.until("document.querySelectorAll('#plants tbody tr').length === 50 && document.querySelector('#plants .name button').innerText === 'Largest of all'")

	if pruned, err := p.store.Prune(t.Context(), driver.PruneRequest{}); err != nil || len(pruned) != 1 {
		t.Fatalf("pruned %v, %v; want the generators that the table is of", pruned, err)
	}
	b.tolerateFailures() // 410
	b.click("#more")
	b.until("document.querySelectorAll('#plants tbody tr').length === 3 && document.querySelector('#plants .name button').innerText === 'Invented 00'")
}

// A page that nobody sees asks nothing, and looks at once when it is seen.
func TestPausesWhenHidden(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: time.Hour})
	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	b := w.open(t, p.url, view{})
	b.ready()
	b.until("document.querySelector('#link').innerText === 'Live'")
	looks := "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/snapshots')).length"
	before := eval[int](b, looks)
	b.script("Object.defineProperty(document, 'hidden', {value: true, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))")
	p.publish(t, "PLNT21.csv", strings.NewReader(plants21))
	b.script("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
	b.until("document.querySelector('#loaded').innerText.includes('Revision 2')")
	if after := eval[int](b, looks); after != before+1 {
		t.Errorf("%d looks; want one, when the page is seen again", after-before)
	}
}

// A link with nonsense in it is explained in each part.
func TestNonsenseInLink(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	b.tolerateFailures()
	b.script("history.pushState(null, '', '?year=abc&state=XXX&fuel_category=steam'); dispatchEvent(new PopStateEvent('popstate'))")
	b.until("document.getElementById('plants-part').dataset.state === 'error' && document.getElementById('summary').dataset.state === 'error'")
	if text := b.text("#plants"); !strings.Contains(text, "two letters, as TX") || !strings.Contains(text, "one of") || !strings.Contains(text, "integer") {
		t.Errorf("the table says %q", text)
	}
	b.shoot("nonsense")
	b.click("#plants .clear")
	b.until("location.search === '' && document.querySelectorAll('#plants tbody tr').length === 25")
	b.until("document.querySelectorAll('#summary .tile dd').length === 5")
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

func TestNarrow(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url, view{width: 360, height: 780})
	b.ready()
	b.showAll()
	b.checkWidth()
	b.click("#plants tbody tr:first-child .open")
	b.until("document.querySelectorAll('#detail-generators tbody tr').length === 2")
	b.checkWidth()
	b.shootView("narrow-detail")
}

// promised returns the text that a promise ends in.
func promised(b *tab, expression string) string {
	b.t.Helper()
	return run(b, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
}
