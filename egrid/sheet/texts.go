package sheet

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// ownEscaped is how many different names of operators EPA has itself with an escape at
// most ("Pacific Gas &amp; Electric Co"): seven in 2016, eleven in 2018, nine in 2021. It has none
// elsewhere.
const ownEscaped = 11

var (
	escaped  = regexp.MustCompile(`&(?:amp|lt|gt|quot|apos|#[0-9]{1,6});`)
	unescape = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'")
)

// preserved stands in front of texts with blanks around them that were cut out of the
// XML of a workbook.
const preserved = `xml:space="preserve">`

// inferTexts finds out whether a tool has left the escapes of XML in the texts, as R's
// openxlsx does: none has & alone, and there are escapes where EPA has none.
func (s *Sheet) inferTexts(h *head) {
	data := h.data[s.DataOffset:]
	ampersands := bytes.Count(data, []byte{'&'})
	found := escaped.FindAllIndex(data, -1)
	if len(found) == 0 || len(found) < ampersands || s.exported() {
		return
	}
	h.cut = h.cut || h.more // with & alone behind it, they are texts as any other
	operators := map[string]bool{}
	last := -1
	for _, at := range found {
		line := 1 + bytes.LastIndexByte(data[:at[0]], '\n')
		if line == last {
			continue
		}
		last = line
		record, _, _ := bytes.Cut(data[line:], []byte{'\n'})
		fields, _ := splitFields(nil, strings.TrimSuffix(string(record), "\r"), s.Delimiter[0])
		for i, text := range fields[:min(len(fields), len(s.Cells))] {
			c := s.Cells[i]
			switch {
			case c.Column == "" || !escaped.MatchString(text):
			case c.Column != egrid.OperatorName:
				s.Dialect.Escaped = true
				s.found("texts", "without escapes", fmt.Sprintf("%s in column %s has an escape, and no text has & alone", strconv.Quote(shorten(text, 60)), c.Header))
				return
			default:
				operators[text] = true
			}
		}
	}
	if len(operators) > ownEscaped {
		s.Dialect.Escaped = true
		s.found("texts", "without escapes", fmt.Sprintf("%d different operators have escapes, and no text has & alone", len(operators)))
	} else if len(operators) > 0 {
		s.found("texts", "as written", "only names of operators have escapes, and no more than EPA has itself")
	}
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
