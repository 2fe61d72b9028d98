package e2e_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

const names = "#plants tbody tr .name a"

func rows(n int) string {
	return fmt.Sprintf("document.querySelectorAll('#plants tbody tr').length === %d", n)
}

func TestTable(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=plants", view{})
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
	if from := b.text("#from"); from != "Sums of generators, from the generator sheet (release unmarked)" {
		t.Errorf("the plants are said to be %q", from)
	}
	if title := eval[string](b, "document.title"); title != "Plants 2023 · eGRID power plants" {
		t.Errorf("the title is %q", title)
	}
}

// What is negative, missing, tiny or looks like markup is shown as it is.
func TestValues(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=plants&state=OK", view{})
	b.ready()
	b.until(rows(3))
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
	b.until(rows(1))
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
	b := w.open(t, p.url+"?view=plants", view{})
	b.ready()
	b.choose("#filter-state", "TX")
	b.until(rows(20) + " && [...document.querySelectorAll('#plants .place')].every((e) => e.innerText === 'TX')")
	b.until("new URLSearchParams(location.search).get('state') === 'TX'")
	b.choose("#filter-fuel", "GAS")
	b.until("location.search.includes('fuel_category=GAS') && document.querySelector('#plants tbody tr')")
	b.until("[...document.querySelectorAll('#plants .fuel')].every((e) => e.innerText === 'Gas')")
	if note := b.text("#note"); !strings.Contains(note, "sums of their generators") {
		t.Errorf("the note on fuels of generator sheets is %q", note)
	}
	b.checkDownloads()

	// Back goes to the choice before.
	b.script("history.back()")
	b.until("document.querySelector('#filter-fuel').value === '' && " + rows(20))

	// A linked view shows what it says, and Clear ends it.
	b = w.open(t, p.url+"?view=plants&year=2021&state=OK", view{})
	b.ready()
	if got := b.texts(names); !slices.Equal(got, []string{"Pumped & Co"}) {
		t.Errorf("the linked view shows %q", got)
	}
	if from := b.text("#from"); from != "From the plant sheet (release unmarked)" {
		t.Errorf("the plants are said to be %q", from)
	}
	b.click("#clear")
	b.until("location.search === '?view=plants' && " + rows(25))
	b.ready()
}

// checkDownloads wants every representation to have exactly the plants and
// columns of the table.
func (b *tab) checkDownloads() {
	b.t.Helper()
	count := eval[int](b, "document.querySelectorAll('#plants tbody tr').length")
	columns := append([]string{"id", "plant_name", "operator_name"}, eval[[]string](b, "[...document.querySelectorAll('#plants thead [data-sort]')].slice(1).map((e) => e.dataset.sort)")...)
	b.click(".menu summary")
	b.until("document.querySelector('#parquet').parentElement.hidden") // this API does not write it
	b.click(".menu summary")
	for _, format := range []string{"csv", "ndjson", "geojson", "xlsx", "datapackage", "parquet"} {
		href := eval[string](b, "document.getElementById('"+format+"').href")
		status, body := fetched(b.t, href)
		if format == "parquet" {
			if status != http.StatusBadRequest {
				b.t.Errorf("Parquet is not offered, and the API answers with status %d", status)
			}
			continue
		}
		if status != http.StatusOK || len(body) == 0 {
			b.t.Errorf("the download as %s from %s has status %d and %d bytes", format, href, status, len(body))
		}
		switch format {
		case "csv":
			records, err := csv.NewReader(strings.NewReader(body)).ReadAll()
			if err != nil || len(records) != count+1 || !slices.Equal(records[0], columns) {
				b.t.Errorf("the CSV has %d records with the columns %q, %v; want %d plants with %q", len(records), records[0], err, count, columns)
			}
		case "ndjson":
			if n := strings.Count(body, "\n"); n != count {
				b.t.Errorf("the NDJSON has %d lines; want %d", n, count)
			}
		}
	}
}

// fetched asks as a program would.
func fetched(t *testing.T, address string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// asked is an answer of the API, as a program would read it.
func asked[T any](t *testing.T, address string) (data T) {
	t.Helper()
	status, body := fetched(t, address)
	var answer struct{ Data T }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("%s: status %d, %v", address, status, err)
	}
	return answer.Data
}

