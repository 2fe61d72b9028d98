package e2e_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/auth"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
)

const (
	writerKey = "the-key-of-who-may-write-0123456789abcdef"
	readerKey = "the-key-of-who-may-read-00123456789abcdef"
)

// source is what runs load, which tests change, and a gate that they pass.
type source struct {
	mu    sync.Mutex
	files fstest.MapFS
	gate  chan struct{}
}

func (s *source) provide(files fstest.MapFS, gate chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files, s.gate = files, gate
}

// deciding are the options of an API that makes runs and takes decisions.
func deciding(t *testing.T, from *source) func(driver.Store) httpapi.Options {
	return func(store driver.Store) httpapi.Options {
		keys, err := auth.New(&auth.Options{APIKeys: []auth.APIKey{
			{Name: "writer", Scopes: []middleware.Scope{middleware.ScopeWrite}, SHA256: sha256.Sum256([]byte(writerKey))},
			{Name: "reader", Scopes: []middleware.Scope{middleware.ScopeRead}, SHA256: sha256.Sum256([]byte(readerKey))},
		}})
		if err != nil {
			t.Fatal(err)
		}
		runs := etl.NewRuns(store, &etl.RunsOptions{Load: func(ctx context.Context, o etl.Options) (etl.Report, error) {
			from.mu.Lock()
			files, gate := from.files, from.gate
			from.mu.Unlock()
			if gate != nil {
				<-gate
			}
			return etl.New(etl.FS(files), etl.ToLoader(store), &o).Run(ctx)
		}})
		t.Cleanup(func() { _ = runs.Close() })
		return httpapi.Options{Runs: runs, History: store.History, Failures: store.FailureLog, Authenticate: keys.Authenticate}
	}
}

// changedGenerators is a sheet that contradicts what is published, and has a record
// that cannot be read.
const changedGenerators = `YEAR,PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,GENNTAN
2021,TX,Alpha,1,1,100,400.5
2021,TX,Bravo,2,1,200,900
2021,TX,Charlie,3,1,20,many
`

const firstGenerators = `YEAR,PSTATABB,PNAME,ORISPL,GENID,NAMEPCAP,GENNTAN
2021,TX,Alpha,1,1,100,400
2021,TX,Bravo,2,1,200,900
`

