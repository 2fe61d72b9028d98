package e2e_test

import (
	"slices"
	"strings"
	"testing"
)

// The API is read and tried on a page of our own, which asks nobody else.
func TestSwaggerUI(t *testing.T) {
	w := start(t)
	p := serve(t, "/egrid", nil)
	p.publish(t, "GEN23.csv", strings.NewReader(generators23()))
	b := w.open(t, p.url+"api", view{width: 1280, height: 1400})
	b.until("document.querySelectorAll('.opblock').length >= 15")
	if title := b.text(".info .title"); !strings.HasPrefix(title, "eGRID API") {
		t.Errorf("the title is %q", title)
	}
	tags := b.texts(".opblock-tag-section > h3 > a")
	if want := []string{"plants", "factors", "levels", "dictionary", "store", "runs", "health"}; !slices.Equal(tags, want) {
		t.Errorf("the tags are %q; want %q", tags, want)
	}
	b.shootView("swagger-list")

	b.click("#operations-plants-top-plants button.opblock-summary-control")
	b.until("document.querySelector('#operations-plants-top-plants .execute')")
	b.until("document.querySelector('#operations-plants-top-plants .responses-wrapper')")
	b.shoot("swagger-operation")
	b.click("#operations-plants-top-plants .execute")
	b.until("document.querySelector('#operations-plants-top-plants .live-responses-table .response-col_status')")
	if status := b.text("#operations-plants-top-plants .live-responses-table tbody .response-col_status"); !strings.HasPrefix(status, "200") {
		t.Errorf("trying the example answers %q", status)
	}
	if asked := b.text("#operations-plants-top-plants .request-url"); !strings.Contains(asked, p.url+"plants/top?") {
		t.Errorf("asked %q", asked)
	}
	if got := eval[string](b, "JSON.parse(document.querySelector('#operations-plants-top-plants .live-responses-table .highlight-code code').innerText).data[0].plant_name"); got != "Invented 58" {
		t.Errorf("the answer begins with %q", got)
	}
	b.shoot("swagger-tried")

	hosts := eval[[]string](b, "[...new Set(performance.getEntriesByType('resource').map((e) => new URL(e.name).origin))]")
	if len(hosts) != 1 || !strings.HasPrefix(p.url, hosts[0]) {
		t.Errorf("the page asked %q", hosts)
	}

	b = w.open(t, p.url+"api/", view{})
	b.until("document.querySelectorAll('.opblock').length >= 15")
	if at := eval[string](b, "location.pathname"); at != "/egrid/api" {
		t.Errorf("/api/ led to %s", at)
	}
}
