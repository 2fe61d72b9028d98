package e2e_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// factor is the figure that the page shows large.
func (b *tab) factor() shown {
	b.t.Helper()
	return eval[shown](b, "(() => { const e = document.querySelector('#factor .large'); return {Text: e.querySelector('b').innerText, Title: e.title}; })()")
}

func (b *tab) factorOf(place string) {
	b.t.Helper()
	b.until(fmt.Sprintf("document.querySelector('#factor-title')?.innerText.includes(%q)", place))
	b.ready()
}

// A factor of a place is that of the API, with the formula done again, its sources, a
// citation and emissions.
func TestFactors(t *testing.T) {
	w := start(t)
	p := editions(t, plain)
	b := w.open(t, p.url+"?view=factors", view{})
	b.ready()
	b.choose("#factor-place", "CAMX")
	b.factorOf("WECC California (CAMX)")
	check := func(query string) map[string]any {
		t.Helper()
		data := at(t, p.ask(t, "factors?"+query), "data").(map[string]any)
		if err := b.factor().check(data["value"]); err != nil {
			t.Errorf("%s: %v", query, err)
		}
		text := b.text("#factor")
		for _, part := range []string{data["unit"].(string), data["authority"].(string), at(t, data, "sources", 0, "object").(string), data["citation"].(string), "the sum done again in this browser"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s: the page lacks %q:\n%s", query, part, text)
			}
		}
		for name, input := range data["inputs"].(map[string]any) {
			value := strconv.FormatFloat(at(t, input, "value").(float64), 'f', -1, 64)
			if !strings.Contains(strings.ReplaceAll(text, ",", ""), value) {
				t.Errorf("%s: input %s is not %s on the page", query, name, value)
			}
		}
		return data
	}
	check("subregion=CAMX")
	b.choose("#factor-gas", "co2")
	b.until("document.querySelector('#factor-title').innerText.startsWith('CO2 output')")
	b.ready()
	check("subregion=CAMX&gas=co2")
	b.choose("#factor-unit", "kg/MWh")
	b.until("document.querySelector('#factor .large').innerText.includes('kg/MWh')")
	b.choose("#factor-kind", "nonbaseload")
	b.until("document.querySelector('#factor-title').innerText.startsWith('CO2 non-baseload')")
	b.ready()
	check("subregion=CAMX&gas=co2&unit=kg/MWh&kind=nonbaseload")
	b.choose("#factor-kind", "output")
	b.choose("#factor-gas", "co2e")
	b.choose("#factor-gwp", "ar6")
	b.click("#factor-delivered")
	b.until("document.querySelector('#factor-title').innerText.startsWith('CO2e output emission rate of delivered')")
	b.ready()
	data := check("subregion=CAMX&unit=kg/MWh&gwp=ar6&delivered=true")

	// Emissions follow the amount, which is in the address.
	b.do(chromedp.SendKeys("#factor-kwh", "120,000"))
	b.until("document.querySelector('#factor-kg')")
	kg, err := number(eval[string](b, "document.querySelector('#factor-kg').title"))
	if want := 120 * data["value"].(float64); err != nil || kg < want*(1-1e-12) || kg > want*(1+1e-12) {
		t.Errorf("120,000 kWh are %v kg (%v); want %v", kg, err, want)
	}
	b.until("new URLSearchParams(location.search).get('kwh') === '120,000'")

	// What is cited can be asked for, and answers the same.
	cited := b.text(".cited")
	_, address, _ := strings.Cut(cited, ": "+p.url)
	if address == "" || !strings.Contains(address, "snapshot=") {
		t.Fatalf("the citation has no permanent address: %s", cited)
	}
	if again := at(t, p.ask(t, address), "data", "value"); again != data["value"] {
		t.Errorf("the permanent address answers %v; want %v", again, data["value"])
	}

	// All gases and kinds, as a batch.
	for i, gas := range []string{"co2e", "co2", "ch4", "n2o", "nox", "so2"} {
		for j, kind := range []string{"output", "nonbaseload", "combustion", "input"} {
			query := "factors?subregion=CAMX&gas=" + gas + "&kind=" + kind
			if gas == "co2e" {
				query += "&gwp=ar6"
			}
			if kind != "input" {
				query += "&unit=kg/MWh&delivered=true"
			}
			figures := b.figures(fmt.Sprintf("#factor-others tbody tr:nth-child(%d) td:nth-child(%d)", i+1, j+2))
			if err := figures[0].check(at(t, p.ask(t, query), "data", "value")); err != nil {
				t.Errorf("%s: %v", query, err)
			}
		}
	}
	ranked := b.text("#factor-rank figcaption")
	if !strings.Contains(ranked, "Subregions: CO2e output emission rate, 2023") {
		t.Errorf("the ranking is %q", ranked)
	}
	b.click("#factor-plants summary")
	plants := at(t, p.ask(t, "factors?subregion=CAMX&gwp=ar6&unit=kg/MWh&delivered=true&explain=true"), "data", "plants").([]any)
	b.until(fmt.Sprintf("document.querySelectorAll('#factor-plants tbody tr').length === %d", len(plants)))
	amounts := map[string]bool{}
	for _, plant := range plants {
		for name := range at(t, plant, "amounts").(map[string]any) {
			amounts[name] = true
		}
	}
	heads := b.texts("#factor-plants thead th")
	if len(heads) != 2+len(amounts) || !strings.Contains(b.text("#factor-plants"), at(t, plants, 0, "name").(string)) {
		t.Errorf("the plants have the columns %q", heads)
	}
	b.checkWidth()
	b.shoot("factors")

	// The address is the whole state; a place of another kind takes its place.
	again := w.open(t, eval[string](b, "location.href"), view{})
	again.factorOf("WECC California (CAMX)")
	if err := again.factor().check(data["value"]); err != nil {
		t.Error(err)
	}
	again.choose("#factor-where", "us")
	again.factorOf("United States")
	if search := eval[string](again, "location.search"); strings.Contains(search, "subregion") || !strings.Contains(search, "us=true") {
		t.Errorf("the address is %s", search)
	}
}

