package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// A person walks through the views by links, keys, back and forward: the address,
// the title and the focus go along.
func TestNavigation(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url+"?year=2021&state=TX", view{})
	b.ready()
	b.until("document.title === 'TX · 2021 · eGRID power plants'")
	b.script("document.querySelector('[data-view=plants]').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("location.search === '?view=plants&year=2021' && document.querySelector('#nav [aria-current]').dataset.view === 'plants'")
	b.until(rows(3))
	b.ready()
	b.until("document.activeElement.id === 'plants-title' && document.querySelector('#say').textContent === 'Plants'")
	b.click("#plants tbody tr:first-child .open")
	b.until("document.querySelector('#plant-title')?.innerText === 'Invented 00' && document.title.startsWith('Invented 00 · TX · 2021')")
	if current := eval[string](b, "document.querySelector('#nav [aria-current]').dataset.view"); current != "plants" {
		t.Errorf("the navigation marks %s; want the list that the plant is from", current)
	}
	b.ready()
	b.script("history.go(-2)")
	b.until("document.querySelector('#filter-state')?.value === 'TX' && document.querySelector('#top tbody tr')")
	b.script("history.forward()")
	b.until(rows(3))
	b.ready()

	// Reload and share: the address is all there is.
	b = w.open(t, eval[string](b, "location.href"), view{})
	b.until(rows(3))
	b.ready()

	// Skip the navigation.
	b.script("document.querySelector('.skip').focus()")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until("document.activeElement.id === 'main'")
}

// A link with a key held is the browser's.
func TestLinksAreLinks(t *testing.T) {
	w := start(t)
	b := w.open(t, sample(t).url, view{})
	b.ready()
	left := eval[bool](b, `(() => {
		let left = null;
		addEventListener('click', (event) => { left = !event.defaultPrevented; event.preventDefault(); }, {once: true});
		document.querySelector('[data-view=plants]').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, ctrlKey: true}));
		return left;
	})()`)
	if !left || eval[string](b, "location.search") != "" {
		t.Error("a click with the control key held is followed in the same tab")
	}
	for _, href := range eval[[]string](b, "[...document.querySelectorAll('#nav a, #top .name a, #all-plants')].map((e) => e.getAttribute('href'))") {
		if !strings.HasPrefix(href, "./") {
			t.Errorf("a link leads to %s; want an address relative to the page", href)
		}
	}
}

// A view that there is not, and one whose modules do not come.
func TestMissingView(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=nobody", view{})
	b.until("document.querySelector('#view').innerText.includes('no view “nobody”')")
	b.click("#view a")
	b.until("document.querySelector('#top tbody tr')")
	b.ready()

	// The server that has the page may be gone when a view is opened first.
	page := dashboard.New(&dashboard.Options{API: p.url})
	broken := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken && strings.HasSuffix(r.URL.Path, "/views/regions.js") {
			http.Error(w, "gone", http.StatusBadGateway)
			return
		}
		page.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	b = w.open(t, server.URL+"/", view{failing: true})
	b.script("document.querySelector('[data-view=regions]').click()")
	b.until("document.querySelector('#view .problem').innerText.includes('The view Regions cannot be loaded')")
	b.shootView("view-missing")
	b.forgive("cannot be loaded", "Failed to fetch dynamically imported module", "CORS", "Access to fetch", "access control")
}

// A page that finds no API says so in each part, and recovers.
func TestAPIDown(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: -1})
	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	p.down.Store(true)
	b := w.open(t, p.url, view{failing: true})
	b.until("['summary', 'top', 'filters-part', 'loaded-part'].every((id) => document.getElementById(id).dataset.state === 'error')")
	p.down.Store(false)
	b.click("#summary .retry")
	b.until("document.querySelectorAll('#summary .tile dd').length === 5")
	if state := eval[string](b, "document.getElementById('top').dataset.state"); state != "error" {
		t.Errorf("the largest plants are %s; want each part to be retried alone", state)
	}

	p.down.Store(true)
	b = w.open(t, p.url+"?view=plants", view{failing: true})
	b.until("['plants-part', 'filters-part'].every((id) => document.getElementById(id).dataset.state === 'error')")
	if text := b.text("#plants"); !strings.Contains(text, "The API cannot be reached") || !strings.Contains(text, "egrid serve") {
		t.Errorf("the table says %q", text)
	}
	b.shoot("down")
	p.down.Store(false)
	b.click("#plants .retry")
	b.until(rows(25))
	b.click("#filters-part .retry")
	b.until("document.querySelector('#filters-part').dataset.state === 'ready'")

	// A proxy's page is no answer.
	b.ready()
	p.page.Store(true)
	b.choose("#filter-state", "TX")
	b.until("document.querySelector('#plants').innerText.includes('something that is not eGRID data')")
	p.page.Store(false)
	b.click("#plants .retry")
	b.until(rows(20))
	b.click("#clear")
	b.until(rows(25))

	// Load more fails and recovers, too.
	p.down.Store(true)
	b.click("#more")
	b.until("document.querySelector('.more .retry')")
	if n := eval[int](b, "document.querySelectorAll('#plants tbody tr').length"); n != 25 {
		t.Errorf("%d rows after a failure; want the 25 there were", n)
	}
	p.down.Store(false)
	b.click(".more .retry")
	b.until(rows(50))

	// What the API refuses has the id under which it was logged.
	b = w.open(t, p.url+"?view=plants&columns=nonsense", view{failing: true})
	b.until("document.querySelector('#plants .problem code')")
	if id := b.text("#plants .problem code"); len(id) < 10 {
		t.Errorf("the request has the id %q", id)
	}
}

