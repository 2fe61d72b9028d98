package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/egrid-analytics/egrid-go/egrid/shapes"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// generated is a platform with the bundled sample: plants with places, states and
// subregions.
func generated(t *testing.T, o *dashboard.Options) *platform {
	t.Helper()
	p := serve(t, "/egrid", o)
	for _, name := range []string{"PLNT23.csv", "ST23.csv", "SRL23.csv"} {
		f, err := data.Files().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		p.publish(t, name, f)
		f.Close()
	}
	return p
}

// rows asks the API itself.
func (p *platform) rows(t *testing.T, path string, query url.Values) []map[string]any {
	t.Helper()
	r, err := http.Get(p.url + path + "?" + query.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v, status %d: %s", path, err, r.StatusCode, body)
	}
	var answer struct{ Data []map[string]any }
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data
}

// drawn waits for the map.
func (b *tab) drawn() {
	b.t.Helper()
	b.until("document.querySelector('#map-part')?.dataset.state === 'ready' && !document.querySelector('[data-state=loading]')")
}

// grouped writes a number as the page does, in full.
func (b *tab) grouped(value any) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("new Intl.NumberFormat('en-US', {maximumFractionDigits: 20, signDisplay: 'negative'}).format(%v)", value))
}

// painted counts the pixels of the canvas that are drawn on.
const painted = `(() => {
	const canvas = document.querySelector('.map-dots');
	const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
	let n = 0;
	for (let i = 3; i < data.length; i += 4) if (data[i] > 0) n++;
	return n;
})()`