// Filters tell how many plants they leave, and each is counted without itself.
func TestFacets(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=plants", view{})
	b.ready()
	option := func(selector, value string) string {
		return eval[string](b, fmt.Sprintf("[...document.querySelector(%q).options].find((o) => o.value === %q)?.textContent ?? 'none'", selector, value))
	}
	if got := option("#filter-state", "TX"); got != "Texas (TX) · 20" {
		t.Errorf("the option of Texas says %q", got)
	}
	if got := option("#filter-fuel", "GAS"); got != "Gas · 10" {
		t.Errorf("the option of gas says %q", got)
	}
	b.choose("#filter-state", "TX")
	b.until(rows(20))
	b.until("[...document.querySelector('#filter-fuel').options].some((o) => o.textContent === 'Gas · 10') && [...document.querySelector('#filter-fuel').options].some((o) => o.textContent === 'Hydro · 0')")
	if got := option("#filter-state", "CA"); got != "California (CA) · 20" {
		t.Errorf("with Texas chosen, the option of California says %q; want it counted without Texas", got)
	}

	// A plant sheet knows regions.
	b = w.open(t, sample(t).url+"?view=plants&year=2021", view{})
	b.ready()
	b.click(".folded summary")
	b.choose("#filter-subregion", "ERCT")
	b.until(rows(2))
	if got := option("#filter-subregion", "SPSO"); got != "SPSO · 1" {
		t.Errorf("the option of SPSO says %q", got)
	}
}