// What is published, certified and different is as the API has it.
func TestChanges(t *testing.T) {
	w := start(t)
	p := editions(t, plain)
	b := w.open(t, p.url+"?view=changes", view{})
	b.ready()
	list := b.texts(".edition summary")
	if len(list) != 3 || !strings.HasPrefix(list[0], "eGRID2023, release unmarked") || !strings.Contains(list[0], "GWP AR5") || !strings.HasPrefix(list[1], "eGRID2022, release v2") {
		t.Errorf("the editions are %q", list)
	}
	b.click(".edition[data-edition='2023-none'] summary")
	for _, s := range at(t, p.ask(t, "snapshots"), "data").([]any) {
		if at(t, s, "year") != 2023.0 {
			continue
		}
		row := b.text(fmt.Sprintf("tr[data-snapshot=%q]", at(t, s, "id")))
		for _, want := range []string{at(t, s, "sources", 0, "object").(string), at(t, s, "authority").(string)} {
			if !strings.Contains(row, want) {
				t.Errorf("%s lacks %s", row, want)
			}
		}
		if rows := b.figures(fmt.Sprintf("tr[data-snapshot=%q] td:nth-child(2)", at(t, s, "id"))); mustNumber(t, rows[0].Text) != at(t, s, "rows") {
			t.Errorf("%s: %v rows", row, at(t, s, "rows"))
		}
	}

	// The certificate of the newest edition, and of another one.
	certificate := at(t, p.ask(t, "reconciliation/2023"), "data")
	said := b.texts("#certified b")
	if len(said) != 3 || mustNumber(t, said[1]) != at(t, certificate, "matched") || mustNumber(t, said[2]) != at(t, certificate, "checked") {
		t.Errorf("certified: %q", said)
	}
	for i, check := range at(t, certificate, "checks").([]any) {
		cells := b.texts(fmt.Sprintf("#certificate [aria-label=Comparisons] tbody tr:nth-child(%d) td.number", i+1))
		if mustNumber(t, cells[0]) != at(t, check, "checked") || mustNumber(t, cells[1]) != at(t, check, "matched") {
			t.Errorf("check %v is %q", check, cells)
		}
	}
	b.choose("#certificate-edition", "2022-v1")
	b.until("location.search.includes('year=2022&release=v1') && document.querySelector('#certified b').innerText === 'eGRID2022, release v1'")
	b.ready()
	if hash := eval[string](b, "document.querySelector('#certificate .sum256').title"); hash != at(t, p.ask(t, "reconciliation/2022?release=v1"), "data", "hash") {
		t.Errorf("the hash is %s", hash)
	}

	// What changed from v1 to v2, and from year to year.
	factors := p.ask(t, "diff/factors?from=2022-v1&to=2022-v2&limit=50")
	for i, f := range at(t, factors, "data").([]any) {
		cells := b.figures(fmt.Sprintf("#diff-factors [aria-label='Factors that moved'] tbody tr:nth-child(%d) td:is(:nth-child(3), :nth-child(4))", i+1))
		from, to := "from", "to"
		if at(t, f, "change") == "published" {
			from, to = "published_from", "published_to"
		}
		for j, name := range []string{from, to} {
			if err := cells[j].check(at(t, f, name)); err != nil && at(t, f, name) != nil {
				t.Errorf("%v: %s: %v", at(t, f, "statement"), name, err)
			}
		}
	}
	statements := b.texts("#diff-factors .statements li")
	if len(statements) != 5 || statements[0] != at(t, factors, "data", 0, "statement") {
		t.Errorf("the statements are %q", statements)
	}
	moved := at(t, p.ask(t, "diff/plants?from=2022-v1&to=2022-v2&limit=25"), "data").([]any)
	if len(moved) == 0 {
		t.Error("no plant moved in the sample")
	}
	for i, c := range moved {
		row := b.texts(fmt.Sprintf("#diff-plants tbody tr:nth-child(%d) > *", i+1))
		if !strings.Contains(row[0], at(t, c, "id").(string)) || at(t, c, "change") == "moved" && !strings.Contains(row[1], fmt.Sprintf("%v → %v", at(t, c, "from"), at(t, c, "to"))) {
			t.Errorf("plant %v is %q", c, row)
		}
		for j, name := range []string{"net_generation_mwh_from", "net_generation_mwh_to"} {
			if err := b.figures(fmt.Sprintf("#diff-plants tbody tr:nth-child(%d) td:nth-child(%d)", i+1, 3+j))[0].check(at(t, c, name)); err != nil {
				t.Errorf("plant %v, %s: %v", c, name, err)
			}
		}
	}
	b.choose("#diff-level", "ST")
	b.until("location.search.includes('level=ST') && document.querySelector('#diff-cells .note')?.innerText.startsWith('state sheet')")
	b.ready()
	cells := p.ask(t, "diff?level=ST&from=2022-v1&to=2022-v2&limit=50")
	for range 2 {
		for i, c := range at(t, cells, "data").([]any) {
			row := b.texts(fmt.Sprintf("#diff-cells tbody tr:nth-child(%d) :is(th, td)", i+1))
			if row[0] != at(t, c, "key") {
				t.Errorf("row %d is %q; want %v", i+1, row, c)
			}
			for j, name := range []string{"from", "to"} {
				if x, ok := at(t, c, name).(float64); ok && mustNumber(t, row[2+j]) != x {
					t.Errorf("row %d is %q; want %v", i+1, row, c)
				}
			}
		}
		b.click("#diff-cells .more button")
		b.until("document.querySelectorAll('#diff-cells tbody tr').length === 100")
		cells = p.ask(t, "diff?level=ST&from=2022-v1&to=2022-v2&limit=100")
	}
	b.choose("#diff-to", "2023-none")
	b.until("location.search.includes('to=2023-none') && document.querySelector('#diff-factors .cited')?.textContent.includes('eGRID2023')")
	b.ready()
	b.checkWidth()
	b.shoot("changes")
	b.script("history.back()")
	b.until("document.querySelector('#diff-to').value === '2022-v2'")
	b.ready()
	b.forgive("/egrid/runs", "/egrid/errors") // which this service does not have
}

