package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// patience is how long anything on the page may take.
const patience = time.Minute

func chromium(t *testing.T) string {
	t.Helper()
	if path := os.Getenv("EGRID_TEST_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	testenv.Missing(t, "no chromium in PATH, and EGRID_TEST_CHROMIUM names none")
	return ""
}

// browser is a process of its own, with one page at a time.
type browser struct {
	t   *testing.T
	ctx context.Context
	tab *tab
}

// tab is a page in a browser. What the browser complains about is collected.
type tab struct {
	t      *testing.T
	ctx    context.Context
	cancel context.CancelFunc

	mu         sync.Mutex
	complaints []string
	lenient    bool // requests may fail
}

type view struct {
	width, height int64
	dark          bool
	failing       bool // requests may fail from the beginning
}

// start starts a browser that ends with the test.
func start(t *testing.T) *browser {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.Headless, chromedp.NoFirstRun,
	}
	for _, name := range []string{"disable-gpu", "disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars", "no-proxy-server"} {
		options = append(options, chromedp.Flag(name, true))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, ctx: ctx}
	t.Cleanup(b.close)
	return b
}

// open shows an address, instead of the page before.
func (w *browser) open(t *testing.T, address string, v view) *tab {
	t.Helper()
	w.close()
	if v.width == 0 {
		v.width, v.height = 1280, 900
	}
	ctx, cancel := chromedp.NewContext(w.ctx)
	b := &tab{t: t, ctx: ctx, cancel: cancel, lenient: v.failing}
	w.tab = b
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatal(err)
	}
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	call(b, log.Enable, cdp.Empty{})
	call(b, runtime.Enable, cdp.Empty{})
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	b.do(chromedp.EmulateViewport(v.width, v.height))
	b.do(chromedp.Navigate(address))
	return b
}

// close ends the page, which must have given no reason to complain.
func (w *browser) close() {
	if w.tab == nil {
		return
	}
	w.tab.checkComplaints()
	w.tab.cancel()
	w.tab = nil
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, command, params); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) listen(event any) {
	complain := func(format string, args ...any) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
	}
	switch e := event.(type) {
	case *log.EventEntryAdded:
		b.mu.Lock()
		excused := b.lenient && e.Entry.Source == log.EntrySourceNetwork
		b.mu.Unlock()
		if !excused && (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) {
			complain("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		complain("exception: %s", text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			var parts []string
			for _, arg := range e.Args {
				parts = append(parts, string(arg.Value)+arg.Description)
			}
			complain("console: %s", strings.Join(parts, " "))
		}
	}
}

// tolerateFailures excuses requests that fail from now on.
func (b *tab) tolerateFailures() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lenient = true
}

// checkComplaints wants a browser without errors, Content-Security-Policy
// violations among them.
func (b *tab) checkComplaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the browser complains: %s", c)
	}
}

// run returns what an action does.
func run[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience+10*time.Second)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *tab) do(action chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	run(b, action)
}

// eval returns the value of an expression.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	return run(b, chromedp.Evaluate[T](expression))
}

// script runs statements in the page.
func (b *tab) script(statements string) {
	b.t.Helper()
	run(b, chromedp.Evaluate[chromedp.Void]("{"+statements+"}"))
}

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	script := fmt.Sprintf(`new Promise((resolve) => {
		const end = Date.now() + %d;
		const look = () => {
			let met = false;
			try { met = Boolean(%s); } catch {}
			if (met || Date.now() > end) resolve(met);
			else setTimeout(look, 15);
		};
		look();
	})`, patience.Milliseconds(), expression)
	if !run(b, chromedp.Evaluate[bool](script, chromedp.EvalAwaitPromise)) {
		b.shoot("failed")
		b.t.Fatalf("not within %s: %s\nat %s, the page says:\n%s", patience, expression,
			eval[string](b, "location.href"), eval[string](b, "document.body.innerText.slice(0, 1500)"))
	}
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.until(fmt.Sprintf("document.querySelector(%q)", selector))
	b.do(chromedp.Click(selector))
}

// choose selects an option as a person does.
func (b *tab) choose(selector, value string) {
	b.t.Helper()
	b.until(fmt.Sprintf("[...document.querySelector(%q).options].some((o) => o.value === %q)", selector, value))
	b.script(fmt.Sprintf(`
		const select = document.querySelector(%q);
		select.value = %q;
		select.dispatchEvent(new Event('change', {bubbles: true}));
	`, selector, value))
}

func (b *tab) texts(selector string) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf("[...document.querySelectorAll(%q)].map((e) => (e.innerText ?? e.textContent).trim())", selector))
}

func (b *tab) text(selector string) string {
	b.t.Helper()
	return eval[string](b, fmt.Sprintf("document.querySelector(%q).innerText.trim()", selector))
}

// ready waits until nothing that was asked for is still loading.
func (b *tab) ready() {
	b.t.Helper()
	b.until("document.readyState === 'complete' && document.querySelector('#view [data-state]') && !document.querySelector('#view [data-state=loading]')")
}

// showAll scrolls through the page, so that everything on it loads.
func (b *tab) showAll() {
	b.t.Helper()
	for _, id := range eval[[]string](b, "[...document.querySelectorAll('#view section[data-part][id]')].map((e) => e.id)") {
		b.script(fmt.Sprintf("document.getElementById(%q).scrollIntoView()", id))
		b.until(fmt.Sprintf("['ready', 'empty', 'error'].includes(document.getElementById(%q).dataset.state)", id))
	}
	b.script("scrollTo(0, 0)")
	b.until("scrollY === 0 && [...document.querySelectorAll('#view figure .canvas')].every((e) => e.firstElementChild)")
}

// shoot keeps a picture of the whole page.
func (b *tab) shoot(name string) {
	b.t.Helper()
	b.keep(name, run(b, chromedp.FullScreenshot(100)))
}

// shootView keeps a picture of what is in view.
func (b *tab) shootView(name string) {
	b.t.Helper()
	b.keep(name, run(b, chromedp.CaptureScreenshot()))
}

func (b *tab) keep(name string, picture []byte) {
	b.t.Helper()
	folder := os.Getenv("EGRID_TEST_SCREENSHOTS")
	if folder == "" {
		folder = b.t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// forgive takes back complaints that hold a text: what a test has provoked.
func (b *tab) forgive(texts ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = slices.DeleteFunc(b.complaints, func(c string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(c, text) })
	})
}