// A ZIP code is placed by the crosswalk; one that it leaves open is for a person to
// decide.
func TestFactorsByZIP(t *testing.T) {
	w := start(t)
	p := editions(t, plain)
	b := w.open(t, p.url+"?view=factors", view{})
	b.ready()
	b.choose("#factor-where", "zip")
	b.until("!document.querySelector('#factor-typed').closest('label').hidden")
	zip := ""
	for _, row := range at(t, p.ask(t, "levels/ZIP/rows?limit=100"), "data").([]any) {
		code := at(t, row, "zip").(string)
		list := at(t, p.ask(t, "crosswalk/zip/"+code), "data").([]any)
		for _, candidate := range list {
			if at(t, candidate, "predominant") == true && len(list) > 1 {
				if p.answers("factors?subregion=" + at(t, candidate, "subregion").(string)) {
					zip = code
				}
			}
		}
	}
	if zip == "" {
		t.Fatal("the sample has no ZIP code of several subregions with a factor")
	}
	b.do(chromedp.SendKeys("#factor-typed", zip))
	b.until("document.querySelector('.candidates')")
	b.ready()
	list := at(t, p.ask(t, "crosswalk/zip/"+zip), "data").([]any)
	text := b.text(".candidates")
	for _, candidate := range list {
		code := at(t, candidate, "subregion").(string)
		if !strings.Contains(text, code) {
			t.Errorf("%s lacks %s", text, code)
		}
		if at(t, candidate, "predominant") == true {
			if err := b.factor().check(at(t, p.ask(t, "factors?subregion="+code), "data", "value")); err != nil {
				t.Errorf("%s: %v", code, err)
			}
		}
	}
	b = w.open(t, p.url+"?view=factors&zip=00000", view{failing: true})
	b.until("document.querySelector('#factor .problem')?.innerText.includes('00000')")
	b = w.open(t, p.url+"?view=factors&subregion=CAMX&kwh=many&unit=stone", view{failing: true})
	b.until("document.querySelector('#factor .problem')?.innerText.includes('kg/GJ')")
	b.click("#factor .clear")
	b.until("!document.querySelector('#factor .problem') && !location.search.includes('stone')")
}

