package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/dashboard"
)

// editions is a platform with the generated sheets of two years, one of them in two
// releases.
func editions(t *testing.T, options func(driver.Store) httpapi.Options) *platform {
	t.Helper()
	p := serveAPI(t, "/egrid", &dashboard.Options{Refresh: -1}, options)
	for i, o := range []egridtest.SampleOptions{{Seed: 730, Year: 2023}, {Seed: 730, Year: 2022, Release: "v1"}, {Seed: 731, Year: 2022, Release: "v2"}} {
		sample := egridtest.NewSample(&o)
		for _, level := range egridtest.SampleLevels() {
			if i > 0 && level == "ZIP" {
				continue
			}
			var sheet bytes.Buffer
			if err := sample.Write(&sheet, level); err != nil {
				t.Fatal(err)
			}
			p.publish(t, sample.Name(level), &sheet)
		}
	}
	return p
}

func plain(driver.Store) httpapi.Options { return httpapi.Options{} }

// ask reads an answer of the API.
func (p *platform) ask(t *testing.T, path string) map[string]any {
	t.Helper()
	response, err := http.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v, %s", path, response.StatusCode, err, body)
	}
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// at walks into an answer by names and, in lists, by numbers.
func at(t *testing.T, answer any, steps ...any) any {
	t.Helper()
	for _, step := range steps {
		switch v := answer.(type) {
		case map[string]any:
			answer = v[step.(string)]
		case []any:
			answer = v[step.(int)]
		default:
			t.Fatalf("%v: there is no %v in %v", steps, step, answer)
		}
	}
	return answer
}

// shown is a figure of a page: what is read, and its title with all digits.
type shown struct{ Text, Title string }

// check wants the figure to be a value of the API: the title in every digit, what is
// read as far as it goes.
func (s shown) check(value any) error {
	text := strings.TrimSuffix(strings.TrimSpace(s.Text), "≈")
	x, known := value.(float64)
	if !known {
		if !strings.HasPrefix(text, "–") {
			return fmt.Errorf("%q stands for a missing value", text)
		}
		return nil
	}
	exact, err := number(s.Title)
	if err != nil {
		return fmt.Errorf("the title of %v: %w", x, err)
	}
	if math.Abs(exact-x) > 1e-20 { // as far as browsers write numbers
		return fmt.Errorf("%q stands for %v", s.Title, x)
	}
	percent := strings.HasSuffix(text, "%")
	text = strings.TrimLeft(strings.TrimSuffix(text, "%"), "<> ")
	read, err := number(text)
	if err != nil {
		return err
	}
	decimals := 0
	if _, fraction, ok := strings.Cut(text, "."); ok {
		decimals = len(strings.Fields(fraction)[0])
	}
	if percent {
		x *= 100
	}
	if unit := math.Pow10(-decimals); math.Abs(read-x) > unit*0.51 && (!percent || math.Abs(x) > unit) {
		return fmt.Errorf("%q is read for %v", s.Text, x)
	}
	return nil
}

// number reads the number that a text begins with.
func number(text string) (float64, error) {
	first, _, _ := strings.Cut(strings.TrimSpace(text), " ")
	return strconv.ParseFloat(strings.ReplaceAll(first, ",", ""), 64)
}

// figures are the texts and titles of elements.
func (b *tab) figures(selector string) []shown {
	b.t.Helper()
	return eval[[]shown](b, fmt.Sprintf("[...document.querySelectorAll(%q)].map((e) => ({Text: e.innerText, Title: e.title}))", selector))
}

// promised returns the text that a promise ends in.
func promised(b *tab, expression string) string {
	b.t.Helper()
	return run(b, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
}

// saved clicks a button that saves a file, and returns its name and, read byte by
// byte, what is in it.
func (b *tab) saved(selector string) (name, content string) {
	b.t.Helper()
	b.script(`
		window.savedFile = null;
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { window.savedFile = { blob }; return make(blob); };
		const click = HTMLAnchorElement.prototype.click;
		HTMLAnchorElement.prototype.click = function () { window.savedFile.name = this.download; };
		window.unsave = () => { URL.createObjectURL = make; HTMLAnchorElement.prototype.click = click; };
	`)
	b.click(selector)
	b.until("window.savedFile?.name")
	name = eval[string](b, "window.savedFile.name")
	content = promised(b, "window.savedFile.blob.arrayBuffer().then((b) => [...new Uint8Array(b)].map((c) => String.fromCharCode(c)).join(''))")
	b.script("window.unsave()")
	return name, content
}

func decode(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}
