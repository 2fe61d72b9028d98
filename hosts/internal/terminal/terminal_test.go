package terminal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

func TestEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         "",
		"Palo Verde, Größe 5 €":    "Palo Verde, Größe 5 €",
		"no\u00a0break":            "no\u00a0break",
		"\x1b[2J\x07red":           `\x1b[2J\ared`,
		"two\nlines\r\tand a tab":  `two\nlines\r\tand a tab`,
		"\u009b31m":                `\u009b31m`, // a control sequence in one character
		"GEN23\u202evsc.exe":       `GEN23\u202evsc.exe`,
		"a\u2028b\u200bc\ufeffd":   `a\u2028b\u200bc\ufeffd`,
		"\xff\xfe":                 `\xff\xfe`,
		"'quoted' \"twice\" \\ `b": "'quoted' \"twice\" \\ `b",
	} {
		if got := terminal.Escape(text); got != want {
			t.Errorf("%q: got %q; want %q", text, got, want)
		}
	}
}

func FuzzEscapeJSON(f *testing.F) {
	f.Add("GEN23.csv")
	f.Add("\x1b]0;title\x7f\xff\u202e\u009b\U000e0001")
	f.Fuzz(func(t *testing.T, s string) {
		doc, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		got := terminal.EscapeJSON(doc)
		if strings.ContainsFunc(string(got), func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("%s became %s", doc, got)
		}
		var before, after string
		if err := json.Unmarshal(doc, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &after); err != nil || after != before {
			t.Errorf("%v: %s became %s", err, doc, got)
		}
	})
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sqlite:/data/egrid.db":        "sqlite:/data/egrid.db",
		"":                             "''",
		"sqlite:my data.db":            "'sqlite:my data.db'",
		"it's $(here)\n; rm -rf ~\x1b": `'it'\''s $(here); rm -rf ~'`,
	} {
		if got := terminal.ShellWord(text); got != want {
			t.Errorf("%q: got %s; want %s", text, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	f.Add("GEN23.csv")
	f.Add("\x1b]0;title\x07\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := terminal.Escape(s)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) }) {
			t.Errorf("%q became %q", s, got)
		}
		if again := terminal.Escape(got); again != got {
			t.Errorf("%q, escaped twice: %q", got, again)
		}
	})
}

const escapes = "\x1b[31m\n\u202e"

func TestTableFits(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table := terminal.Table{Header: []string{"file", "sheet", "rows"}, Right: []bool{false, false, true}, Width: 40}
	table.Add("short.csv", "", "1")
	table.Add("a folder with a very long name/and a file "+escapes+".csv", "Größe ", "26,601")
	if err := table.Write(&b); err != nil {
		t.Fatal(err)
	}
	const want = `file                      sheet     rows
short.csv                              1
a folder with a very      Größe   26,601
long name/and a file
\x1b[31m\n\u202e.csv
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestPage(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := terminal.NewPage(&b)
	p.Heading(0, "Held: readers keep what they had.")
	p.Text(2, strings.Repeat("twelve chars ", 9)+escapes)
	p.Heading(0, "Next:")
	p.Line(4, "egrid load "+strings.Repeat("x", 90)+escapes)
	const want = `Held: readers keep what they had.
  twelve chars twelve chars twelve chars twelve chars twelve chars twelve chars
    twelve chars twelve chars twelve chars \x1b[31m \u202e

Next:
    egrid load `
	if got := b.String(); p.Err() != nil || got != want+strings.Repeat("x", 90)+`\x1b[31m\n\u202e`+"\n" {
		t.Errorf("%v, got\n%s", p.Err(), got)
	}
}
