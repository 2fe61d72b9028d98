package terminal

import (
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Column is a column of a [Sheet] with its cells.
type Column struct {
	Name  string // in the header; broken behind underscores where that saves room
	Unit  string // in the header, below or behind the name; empty for none
	Right bool   // aligned to the right, and never cut: numbers
	Keep  bool   // never cut: codes and identifiers
	Wrap  bool   // broken into several lines where it is too long, and not cut
	Cells []string
}

// Sheet is a table whose columns are chosen to fit a width: the first ones of those
// that are there.
type Sheet struct {
	Columns []Column
	Width   int  // of a line; 0 is any
	All     bool // columns are not left out: what does not fit is written in records
	Records bool // one line for each cell, whatever fits
}

// The least and the usual widths that text is cut to.
const (
	leastText = 12
	usualText = 22
	few       = 3 // columns, at least, before text is cut to the least
	maxHeader = 4 // lines
)

// Write writes the sheet and returns how many columns it shows; in records all that
// have a value somewhere.
func (s *Sheet) Write(w io.Writer) (shown int, err error) {
	for i := range s.Columns {
		c := &s.Columns[i]
		for j, cell := range c.Cells {
			c.Cells[j] = Escape(cell)
		}
		c.Name, c.Unit = Escape(c.Name), Escape(c.Unit)
	}
	if s.Records {
		return s.records(w)
	}
	if s.Width <= 0 {
		return len(s.Columns), s.lines(w, s.layout(len(s.Columns), false, math.MaxInt))
	}
	limits := []int{math.MaxInt, usualText}
	if s.All { // rather short texts than fewer columns
		limits = append(limits, leastText)
	}
	for _, limit := range limits {
		for _, broken := range []bool{false, true} {
			if l := s.layout(len(s.Columns), broken, limit); l.total() <= s.Width {
				return len(s.Columns), s.lines(w, s.widen(l))
			}
		}
	}
	if s.All {
		return s.records(w)
	}
	n, limit := len(s.Columns), usualText
	fits := func() bool { return s.layout(n, true, limit).total() <= s.Width }
	for n > 1 && !fits() {
		if n--; n < few && limit > leastText { // a narrow terminal: rather several short columns than one
			n, limit = len(s.Columns), leastText
		}
	}
	if !fits() {
		return s.records(w)
	}
	return n, s.lines(w, s.widen(s.layout(n, true, limit)))
}

// layout is the widths of columns and the lines of their headers.
type layout struct {
	widths  []int
	headers [][]string
}

const gap = 2 // blanks between columns

func (l layout) total() int {
	total := -gap
	for _, w := range l.widths {
		total += w + gap
	}
	return max(total, 0)
}

// layout lays out the first n columns; text is cut to limit.
func (s *Sheet) layout(n int, broken bool, limit int) layout {
	l := layout{}
	for i := range s.Columns[:n] {
		c := &s.Columns[i]
		width := 0
		for _, cell := range c.Cells {
			width = max(width, length(cell))
		}
		if !c.Right && !c.Keep {
			width = min(width, limit)
		}
		header := c.header(broken, width)
		for _, line := range header {
			width = max(width, length(line))
		}
		l.widths, l.headers = append(l.widths, width), append(l.headers, header)
	}
	return l
}

// widen gives what is left of the line to text that is cut, the first column first.
// What wraps comes last.
func (s *Sheet) widen(l layout) layout {
	for _, wraps := range []bool{false, true} {
		for i := range l.widths {
			if s.Columns[i].Wrap != wraps {
				continue
			}
			need := 0
			for _, cell := range s.Columns[i].Cells {
				need = max(need, length(cell))
			}
			if more := min(need-l.widths[i], s.Width-l.total()); more > 0 {
				l.widths[i] += more
			}
		}
	}
	return l
}

// header is the name and the unit of a column, in several lines where it is broken.
func (c *Column) header(broken bool, width int) []string {
	name := c.Name
	if !broken {
		if c.Unit != "" {
			name += " (" + c.Unit + ")"
		}
		return []string{name}
	}
	var pieces []string
	for piece := range strings.SplitAfterSeq(name, "_") {
		pieces = append(pieces, piece)
		width = max(width, length(piece))
	}
	if c.Unit != "" {
		width = max(width, length(c.Unit)+2)
	}
	for ; ; width++ {
		lines := []string{""}
		for _, piece := range pieces {
			if last := len(lines) - 1; length(lines[last])+length(piece) <= width {
				lines[last] += piece
			} else {
				lines = append(lines, piece)
			}
		}
		if c.Unit != "" {
			lines = append(lines, "("+c.Unit+")")
		}
		if len(lines) <= maxHeader {
			return lines
		}
	}
}

func (s *Sheet) lines(w io.Writer, l layout) error {
	var b strings.Builder
	write := func(cells []string) {
		blanks := 0 // that are written once something follows
		for i, cell := range cells {
			pad := max(l.widths[i]-length(cell), 0)
			if s.Columns[i].Right {
				blanks, pad = blanks+pad, 0
			}
			if cell != "" {
				b.WriteString(strings.Repeat(" ", blanks))
				b.WriteString(cell)
				blanks = 0
			}
			blanks += pad + gap
		}
		b.WriteString("\n")
	}
	height := 0
	for _, h := range l.headers {
		height = max(height, len(h))
	}
	for at := range height {
		cells := make([]string, len(l.headers))
		for i, h := range l.headers {
			if from := height - len(h); at >= from { // headers stand on the rows
				cells[i] = h[at-from]
			}
		}
		write(cells)
	}
	for row := range s.rows() {
		parts := make([][]string, len(l.widths))
		most := 1
		for i := range parts {
			parts[i] = s.Columns[i].cell(row, l.widths[i])
			most = max(most, len(parts[i]))
		}
		for at := range most {
			cells := make([]string, len(parts))
			for i, p := range parts {
				if at < len(p) {
					cells[i] = p[at]
				}
			}
			write(cells)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s *Sheet) rows() int {
	if len(s.Columns) == 0 {
		return 0
	}
	return len(s.Columns[0].Cells)
}

// cell is a cell in lines of a width.
func (c *Column) cell(row, width int) []string {
	text := c.Cells[row]
	switch {
	case length(text) <= width:
		return []string{text}
	case c.Wrap:
		return wrap(text, width)
	}
	return []string{cutEnd(text, width)}
}

// wrap breaks text between words, names and paths behind a mark within them, and
// what is still longer than a line anywhere.
func wrap(text string, width int) []string {
	const marks = "_/-"
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		for length(word) > width && strings.ContainsAny(word, marks) {
			at := 0
			for i, r := range word {
				if strings.ContainsRune(marks, r) && length(word[:i+1]) <= width {
					at = i + 1
				}
			}
			if at == 0 {
				break
			}
			if line != "" {
				lines, line = append(lines, line), ""
			}
			lines, word = append(lines, word[:at]), word[at:]
		}
		if line != "" && length(line)+1+length(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
		for length(line) > width {
			letters := []rune(line)
			lines, line = append(lines, string(letters[:width])), string(letters[width:])
		}
	}
	return append(lines, line)
}

// cutEnd shortens a text to n places: of the name of a plant the beginning tells most.
func cutEnd(s string, n int) string {
	if length(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:max(n-1, 0)]), " ") + "…"
}

// records writes a line for each cell that is not empty, and a blank line between
// rows.
func (s *Sheet) records(w io.Writer) (shown int, err error) {
	name := 0
	met := make([]bool, len(s.Columns))
	for i := range s.Columns {
		if met[i] = slices.ContainsFunc(s.Columns[i].Cells, func(c string) bool { return c != "" }); met[i] {
			shown++
			name = max(name, length(s.Columns[i].Name))
		}
	}
	var b strings.Builder
	for row := range s.rows() {
		if row > 0 {
			b.WriteString("\n")
		}
		for i := range s.Columns {
			c := &s.Columns[i]
			text := c.Cells[row]
			if text == "" {
				continue
			}
			if c.Unit != "" {
				text += " " + c.Unit
			}
			lines := []string{text}
			if room := s.Width - name - gap; s.Width > 0 && room >= leastText {
				lines = wrap(text, room)
			} else if s.Width > 0 { // not beside the name, then below
				lines = append([]string{""}, wrap(text, max(s.Width-gap, 1))...)
			}
			for at, line := range lines {
				head := strings.Repeat(" ", name+gap)
				switch {
				case at == 0:
					head = c.Name + head[length(c.Name):]
				case lines[0] == "":
					head = strings.Repeat(" ", gap)
				}
				b.WriteString(strings.TrimRight(head+line, " ") + "\n")
			}
		}
	}
	_, err = io.WriteString(w, b.String())
	return shown, err
}

// Numbers writes the numbers of a column with one number of decimals, which is as
// many as one of them needs and as the largest makes sensible: none from 100,000 on,
// one from 100 on, else three, and five below one. NaN is written as nothing.
func Numbers(xs []float64) []string {
	largest, needed := 0.0, 0
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		largest = max(largest, math.Abs(x))
		_, fraction, _ := strings.Cut(strconv.FormatFloat(x, 'f', -1, 64), ".")
		needed = max(needed, len(fraction))
	}
	most := 5
	switch {
	case largest >= 100_000:
		most = 0
	case largest >= 100:
		most = 1
	case largest >= 1:
		most = 3
	}
	texts := make([]string, len(xs))
	for i, x := range xs {
		if !math.IsNaN(x) {
			texts[i] = Decimals(x, min(most, needed))
		}
	}
	return texts
}

// Decimals writes a number with so many decimals, and thousands apart.
func Decimals(x float64, places int) string {
	text := strconv.FormatFloat(x, 'f', places, 64)
	whole, fraction, point := strings.Cut(text, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && (n < -999 || n > 999) {
		whole = Thousands(n)
	}
	if strings.Trim(text, "-0.") == "" { // no -0
		whole = strings.TrimPrefix(whole, "-")
	}
	if point {
		return whole + "." + fraction
	}
	return whole
}