// Plants are dots; each is reached by the keyboard and says what the API says.
func TestMapOfPlants(t *testing.T) {
	p, w := generated(t, &dashboard.Options{}), start(t)
	b := w.open(t, p.url+"?view=map", view{width: 1280, height: 900})
	b.drawn()
	all := p.rows(t, "plants/search", url.Values{"limit": {"1000"}, "columns": {"plant_name,state,latitude,longitude,net_generation_mwh,fuel_category"}})
	placed := 0
	for _, row := range all {
		if row["latitude"] != nil && row["longitude"] != nil {
			placed++
		}
	}
	told := b.text(".map-told")
	if want := fmt.Sprintf("%d plants of 2023 drawn, of %d plants that are chosen, from the plant sheet (release unmarked)", placed, len(all)); !strings.Contains(told, want) {
		t.Errorf("the map says %q; want %q", told, want)
	}
	if lost := len(all) - placed; lost > 0 && !strings.Contains(told, fmt.Sprintf("%d are without coordinates", lost)) {
		t.Errorf("the map says %q; want that %d are without coordinates", told, lost)
	}
	if n := eval[int](b, painted); n < 500 {
		t.Errorf("%d pixels are painted", n)
	}
	if n := eval[int](b, "Number(document.querySelector('.map-cursor').getAttribute('aria-valuemax'))"); n != placed {
		t.Errorf("%d plants can be reached; want %d", n, placed)
	}

	// The largest plant is the first that the keys reach.
	byGeneration := func(a, c map[string]any) int {
		x, y := math.Inf(-1), math.Inf(-1)
		if v, ok := a["net_generation_mwh"].(float64); ok {
			x = v
		}
		if v, ok := c["net_generation_mwh"].(float64); ok {
			y = v
		}
		return -int(math.Copysign(1, x-y))
	}
	all = slices.DeleteFunc(all, func(row map[string]any) bool { return row["latitude"] == nil })
	slices.SortStableFunc(all, byGeneration)
	b.script("document.querySelector('.map-cursor').focus()")
	first := eval[string](b, "document.activeElement.getAttribute('aria-valuetext')")
	if want := fmt.Sprintf("%s, %s: ", all[0]["plant_name"], all[0]["state"]); !strings.HasPrefix(first, want) || !strings.Contains(first, b.grouped(math.Round(all[0]["net_generation_mwh"].(float64)))+" MWh") {
		t.Errorf("the first plant says %q; want %q with %v MWh", first, want, all[0]["net_generation_mwh"])
	}
	if tip := b.text(".map .tip"); tip != first {
		t.Errorf("the note shows %q; want what is spoken, %q", tip, first)
	}
	before := eval[string](b, "document.querySelector('.map-cursor').getAttribute('transform')")
	b.do(chromedp.KeyEvent(kb.ArrowLeft))
	b.until(fmt.Sprintf("document.activeElement.getAttribute('aria-valuetext') !== %q", first))
	if after := eval[string](b, "document.querySelector('.map-cursor').getAttribute('transform')"); after == before {
		t.Error("an arrow key moved to another plant, but the ring stayed")
	}

	// Zooming is kept in the address, and told apart from what is asked.
	b.do(chromedp.KeyEvent("+"))
	b.until("new URLSearchParams(location.search).get('at')?.startsWith('1.6,')")
	b.do(chromedp.KeyEvent("0"))
	b.until("!new URLSearchParams(location.search).has('at')")
	// Two fingers that part zoom the map, one then moves it, and neither opens a plant.
	b.script(`
		const surface = document.querySelector('.map-surface');
		const at = surface.getBoundingClientRect();
		const touch = (type, pointerId, x, y) => surface.dispatchEvent(new PointerEvent(type, {bubbles: true, cancelable: true, pointerType: 'touch', pointerId, clientX: at.left + x, clientY: at.top + y}));
		touch('pointerdown', 1, 400, 300);
		touch('pointerdown', 2, 500, 300);
		touch('pointermove', 2, 700, 300);
		touch('pointerup', 2, 700, 300);
		touch('pointerup', 1, 400, 300);
		surface.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, detail: 1}));
	`)
	b.until("new URLSearchParams(location.search).get('at')?.startsWith('3,')")
	b.script("document.querySelector('.map-surface').dispatchEvent(new WheelEvent('wheel', {bubbles: true, cancelable: true, ctrlKey: true, deltaY: 2000}))")
	b.until("!new URLSearchParams(location.search).has('at')")
	if stays := eval[bool](b, "document.querySelector('.map-surface').dispatchEvent(new WheelEvent('wheel', {bubbles: true, cancelable: true, deltaY: 200}))"); !stays {
		t.Error("the wheel alone does not scroll the page")
	}
	b.script("document.querySelector('.map-cursor').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("new URLSearchParams(location.search).get('view') === 'plant' && new URLSearchParams(location.search).get('plant')")
	b.script("history.back()")
	b.drawn()

	b.choose("#map-colour", "subregion")
	b.until("new URLSearchParams(location.search).get('colour') === 'subregion' && document.querySelector('.map-keys li')?.textContent === 'AKGD'")
	b.choose("#map-colour", "co2_rate")
	b.until("document.querySelector('.map-keys p')?.textContent.startsWith('CO2 rate, lb/MWh')")
	b.choose("#filter-state", "TX")
	b.until("document.querySelector('.map-told p')?.textContent.startsWith('" + fmt.Sprint(len(p.rows(t, "plants/search", url.Values{"limit": {"1000"}, "state": {"TX"}, "filter": {"latitude present"}}))) + " plant')")

	// The table behind has the figures of the API.
	b.script("document.querySelector('#map-part details.values').open = true")
	b.until("document.querySelectorAll('#map-part details.values tbody tr').length > 0")
	row := eval[[]string](b, "[...document.querySelector('#map-part details.values tbody tr').children].map((e) => e.title || e.textContent)")
	largest := p.rows(t, "plants/search", url.Values{"limit": {"1"}, "state": {"TX"}, "sort": {"-net_generation_mwh"}, "filter": {"latitude present"}})[0]
	if want := []string{largest["plant_name"].(string) + ", TX", b.grouped(largest["net_generation_mwh"]) + " MWh"}; !slices.Equal(row[:2], want) {
		t.Errorf("the table begins %q; want %q", row[:2], want)
	}
}

// What areas say is what the API says, in every layer.
func TestMapOfRegions(t *testing.T) {
	p, w := generated(t, &dashboard.Options{}), start(t)
	b := w.open(t, p.url+"?view=map&layer=states", view{width: 1280, height: 900})
	for layer, level := range map[string]string{"states": "ST", "subregions": "SRL", "tiles": "SRL"} {
		code := map[string]string{"ST": "state", "SRL": "subregion"}[level]
		for measure, unit := range map[string]string{"co2_output_rate_lb_per_mwh": "lb/MWh", "net_generation_mwh": "MWh", "co2_short_tons": "short tons"} {
			b.script(fmt.Sprintf("history.pushState(null, '', '?view=map&layer=%s&measure=%s'); dispatchEvent(new PopStateEvent('popstate'))", layer, measure))
			b.until(fmt.Sprintf("document.querySelector('#map-layer').value === %q && document.querySelector('#map-measure').value === %q", layer, measure))
			b.drawn()
			for _, row := range p.rows(t, "levels/"+level+"/rows", url.Values{"limit": {"1000"}}) {
				says := eval[string](b, fmt.Sprintf("document.querySelector('.area[data-code=%q]')?.getAttribute('aria-label') ?? ''", row[code]))
				want := "missing"
				if row[measure] != nil {
					want = b.grouped(row[measure]) + " " + unit
				}
				if !strings.HasSuffix(says, ": "+want) || !strings.Contains(says, row[code].(string)) {
					t.Errorf("%s, %s: %v says %q; want %q", layer, measure, row[code], says, want)
				}
			}
		}
	}

	// The keys go from an area to its neighbour, and open it.
	b.script("history.pushState(null, '', '?view=map&layer=states'); dispatchEvent(new PopStateEvent('popstate'))")
	b.until("document.querySelector('.area[data-code=KS]')")
	b.drawn()
	b.script("document.querySelector('.area[data-code=KS]').focus()")
	for _, step := range []struct{ key, code string }{{kb.ArrowUp, "NE"}, {kb.ArrowDown, "KS"}, {kb.ArrowRight, "MO"}, {kb.ArrowLeft, "KS"}, {kb.ArrowLeft, "CO"}} {
		b.do(chromedp.KeyEvent(step.key))
		if got := eval[string](b, "document.activeElement.dataset.code"); got != step.code {
			t.Fatalf("an arrow key led to %s; want %s", got, step.code)
		}
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("location.search.includes('view=regions') && location.search.includes('level=ST') && location.search.includes('code=CO')")
	b.script("history.back()")
	b.drawn()

	// A finger first shows the value, with a link; then the link opens it.
	b.script(`
		const area = document.querySelector('.area[data-code=TX]');
		for (const type of ['pointerdown', 'pointerup', 'click']) area.dispatchEvent(new PointerEvent(type, {bubbles: true, cancelable: true, pointerType: 'touch', pointerId: 5, clientX: 600, clientY: 500}));
	`)
	if says, tip := eval[string](b, "document.querySelector('.area[data-code=TX]').getAttribute('aria-label')"), b.text(".map .tip"); !strings.HasPrefix(tip, says) || !strings.HasSuffix(tip, "Open") {
		t.Errorf("after a tap the note says %q; want %q and a link", tip, says)
	}
	b.script("document.querySelector('.map .tip a').click()")
	b.until("location.search.includes('code=TX')")

	// From the view of factors, a place is chosen on the map.
	b.script("history.pushState(null, '', '?view=factors'); dispatchEvent(new PopStateEvent('popstate'))")
	b.click("a[href*='opens=factors']")
	b.until("document.querySelector('.area[data-code=ERCT]')")
	b.drawn()
	b.script("document.querySelector('.area[data-code=ERCT]').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("location.search.includes('view=factors') && location.search.includes('subregion=ERCT')")
}

// Without coordinates, states are shown, and the reason is said.
func TestMapWithoutPlaces(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?view=map", view{})
	b.drawn()
	if note := b.text("#map-part .note"); !strings.Contains(note, "None of the 64 plants of 2023 has coordinates: the generator sheet (release unmarked) has none, and no plant sheet of 2023 is loaded") {
		t.Errorf("the note says %q", note)
	}
	if n := eval[int](b, "document.querySelectorAll('.area').length"); n == 0 {
		t.Error("no state is drawn")
	}
	if says := eval[string](b, "document.querySelector('.area[data-code=OK]').getAttribute('aria-label')"); says != "Oklahoma (OK): 10,232,123.875 MWh" {
		t.Errorf("Oklahoma says %q", says)
	}
}

// Boundaries of the operator are drawn as they are.
func TestMapOfShapes(t *testing.T) {
	set, err := shapes.Read(strings.NewReader(`{"type":"FeatureCollection","name":"Two squares","features":[
		{"type":"Feature","properties":{"subregion":"CAMX"},"geometry":{"type":"Polygon","coordinates":[[[-120,35],[-118,35],[-118,37],[-120,37],[-120,35]]]}},
		{"type":"Feature","properties":{"subregion":"AKGD"},"geometry":{"type":"Polygon","coordinates":[[[-150,61],[-148,61],[-148,63],[-150,63],[-150,61]]]}}]}`), &shapes.Options{Name: "Two squares"})
	if err != nil {
		t.Fatal(err)
	}
	p, w := generated(t, &dashboard.Options{Shapes: set.AppendGeoJSON(nil, 4)}), start(t)
	b := w.open(t, p.url+"?view=map&layer=subregions", view{})
	b.drawn()
	if got := b.texts(".area"); len(got) != 2 {
		t.Errorf("%d areas are drawn; want 2", len(got))
	}
	if note := b.text("#map-part .note"); note != "Boundaries: Two squares." {
		t.Errorf("the note says %q", note)
	}
	if told := b.text(".map-told"); !strings.Contains(told, "without land on the map") {
		t.Errorf("the map says %q; want those without a boundary", told)
	}
}

// A chart is saved as it is seen: as SVG without anything of the page, as PNG and
// as CSV with all digits.
func TestChartFiles(t *testing.T) {
	p, w := generated(t, &dashboard.Options{}), start(t)
	b := w.open(t, p.url+"?view=map&layer=states&measure=net_generation_mwh", view{width: 1280, height: 900, dark: true})
	b.drawn()
	b.until("document.querySelector('.map-charts svg .datum')")
	b.script(`
		window.saved = [];
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { window.saved.push(blob); return make.call(URL, blob); };
		HTMLAnchorElement.prototype.click = function () { window.named = [...(window.named ?? []), this.download]; };
	`)
	for i := range 3 {
		b.click(fmt.Sprintf(".map-charts .save button:nth-child(%d)", i+1))
		b.until(fmt.Sprintf("window.saved.length === %d", i+1))
	}
	if got, want := eval[[]string](b, "window.named"), []string{"net_generation_mwh-st-2023.svg", "net_generation_mwh-st-2023.png", "net_generation_mwh-st-2023.csv"}; !slices.Equal(got, want) {
		t.Errorf("the files are called %q; want %q", got, want)
	}
	await := func(expression string) string {
		return run(b, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	}
	svg := await("window.saved[0].text()")
	for _, part := range []string{"<title>Net generation by state, 2023</title>", "Source: state sheet (release unmarked)", `xmlns="http://www.w3.org/2000/svg"`, `fill="rgb(255, 255, 255)"`, "Net generation, TWh"} {
		if !strings.Contains(svg, part) {
			t.Errorf("the SVG lacks %s", part)
		}
	}
	for _, part := range []string{"class=", "style=", "var(", "href=", "<script", "tabindex", "<foreignObject"} {
		if strings.Contains(svg, part) {
			t.Errorf("the SVG has %s", part)
		}
	}
	if size := await("createImageBitmap(window.saved[1]).then((image) => `${image.width} ${image.height > 500}`)"); size != "1920 true" {
		t.Errorf("the PNG is %s", size)
	}
	// The map itself is saved likewise, with its legend.
	b.click(".map-told button[aria-label^='Download SVG']")
	b.until("window.saved.length === 4")
	picture := await("window.saved[3].text()")
	for _, part := range []string{"<title>Net generation by state, 2023</title>", "classes of about as many states", ">TX</text>", "Source: state sheet (release unmarked)"} {
		if !strings.Contains(picture, part) {
			t.Errorf("the picture of the map lacks %s", part)
		}
	}
	for _, part := range []string{"class=", "style=", "var(", "href=", "tabindex"} {
		if strings.Contains(picture, part) {
			t.Errorf("the picture of the map has %s", part)
		}
	}
	if paths := strings.Count(picture, "<path"); paths < 100 {
		t.Errorf("the picture of the map has %d paths", paths)
	}
	b.click(".map-told button[aria-label^='Download PNG']")
	b.until("window.saved.length === 5")
	if size := await("createImageBitmap(window.saved[4]).then((image) => `${image.width} ${image.height > 1200}`)"); size != "1920 true" {
		t.Errorf("the PNG of the map is %s", size)
	}
	csv := await("window.saved[2].text()")
	rows := p.rows(t, "levels/ST/rows", url.Values{"limit": {"1000"}})
	if n := strings.Count(csv, "\r\n"); n != len(rows)+1 {
		t.Errorf("the CSV has %d lines; want %d", n, len(rows)+1)
	}
	for _, row := range rows {
		number := eval[string](b, fmt.Sprintf("String(%v)", row["net_generation_mwh"]))
		if want := fmt.Sprintf("\r\n%s,", row["state"]); !strings.Contains(csv, want) || !strings.Contains(csv, ","+number+",state sheet (release unmarked)\r\n") {
			t.Errorf("the CSV lacks %v with %s", row["state"], number)
		}
	}

	// Every mark is reached by the arrow keys, and says what it is.
	b.script("document.querySelector('.map-charts .datum[tabindex=\"0\"]').focus()")
	seen := map[string]bool{}
	for range 40 {
		seen[eval[string](b, "document.activeElement.getAttribute('aria-label')")] = true
		b.do(chromedp.KeyEvent(kb.ArrowDown))
	}
	if n := eval[int](b, "document.querySelectorAll('.map-charts .datum').length"); len(seen) != n || n < 20 {
		t.Errorf("%d of %d marks were reached", len(seen), n)
	}
	for says := range seen {
		if !strings.HasSuffix(says, " MWh") {
			t.Errorf("a mark says %q", says)
		}
	}
}

// Real plants: all of eGRID2018, in each look of the page.
func TestMapOfRealPlants(t *testing.T) {
	p := serve(t, "/egrid", &dashboard.Options{})
	for _, name := range []string{"2018/v2_PLNT-assembled.csv", "2018/v2_state.csv", "2018/v2_subregion.csv"} {
		p.publish(t, name, testenv.Open(t, name))
	}
	w := start(t)
	for name, v := range map[string]view{"map-desktop-light": {width: 1280, height: 900}, "map-wide-dark": {width: 1920, height: 1080, dark: true}, "map-mobile-light": {width: 390, height: 844}, "map-mobile-dark": {width: 390, height: 844, dark: true}} {
		t.Run(name, func(t *testing.T) {
			b := w.open(t, p.url+"?view=map", v)
			b.drawn()
			if told := b.text(".map-told"); !strings.Contains(told, "10,936 plants of 2018 drawn, of 10,964 plants") || !strings.Contains(told, "28 are without coordinates") {
				t.Errorf("the map says %q", told)
			}
			b.checkWidth()
			b.shoot(name)
			for _, layer := range []string{"states", "subregions", "tiles"} {
				b.choose("#map-layer", layer)
				b.until(fmt.Sprintf("location.search.includes('layer=%s')", layer))
				b.drawn()
				if n := eval[int](b, "document.querySelectorAll('.area').length"); n != map[string]int{"states": 51, "subregions": 26, "tiles": 26}[layer] {
					t.Errorf("%s: %d areas", layer, n)
				}
				b.checkWidth()
				b.shoot(name + "-" + layer)
			}
			w.close()
		})
	}
}

// What is wrong is told where the map is, and the map comes back.
func TestMapErrors(t *testing.T) {
	p, w := generated(t, &dashboard.Options{}), start(t)
	b := w.open(t, p.url+"?view=map&layer=toString&colour=constructor&at=x,1", view{width: 320, height: 700})
	b.drawn()
	b.checkWidth()
	if layer, colour := eval[string](b, "document.querySelector('#map-layer').value"), eval[string](b, "document.querySelector('#map-colour').value"); layer != "plants" || colour != "fuel_category" {
		t.Errorf("an unknown layer shows %s by %s", layer, colour)
	}
	b.tolerateFailures()
	p.down.Store(true)
	b.choose("#map-layer", "tiles")
	b.until("document.querySelector('#map-part').dataset.state === 'error' && document.querySelector('#map-part .retry')")
	p.down.Store(false)
	b.click("#map-part .retry")
	b.drawn()
	if n := eval[int](b, "document.querySelectorAll('.area').length"); n != 27 {
		t.Errorf("after the error %d tiles are drawn; want 27", n)
	}
	b.script("history.pushState(null, '', '?view=map&layer=states&measure=no_such_column'); dispatchEvent(new PopStateEvent('popstate'))")
	b.until("document.querySelector('#map-part').dataset.state === 'error' && document.querySelector('#map-part .clear')")
	b.click("#map-part .clear")
	b.until("!location.search.includes('measure')")
	b.drawn()
	if n := eval[int](b, "document.querySelectorAll('.area').length"); n < 50 {
		t.Errorf("after the filters were cleared %d states are drawn", n)
	}
}