// answers reports whether the API has an answer.
func (p *platform) answers(path string) bool {
	response, err := http.Get(p.url + path)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

const sites = "site,subregion,state,kwh\n\"Office, main\",CAMX,CA,\"120,000\"\nStore,ERCOTT,,5\nHall,ERCT,TX,1000.5\n=1+1,,TX,7\n"

// drop lets go of a file over the page.
func (b *tab) dropFile(name, content string) {
	b.t.Helper()
	b.script(fmt.Sprintf(`
		const data = new DataTransfer();
		data.items.add(new File([%q], %q, {type: 'text/csv'}));
		for (const kind of ['dragover', 'drop']) document.querySelector('.drop').dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
	`, content, name))
}

// A dropped table of sites comes back with emissions and reasons, and can be saved.
func TestSites(t *testing.T) {
	w := start(t)
	p := editions(t, plain)
	post := func(format string) []byte {
		t.Helper()
		response, err := http.Post(p.url+"inventory?format="+format, "text/csv", strings.NewReader(sites))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("%d %v %s", response.StatusCode, err, body)
		}
		return body
	}
	b := w.open(t, p.url+"?view=factors", view{})
	b.ready()
	b.dropFile("my sites.csv", sites)
	b.until("document.querySelectorAll('#sites-result tbody tr').length >= 4")
	answer := decode(t, post("json"))
	names := []string{"electricity_mwh", "factor_co2e_kg_per_mwh", "co2e_kg", "co2_kg", "ch4_kg", "n2o_kg", "losses_co2e_kg"}
	for i, site := range answer["sites"].([]any) {
		for j, name := range names {
			figures := b.figures(fmt.Sprintf("#sites-result > .sideways tbody tr:nth-child(%d) td:nth-child(%d)", i+1, 6+j))
			if err := figures[0].check(at(t, site, "answer", name)); err != nil {
				t.Errorf("site %d, %s: %v", i+1, name, err)
			}
		}
		cells := b.texts(fmt.Sprintf("#sites-result > .sideways tbody tr:nth-child(%d) td", i+1))
		if reason, ok := at(t, site, "answer", "reason").(string); ok && !strings.Contains(cells[4], reason) {
			t.Errorf("site %d says %q; want %q", i+1, cells[4], reason)
		}
		if want := at(t, site, "site", "site").(string); cells[0] != want {
			t.Errorf("site %d is %q; want %q", i+1, cells[0], want)
		}
	}
	for j, name := range names {
		if name == "factor_co2e_kg_per_mwh" {
			continue
		}
		figures := b.figures(fmt.Sprintf("#sites-result tfoot td:nth-child(%d)", 2+j))
		if err := figures[0].check(at(t, answer, "totals", name)); err != nil {
			t.Errorf("total of %s: %v", name, err)
		}
	}
	for _, format := range []string{"csv", "json", "xlsx"} {
		name, content := b.saved(fmt.Sprintf("#sites-result button[data-format=%s]", format))
		if want := post(format); name != "my sites-emissions."+format || !bytes.Equal(latin1(content), want) && format != "xlsx" {
			t.Errorf("%s: %s has %d bytes; want the API's %d", format, name, len(content), len(want))
		}
		if format == "xlsx" && !strings.HasPrefix(content, "PK\x03\x04") {
			t.Errorf("the workbook begins %q", content[:min(len(content), 8)])
		}
	}
	b.shoot("sites")

	// Another GWP is answered again; what is no table is refused before it is sent.
	b.choose("#factor-gwp", "ar6")
	b.until("document.querySelectorAll('#sites-result tbody tr').length >= 4 && !document.querySelector('#sites-result[aria-busy]')")
	b.dropFile("sites.xlsx", "PK\x03\x04")
	b.until("document.querySelector('#sites-result .problem')?.innerText.includes('workbook')")
	b.tolerateFailures()
	b.dropFile("sites.csv", "site;kwh\nA;1.500\n")
	b.until("document.querySelector('#sites-result .problem')?.innerText.includes('semicolons')")
	b.dropFile("sites.csv", "kwh\n5\n")
	b.until("document.querySelector('#sites-result .problem')?.innerText.includes('where the sites are')")

	// The API is stopped and started meanwhile.
	p.down.Store(true)
	b.dropFile("my sites.csv", sites)
	b.until("document.querySelector('#sites-result .problem')?.innerText.includes('cannot be reached')")
	p.down.Store(false)
	b.click("#sites-result .retry")
	b.until("document.querySelectorAll('#sites-result tbody tr').length >= 4")
}

// latin1 are the bytes that a text of characters up to 255 stands for.
func latin1(text string) []byte {
	var out []byte
	for _, r := range text {
		out = append(out, byte(r))
	}
	return out
}
