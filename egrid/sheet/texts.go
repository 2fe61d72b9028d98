package sheet

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// fewEscaped is how many different texts with escapes, beside none with & alone, say
// that a tool has escaped all texts. EPA's own sheets of plants have a few such texts
// ("Pacific Gas &amp; Electric Co"), beside hundreds with & alone.
const fewEscaped = 5

var (
	escaped  = regexp.MustCompile(`&(?:amp|lt|gt|quot|apos|#[0-9]{1,6});`)
	unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'")
)

// preserved stands in front of texts with blanks around them that were cut out of the
// XML of a workbook.
const preserved = `xml:space="preserve">`

// inferTexts finds out whether a tool has left the escapes of XML in the texts, as R's
// openxlsx does.
func (s *Sheet) inferTexts(h *head) {
	data := h.data[s.DataOffset:]
	ampersands := bytes.Count(data, []byte{'&'})
	found := escaped.FindAllIndex(data, -1)
	if len(found) == 0 || len(found) < ampersands || s.exported() {
		return
	}
	h.cut = h.cut || h.more // with & alone behind it, they are texts as any other
	different := map[string]bool{}
	for _, at := range found {
		different[quotedAround(data, at, s.Delimiter[0])] = true
	}
	first := quotedAround(data, found[0], s.Delimiter[0])
	if len(different) < fewEscaped {
		s.found("texts", "as written", fmt.Sprintf("%s has an escape, and too few texts tell whether a tool put it there; if so, read the workbook itself, or use readxl", first))
		return
	}
	s.Dialect.Escaped = true
	s.found("texts", "without escapes", fmt.Sprintf("%d different texts have escapes, as %s, and none has & alone", len(different), first))
}

// quotedAround is the field around a place.
func quotedAround(data []byte, at []int, delim byte) string {
	from := 1 + bytes.LastIndexAny(data[:at[0]], "\n"+string(delim))
	to := len(data)
	if n := bytes.IndexAny(data[at[1]:], "\r\n"+string(delim)); n >= 0 {
		to = at[1] + n
	}
	return strconv.Quote(shorten(strings.Trim(string(data[from:to]), `"`), 60))
}

// exported reports whether the table is one of our own exports, whose texts are as
// they are.
func (s *Sheet) exported() bool {
	for _, c := range s.Cells {
		if c.Release != nil {
			return true
		}
	}
	return false
}

// restore gives a text back as it was before a tool changed it. quoted is whether
// the field has quotes around it.
func (d Dialect) restore(text string, quoted bool) string {
	if !quoted {
		text = strings.TrimPrefix(halve(text), preserved)
	} else {
		text = strings.TrimPrefix(text, preserved)
	}
	if d.Escaped && strings.IndexByte(text, '&') >= 0 {
		text = unescape.Replace(text)
	}
	return text
}

// halve takes back that quotes were doubled in a field that has none around it: all of
// them stand in pairs, which nothing else writes.
func halve(text string) string {
	run := 0
	for i := range len(text) + 1 {
		if i < len(text) && text[i] == '"' {
			run++
			continue
		}
		if run%2 != 0 {
			return text
		}
		run = 0
	}
	return strings.ReplaceAll(text, `""`, `"`)
}

// withoutQuoting splits a record in which quotes are doubled and nothing is in quotes;
// else it returns the error.
func (d *Decoder) withoutQuoting(raw string, err error) ([]string, error) {
	fields := strings.Split(raw, string(d.delim))
	for _, field := range fields {
		if strings.Contains(field, `"`) && halve(field) == field {
			return nil, err
		}
	}
	if len(fields) != len(d.columns) || strings.Contains(raw, "\n") {
		return nil, err
	}
	return fields, nil
}

// restoreTexts gives the texts of the record at hand back as they were before a tool
// changed them.
func (d *Decoder) restoreTexts(rec record, out *Decoded) {
	if !d.sheet.Dialect.Escaped && bytes.IndexByte(rec.raw, '"') < 0 {
		return
	}
	var quotes []bool // none where they cannot be told
	if _, err := splitFields(nil, string(rec.raw), d.delim); err == nil {
		quotes = quotedFields(nil, string(rec.raw), d.delim)
	}
	for i := range min(len(d.columns), len(d.fields)) {
		c := &d.columns[i]
		if c.at < 0 || c.typ != egrid.Text || !strings.ContainsAny(d.fields[i], `"&`) {
			continue
		}
		was := d.fields[i]
		if d.fields[i] = d.sheet.Dialect.restore(was, i < len(quotes) && quotes[i]); d.fields[i] != was {
			out.restored(rec.line, c.column, was, d.fields[i])
		}
	}
}

// restored tells of a text that was changed back.
func (d *Decoded) restored(line int64, c egrid.Column, was, is string) {
	const most = 3
	a := &d.Restored
	a.Rule, a.Severity = "text_restored", egrid.Warning
	if a.Count++; len(a.Examples) < most {
		a.Examples = append(a.Examples, fmt.Sprintf("line %d, %s: %s is %s", line, c, strconv.Quote(shorten(was, 60)), strconv.Quote(shorten(is, 60))))
	}
}