// The page heals by itself once the API is back.
func TestHeals(t *testing.T) {
	w := start(t)
	p := sample(t)
	p.down.Store(true)
	b := w.open(t, p.url, view{failing: true})
	b.until("document.querySelector('#link').innerText.includes('trying again')")
	p.down.Store(false)
	b.until("document.querySelectorAll('#top tbody tr').length === 10 && document.querySelectorAll('#summary .tile dd').length === 5")
	b.until("document.querySelector('#link').innerText === 'Live'")
	b.until("!document.querySelector('[data-state=loading]')") // modules of the map are loaded late
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
	b.until("document.getElementById('nothing').hidden && document.querySelectorAll('#top tbody tr').length === 10")
	b.until("[...document.querySelector('#filter-year').options].some((o) => o.value === '2023')")
	b.until("document.querySelector('#loaded').innerText.includes('Revision 1')")

	// What was loaded in addition stays, and so does the choice.
	b.click("[data-view=plants]")
	b.until(rows(25))
	b.click("#more")
	b.until(rows(50))
	b.ready()
	p.publish(t, "GEN23.csv", strings.NewReader(strings.Replace(generators23(), "Largest of all,9100,1,NUC,1200.5,9000000.25", "Largest of all,9100,1,NUC,1200.5,1", 1)))
	b.until("document.querySelector('#plants tbody tr .generation').innerText === '1,234,568'")
	if n := eval[int](b, "document.querySelectorAll('#plants tbody tr').length"); n != 50 {
		t.Errorf("%d rows after a publish; want 50 as before", n)
	}

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
	b.click("#all-plants")
	b.until(rows(25))
	b.click("#more")
	b.until(rows(50))
	if at := eval[string](b, "location.pathname"); at != "/deep/egrid/" {
		t.Errorf("the page is at %s", at)
	}
}

// A page that nobody sees asks nothing, and looks at once when it is seen.
func TestPausesWhenHidden(t *testing.T) {
	w := start(t)
	p := serve(t, "", &dashboard.Options{Refresh: time.Hour})
	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	b := w.open(t, p.url, view{})
	b.ready()
	b.until("document.querySelector('#link').innerText === 'Live'")
	before := p.asked(200) + p.asked(304)
	b.script("Object.defineProperty(document, 'hidden', {value: true, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))")
	p.publish(t, "PLNT21.csv", strings.NewReader(plants21))
	if after := p.asked(200) + p.asked(304); after != before {
		t.Errorf("%d looks by a page that nobody sees", after-before)
	}
	b.script("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
	b.until("document.querySelector('#loaded').innerText.includes('Revision 2')")
}

// A link with nonsense in it is explained in each part.
func TestNonsenseInLink(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url+"?view=plants", view{})
	b.ready()
	b.tolerateFailures()
	b.script("history.pushState(null, '', '?view=plants&year=abc&state=XXX&fuel_category=steam'); dispatchEvent(new PopStateEvent('popstate'))")
	b.until("document.getElementById('plants-part').dataset.state === 'error'")
	if text := b.text("#plants"); !strings.Contains(text, "two letters, as TX") || !strings.Contains(text, "one of") || !strings.Contains(text, "expected a data year") {
		t.Errorf("the table says %q", text)
	}
	b.shoot("nonsense")
	b.click("#plants .clear")
	b.until("location.search === '?view=plants' && " + rows(25))

	b = w.open(t, p.url+"?year=abc&state=XXX", view{failing: true})
	b.until("['summary', 'top'].every((id) => document.getElementById(id).dataset.state === 'error')")
	b.click("#summary .clear")
	b.until("location.search === '' && document.querySelectorAll('#summary .tile dd').length === 5")
}

// Only what a view needs is loaded, and nothing from elsewhere.
func TestLoadsLittle(t *testing.T) {
	w := start(t)
	p := sample(t)
	b := w.open(t, p.url, view{})
	b.ready()
	scripts := func() []string {
		return eval[[]string](b, "performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname).filter((e) => e.endsWith('.js'))")
	}
	if loaded := scripts(); slices.ContainsFunc(loaded, func(s string) bool {
		return strings.Contains(s, "/views/plant") || strings.Contains(s, "/views/regions.js")
	}) {
		t.Errorf("the overview loads other views: %q", loaded)
	}
	b.click("[data-view=plants]")
	b.until(rows(25))
	if loaded := scripts(); !slices.ContainsFunc(loaded, func(s string) bool { return strings.HasSuffix(s, "/views/plants.js") }) {
		t.Errorf("the view was not loaded when it was opened: %q", loaded)
	}
	hosts := eval[[]string](b, "[...new Set(performance.getEntriesByType('resource').map((e) => new URL(e.name).origin))]")
	if len(hosts) != 1 || !strings.HasPrefix(p.url, hosts[0]) {
		t.Errorf("the page asked %q", hosts)
	}
}
