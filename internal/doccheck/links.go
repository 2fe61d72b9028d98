package doccheck

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence = regexp.MustCompile("(?ms)^[ ]*```.*?^[ ]*```[ ]*$")
	marks = regexp.MustCompile("[`*]|\\]\\([^)]*\\)|\\[")
)

// Links returns the targets of a document's links, in order.
func Links(document string) []string {
	var targets []string
	for _, found := range link.FindAllStringSubmatch(fence.ReplaceAllString(document, ""), -1) {
		targets = append(targets, found[1])
	}
	return targets
}

// Anchors returns what a link to a heading of the document may end in behind #, as GitHub
// makes it.
func Anchors(document string) map[string]bool {
	anchors := map[string]bool{}
	for line := range strings.Lines(fence.ReplaceAllString(document, "")) {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !ok || !strings.HasPrefix(line, "#") {
			continue
		}
		anchors[anchor(strings.TrimSpace(marks.ReplaceAllString(title, "")))] = true
	}
	return anchors
}

func anchor(title string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == ' ':
			return '-'
		case c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c):
			return unicode.ToLower(c)
		}
		return -1
	}, title)
}