func mustNumber(t *testing.T, text string) float64 {
	t.Helper()
	x, err := number(text)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Somebody with a token follows a load, looks at what it held, publishes it, and
// publishes again what there was before.
func TestDecide(t *testing.T) {
	w := start(t)
	from := &source{}
	p := serveAPI(t, "/egrid", nil, deciding(t, from))
	p.publish(t, "GEN21.csv", strings.NewReader(firstGenerators))
	first := at(t, p.ask(t, "snapshots"), "data", 0, "id").(string)
	b := w.open(t, p.url+"?view=changes", view{})
	b.ready()
	if text := b.text("#held"); !strings.Contains(text, "Nothing is held") || !eval[bool](b, "document.querySelector('#run-start').disabled") {
		t.Errorf("at first: %s", text)
	}

	// A token that may not is refused by the API; nothing of it is in the address.
	b.do(chromedp.SendKeys("#token", readerKey+kb.Enter))
	b.until("document.querySelector('#token-forget') && !document.querySelector('#run-start').disabled")
	b.ready()
	b.tolerateFailures()
	b.click("#run-start")
	b.until("document.querySelector('#decided .problem')?.innerText.includes('Scope write is needed')")
	b.click("#token-forget")
	b.do(chromedp.SendKeys("#token", "nonsense"+kb.Enter))
	b.until("document.querySelector('#token-forget')")
	b.ready()
	b.click("#run-start")
	b.until("document.querySelector('#decided .problem')?.innerText.includes('not signed in')")
	b.click("#token-forget")
	b.do(chromedp.SendKeys("#token", writerKey+kb.Enter))
	b.until("document.querySelector('#token-forget')")
	b.ready()
	if eval[bool](b, "location.href.includes('write') || JSON.stringify(localStorage).includes('write') || document.cookie.includes('write')") {
		t.Error("the token is kept where it does not belong")
	}

	// The run is followed until it ends.
	gate := make(chan struct{})
	from.provide(fstest.MapFS{"GEN21.csv": {Data: []byte(changedGenerators)}}, gate)
	b.click("#run-start")
	b.until("document.querySelector('#runs [data-status=running]')")
	close(gate)
	b.until("document.querySelector('#runs [data-status=held]') && document.querySelector('.held')")
	b.ready()
	run := at(t, p.ask(t, "runs"), "data", 0)
	held := b.text(".held")
	if reason := at(t, run, "loads", 0, "reason").(string); !strings.Contains(held, reason) || !strings.Contains(held, "GEN 2021 release unmarked") {
		t.Errorf("held is %q; want %q", held, reason)
	}
	rejected := b.text("#rejects")
	for _, want := range []string{"GEN21.csv", "net_generation_mwh", "many", at(t, run, "loads", 0, "rejected", 0, "reason").(string)} {
		if !strings.Contains(rejected, want) {
			t.Errorf("rejected lacks %q:\n%s", want, rejected)
		}
	}
	b.click(".held details summary")
	b.until("document.querySelector('.held tbody')")
	b.ready()
	changes := b.text(".held details")
	for _, c := range at(t, p.ask(t, "diff?level=GEN&from=published&to="+at(t, run, "loads", 0, "id").(string)), "data").([]any) {
		if !strings.Contains(changes, fmt.Sprint(at(t, c, "key"))) || !strings.Contains(changes, fmt.Sprint(at(t, c, "to"))) {
			t.Errorf("what it would change lacks %v:\n%s", c, changes)
		}
	}
	b.shoot("held")

	// The API is stopped and started meanwhile.
	p.down.Store(true)
	b.click(".held [data-do=publish]")
	b.until("document.querySelector('#decided .problem')?.innerText.includes('cannot be reached')")
	p.down.Store(false)
	b.click("#decided .retry")
	b.until("document.querySelector('#decided')?.innerText.includes('published')")
	b.until("document.querySelector('#held .empty')")
	b.ready()
	now := at(t, p.ask(t, "snapshots"), "data", 0)
	if at(t, now, "status") != "published" || at(t, now, "id") == first {
		t.Fatalf("published is %v", now)
	}

	// And back to what there was.
	b.until("document.querySelector('tr.before')")
	b.script("document.querySelector('.edition').open = true")
	b.click(fmt.Sprintf("tr[data-snapshot=%q] button", first))
	b.until("document.querySelector('#decided').innerText.includes('published again')")
	b.ready()
	if id := at(t, p.ask(t, "snapshots"), "data", 0, "id"); id != first {
		t.Errorf("published is %v; want %s again", id, first)
	}

	// A held load is dropped when somebody is sure.
	from.provide(fstest.MapFS{"GEN21.csv": {Data: []byte(strings.ReplaceAll(changedGenerators, "400.5", "7"))}}, nil)
	b.click("#run-start")
	b.until("document.querySelector('.held')")
	b.ready()
	b.click(".held [data-do=discard]")
	b.until("document.querySelector('.held [data-do=discard]').innerText === 'Discard for good'")
	b.click(".held [data-do=discard]")
	b.until("document.querySelector('#decided').innerText.includes('discarded') && document.querySelector('#held .empty')")
	b.ready()
	if list := at(t, p.ask(t, "snapshots"), "data").([]any); len(list) != 1 {
		t.Errorf("there are %v", list)
	}

	// The token is gone with the tab.
	b = w.open(t, p.url+"?view=changes", view{})
	b.ready()
	b.until("document.querySelector('#token-use') && document.querySelector('#run-start').disabled")
}

// A service without runs says what it holds, and where to decide.
func TestHeldWithoutRuns(t *testing.T) {
	w := start(t)
	p := serve(t, "", nil)
	p.publish(t, "GEN21.csv", strings.NewReader(firstGenerators))
	files := fstest.MapFS{"GEN21.csv": {Data: []byte(changedGenerators)}}
	if _, err := etl.New(etl.FS(files), etl.ToLoader(p.store), nil).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := w.open(t, p.url+"?view=changes", view{failing: true})
	b.ready()
	b.until("document.querySelector('.held')?.innerText.includes('egrid publish ')")
	if text := b.text("#runs"); !strings.Contains(text, "makes no loads") {
		t.Errorf("the loads say %q", text)
	}
	b.checkWidth()
}
