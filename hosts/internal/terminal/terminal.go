// Package terminal writes tables, text and progress bars for people.
//
//	t := terminal.Table{Header: []string{"plant", "MWh"}, Right: []bool{false, true}}
//	t.Add("Palo Verde", terminal.Thousands(31522590))
//	t.Write(os.Stdout)
//
// # Guarantees
//
// A table and a page are plain text: the same on a terminal and in a file. What
// they write passes through [Escape], so a name or a value from a file cannot
// move the cursor, set colors or hide text. A bar is drawn on terminals only.
//
// # Errors
//
// Table.Write and Page.Err return those of their writer.
//
// # See also
//
// Package text/tabwriter, which cannot align single columns to the right.
package terminal

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Width is how many characters a line of a page has. A word that is longer is
// not cut.
const Width = 80

// Escape makes visible what a terminal would obey or hide: control characters,
// marks that turn the direction of text, bytes that are not UTF-8. The others
// stay as they are.
func Escape(s string) string {
	if !strings.ContainsFunc(s, hidden) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case hidden(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// EscapeLines is Escape for a text of several lines.
func EscapeLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Escape(line)
	}
	return strings.Join(lines, "\n")
}

// EscapeJSON is Escape for a JSON document, which it leaves equal.
func EscapeJSON(doc []byte) []byte {
	if !bytes.ContainsFunc(doc, func(r rune) bool { return r != '\n' && hidden(r) }) {
		return doc
	}
	var out []byte
	for _, r := range string(doc) {
		if r == '\n' || !hidden(r) {
			out = utf8.AppendRune(out, r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			out = fmt.Appendf(out, `\u%04x`, unit)
		}
	}
	return out
}

func hidden(r rune) bool { return r == utf8.RuneError || !unicode.IsGraphic(r) }

// ShellWord quotes a text for a shell. What Escape makes visible it leaves out.
func ShellWord(s string) string {
	s = strings.Map(func(r rune) rune {
		if hidden(r) {
			return -1
		}
		return r
	}, s)
	special := func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-/:=+,@%", r)
	}
	if s != "" && !strings.ContainsFunc(s, special) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Is reports whether w is a terminal.
func Is(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// Table is rows of cells under a header.
type Table struct {
	Header []string
	Right  []bool // columns to be aligned to the right; missing ones are not
	Width  int    // of a line: the widest cells go on in lines below to fit; 0: as wide as the cells are
	Indent int    // blanks in front of each line
	rows   [][]string
	widths []int // set by Flush
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

// Write aligns and writes the table.
func (t *Table) Write(w io.Writer) error {
	t.widths = nil
	return t.Flush(w)
}

// Flush writes the rows added since it was called last, and forgets them: for a
// table that is longer than memory should hold. The first call writes the header
// and decides on the widths of the columns; longer cells of later rows stick out
// where the table has no Width.
func (t *Table) Flush(w io.Writer) error {
	rows := t.rows
	if t.widths == nil {
		rows = append([][]string{t.Header}, t.rows...)
	}
	for i, row := range rows {
		escaped := make([]string, len(row))
		for j, cell := range row {
			escaped[j] = Escape(cell)
		}
		rows[i] = escaped
	}
	if t.widths == nil {
		t.measure(rows)
	}
	t.rows = nil
	var b strings.Builder
	for _, row := range rows {
		cells, height := make([][]string, len(row)), 1
		for i, cell := range row {
			cells[i] = []string{cell}
			if t.Width > 0 && length(cell) > t.widths[i] {
				cells[i] = wrap(cell, t.widths[i])
			}
			height = max(height, len(cells[i]))
		}
		for n := range height {
			t.line(&b, cells, n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line writes the n-th line of a row.
func (t *Table) line(b *strings.Builder, cells [][]string, n int) {
	line := strings.Repeat(" ", t.Indent)
	for i, lines := range cells {
		text := ""
		if n < len(lines) {
			text = lines[n]
		}
		pad := strings.Repeat(" ", max(t.widths[i]-length(text), 0))
		if i < len(t.Right) && t.Right[i] {
			line += pad + text + "  "
		} else {
			line += text + pad + "  "
		}
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// measure decides on the widths of the columns. To fit, the widest gives way.
func (t *Table) measure(rows [][]string) {
	t.widths = make([]int, len(t.Header))
	total := t.Indent - 2
	for i := range t.widths {
		for _, row := range rows {
			if i < len(row) {
				t.widths[i] = max(t.widths[i], length(row[i]))
			}
		}
		total += t.widths[i] + 2
	}
	const least = 8
	for ; t.Width > 0 && total > t.Width; total-- {
		widest := 0
		for i, w := range t.widths {
			if w > t.widths[widest] {
				widest = i
			}
		}
		if t.widths[widest] <= least {
			return
		}
		t.widths[widest]--
	}
}

// length is how many places a text takes.
func length(s string) int {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return len(s)
	}
	n := 0
	for _, r := range s {
		if !unicode.Is(unicode.Mn, r) { // accents stand on the letter before
			n++
		}
	}
	return n
}

// cutMiddle shortens a text to n places: of the name of a file both ends tell more.
func cutMiddle(s string, n int) string {
	if length(s) <= n {
		return s
	}
	letters := []rune(s)
	head := (n - 1) / 2
	return string(letters[:head]) + "…" + string(letters[len(letters)-(n-1-head):])
}

// Page writes paragraphs, and keeps the first error of its writer.
type Page struct {
	w       io.Writer
	err     error
	written bool
}

// NewPage returns a page on w.
func NewPage(w io.Writer) *Page { return &Page{w: w} }

// Err returns the first error of the writer.
func (p *Page) Err() error { return p.err }

// Heading is Text with, on a page that has begun, a blank line in front.
func (p *Page) Heading(indent int, text string) {
	if p.written {
		p.write("\n")
	}
	p.Text(indent, text)
}

// Text writes text, broken into lines of Width, behind so many spaces; the lines
// behind the first by two more.
func (p *Page) Text(indent int, text string) {
	line, hang := "", 0
	for word := range strings.FieldsSeq(text) {
		word = Escape(word)
		switch {
		case line == "":
			line = word
		case indent+hang+length(line)+1+length(word) <= Width:
			line += " " + word
		default:
			p.Line(indent+hang, line)
			line, hang = word, 2
		}
	}
	p.Line(indent+hang, line)
}

// Line writes a line as it is, however long: for what a person copies.
func (p *Page) Line(indent int, line string) {
	p.write(strings.Repeat(" ", indent) + Escape(line) + "\n")
}

// Short writes a line that is cut at its end where it is longer than Width.
func (p *Page) Short(indent int, text string) {
	line := []rune(Escape(strings.Join(strings.Fields(text), " ")))
	if most := Width - indent; len(line) > most {
		line = append(line[:most-1], '…')
	}
	p.Line(indent, string(line))
}

// Table writes a table that fits the page.
func (p *Page) Table(t Table) {
	t.Width = Width
	p.written = true
	if p.err == nil {
		p.err = t.Write(p.w)
	}
}

func (p *Page) write(s string) {
	p.written = true
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

// Thousands writes a whole number with separators: 26,601.
func Thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Bar is a progress bar. On anything but a terminal it draws nothing.
type Bar struct {
	Unit  string // of what is counted; default rows
	w     io.Writer
	what  string // that is drawn
	began time.Time
	told  time.Time // when Draw was called last, or the bar made
	drawn time.Time
	open  bool
}

// NewBar returns a bar on w.
func NewBar(w io.Writer) *Bar {
	if Is(w) {
		return &Bar{w: w, told: time.Now()}
	}
	return &Bar{}
}

// Draw shows how far something has come, how fast, and how long the rest takes at
// that speed; a total of 0 is one that is not known. It draws ten times a second at
// most.
func (b *Bar) Draw(what string, done, total int64) {
	now := time.Now()
	if what != b.what { // which began when the one before it ended
		b.what, b.began = what, b.told
	}
	b.told = now
	if b.w == nil || done != total && now.Sub(b.drawn) < 100*time.Millisecond {
		return
	}
	b.drawn, b.open = now, true
	const width = 20
	bar := ""
	if total > 0 {
		filled := int(min(done, total) * width / total)
		bar = "[" + strings.Repeat("=", filled) + strings.Repeat(" ", width-filled) + "] "
	}
	line := bar + Pace(done, total, now.Sub(b.began), cmp.Or(b.Unit, "rows")) + "  "
	fmt.Fprintf(b.w, "\r\033[K%s%s", line, cutMiddle(Escape(what), max(Columns(b.w)-1-length(line), 1)))
}

// Pace says how much is done, how fast, and how long the rest takes at that speed:
// "1,200 of 6,000 rows, 400/s, 12 s left". What cannot be known yet is left out.
func Pace(done, total int64, elapsed time.Duration, unit string) string {
	text := Thousands(done)
	if total > 0 {
		text += " of " + Thousands(total)
	}
	text += " " + unit
	rate := float64(done) / elapsed.Seconds()
	if done <= 0 || elapsed <= 0 || rate < 1 {
		return text
	}
	text += ", " + Thousands(int64(rate)) + "/s"
	if total <= done {
		return text
	}
	left := time.Duration(float64(total-done) / rate * float64(time.Second)).Round(time.Second)
	switch {
	case left < time.Minute:
		return fmt.Sprintf("%s, %d s left", text, int(left.Seconds()))
	case left < time.Hour:
		return fmt.Sprintf("%s, %d:%02d min left", text, int(left.Minutes()), int(left.Seconds())%60)
	}
	return fmt.Sprintf("%s, %d:%02d h left", text, int(left.Hours()), int(left.Minutes())%60)
}

// Clear removes the bar.
func (b *Bar) Clear() {
	if b.open {
		fmt.Fprint(b.w, "\r\033[K")
		b.open = false
	}
}