func TestSearch(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=plants", view{})
	b.ready()
	b.do(chromedp.SendKeys("#filter-q", "invented 07"))
	b.until(rows(1) + " && document.querySelector('#plants .name a').innerText === 'Invented 07'")
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

// An address from before there were views still finds what it named.
func TestOldAddresses(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?year=2023&q=invented+07", view{})
	b.ready()
	b.until(rows(1) + " && document.querySelector('#nav [aria-current]').innerText === 'Plants'")
	b = w.open(t, p.url+"?plant=9100", view{})
	b.until("document.querySelector('#plant-title')?.innerText === 'Largest of all'")
	b.ready()
	b = w.open(t, p.url+"?year=2021&state=OK", view{})
	b.ready()
	if got := b.texts("#top tbody .name a"); !slices.Equal(got, []string{"Pumped & Co"}) {
		t.Errorf("the overview of Oklahoma in 2021 shows %q", got)
	}
}

func TestLoadMore(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=plants", view{})
	b.ready()
	for _, n := range []int{50, 64} {
		b.click("#more")
		b.until(rows(n))
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

// Any column sorts, both ways, by keys too; the address says which.
func TestSort(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plants", view{})
	b.ready()
	b.script("document.querySelector('[data-sort=nameplate_capacity_mw]').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("document.querySelector('#plants .open').innerText === 'Largest of all' && document.querySelector('[aria-sort]').innerText.startsWith('Nameplate capacity')")
	b.until("document.activeElement.dataset.sort === 'nameplate_capacity_mw'")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("location.search.includes('sort=nameplate_capacity_mw') && document.querySelector('[aria-sort]').getAttribute('aria-sort') === 'ascending'")
	got := eval[[]string](b, "[...document.querySelectorAll('#plants tbody tr')].map((e) => e.dataset.id)")
	want := asked[[]struct{ ID string }](t, p.url+"plants/search?sort=nameplate_capacity_mw,plant_name&limit=25")
	for i, plant := range want {
		if got[i] != plant.ID {
			t.Fatalf("row %d is plant %s; the API has %s", i+1, got[i], plant.ID)
		}
	}
	if title := b.text("#plants-title"); title != "Plants by nameplate capacity, 2023" {
		t.Errorf("the title is %q", title)
	}
	b.script("history.back()")
	b.until("location.search.includes('sort=-nameplate_capacity_mw')")
}

// Columns are found by their meaning, shown with their unit, and kept in the
// address.
func TestColumns(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plants&year=2021", view{})
	b.ready()
	b.click("#columns-open")
	b.until("document.querySelectorAll('#columns input[type=checkbox]').length > 10")
	b.do(chromedp.SendKeys("#columns-q", "co2 equivalent"))
	b.until("[...document.querySelectorAll('#columns label.column')].filter((e) => !e.hidden).length >= 1")
	b.click("#columns input[value=co2e_short_tons]")
	b.until("location.search.includes('co2e_short_tons') && document.querySelector('[data-sort=co2e_short_tons]')")
	b.shootView("columns")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.querySelector('#columns').open && document.activeElement.id === 'columns-open'")
	if head := b.text("#plants thead th:last-child"); !strings.HasPrefix(head, "CO2e short tons") {
		t.Errorf("the last column is headed %q", head)
	}
	cells := eval[[]string](b, "[...document.querySelectorAll('#plants tbody tr')].map((e) => e.lastElementChild.innerText)")
	if want := []string{"40.5", "0", "0"}; !slices.Equal(cells, want) {
		t.Errorf("the new column has %q; want %q", cells, want)
	}
	b.checkDownloads()

	// What the column means, by keys.
	b.script("document.querySelector('#plants thead th:last-child .what').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("document.querySelector('#meaning').matches(':popover-open') && document.querySelector('#meaning').contains(document.activeElement)")
	if text := b.text("#meaning"); !strings.Contains(text, "PLCO2EQA") || !strings.Contains(text, "Unit: short tons") {
		t.Errorf("the meaning is %q", text)
	}
	b.shootView("meaning")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.querySelector('#meaning').matches(':popover-open') && document.activeElement.classList.contains('what')")

	b.click("#columns-open")
	b.click("#columns-reset")
	b.until("!location.search.includes('columns=')")
}

// A condition holds on any column, can be taken back, and is in the address.
func TestConditions(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plants", view{})
	b.ready()
	b.click(".folded summary")
	b.script("document.querySelector('#condition-column').focus()")
	b.until("[...document.querySelector('#condition-column').options].some((o) => o.value === 'nameplate_capacity_mw')")
	b.choose("#condition-column", "nameplate_capacity_mw")
	b.do(chromedp.SendKeys("#condition-value", "69"+kb.Enter))
	b.until(rows(3))
	if chips := b.texts("#conditions li"); len(chips) != 1 || !strings.HasPrefix(chips[0], "Nameplate capacity at least 69 MW") {
		t.Errorf("the conditions are %q", chips)
	}
	b.checkDownloads()
	b = w.open(t, eval[string](b, "location.href"), view{})
	b.ready()
	b.until(rows(3))
	b.click("#conditions button")
	b.until("!location.search.includes('filter') && " + rows(25))
}

// A table that another publish has overtaken reads on in what it began with, and
// is loaded anew once that is pruned.
func TestStalePage(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: -1})
	p.publish(t, "GEN21.csv", strings.NewReader(strings.ReplaceAll(generators23(), "2023,", "2021,")))
	b := w.open(t, p.url+"?view=plants", view{})
	b.ready()
	p.publish(t, "GEN21.csv", strings.NewReader(strings.ReplaceAll(generators16, "2016,", "2021,")))
	p.publish(t, "PLNT21.csv", strings.NewReader(plants21))
	b.click("#more")
	b.until(rows(50) + " && document.querySelector('#plants .name a').innerText === 'Largest of all'")

	if pruned, err := p.store.Prune(t.Context(), driver.PruneRequest{}); err != nil || len(pruned) != 1 {
		t.Fatalf("pruned %v, %v; want the generators that the table is of", pruned, err)
	}
	b.tolerateFailures() // 410
	b.click("#more")
	b.until(rows(3) + " && document.querySelector('#plants .name a').innerText === 'Invented 00'")
}

// On a small screen nothing is cut off, and everything can be reached.
func TestNarrow(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=plants", view{width: 320, height: 700})
	b.ready()
	b.checkWidth()
	b.shootView("narrow-plants")
	b.click("#plants tbody tr:first-child .open")
	b.until("document.querySelectorAll('#plant-generators tbody tr').length === 2")
	b.ready()
	b.checkWidth()
	b.shoot("narrow-plant")
	b.click("[data-view=overview]")
	b.until("document.querySelector('#top tbody tr')")
	b.ready()
	b.showAll()
	b.checkWidth()
	b.shoot("narrow-overview")
}
