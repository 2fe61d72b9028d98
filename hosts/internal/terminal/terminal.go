// Package terminal writes tables and progress bars for people.
//
//	t := terminal.Table{Header: []string{"plant", "MWh"}, Right: []bool{false, true}}
//	t.Add("Palo Verde", terminal.Thousands(31522590))
//	t.Write(os.Stdout)
//
// # Guarantees
//
// A table is plain text: the same on a terminal and in a file. A bar is drawn
// on terminals only.
//
// # Errors
//
// Table.Write returns those of its writer.
//
// # See also
//
// Package text/tabwriter, which cannot align single columns to the right.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Table is rows of cells under a header.
type Table struct {
	Header []string
	Right  []bool // columns to be aligned to the right; missing ones are not
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
// and decides on the widths of the columns; longer cells of later rows stick out.
func (t *Table) Flush(w io.Writer) error {
	rows := t.rows
	if t.widths == nil {
		rows = append([][]string{t.Header}, t.rows...)
		t.widths = make([]int, len(t.Header))
		for _, row := range rows {
			for i, cell := range row {
				t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	t.rows = nil
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			pad := strings.Repeat(" ", max(t.widths[i]-utf8.RuneCountInString(cell), 0))
			if i < len(t.Right) && t.Right[i] {
				line += pad + cell + "  "
			} else {
				line += cell + pad + "  "
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
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
	drawn time.Time
	open  bool
}

// NewBar returns a bar on w.
func NewBar(w io.Writer) *Bar {
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" {
			return &Bar{w: w}
		}
	}
	return &Bar{}
}

// Draw shows how far something has come; a total of 0 is one that is not known.
// It draws ten times a second at most.
func (b *Bar) Draw(what string, done, total int64) {
	now := time.Now()
	if b.w == nil || done != total && now.Sub(b.drawn) < 100*time.Millisecond {
		return
	}
	b.drawn, b.open = now, true
	const width = 30
	filled, of := width, ""
	if total > 0 {
		filled, of = int(min(done, total)*width/total), " of "+Thousands(total)
	}
	fmt.Fprintf(b.w, "\r\033[K[%s%s] %s%s %s  %s", strings.Repeat("=", filled), strings.Repeat(" ", width-filled), Thousands(done), of, cmp.Or(b.Unit, "rows"), what)
}

// Clear removes the bar.
func (b *Bar) Clear() {
	if b.open {
		fmt.Fprint(b.w, "\r\033[K")
		b.open = false
	}
}
