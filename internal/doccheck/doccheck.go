// Package doccheck runs the commands of the documents, so that none of them says what
// does not work; a [Module] compiles the Go in comments of packages, and finds names in
// documents that no package exports. It reads blocks of shell (```sh) and whole Go programs (```go that
// begin with package) from Markdown.
//
// A comment right above a block says how it is tried:
//
//	<!-- exit 3 -->            the status of the block's last command; 0 when it is left out
//	<!-- prints 27 rows -->    what its output has in it; may be repeated
//	<!-- serves -->            its last command serves until the document ends
//	<!-- not run: REASON -->   it is not tried, and the reason stands there for readers
//
// The blocks of a document run in order, in one empty folder with an empty home, beside
// files that a reader has by then: see the test.
//
// # Errors
//
// Blocks returns what is wrong with a document, by line.
package doccheck

import (
	"fmt"
	"strconv"
	"strings"
)

// Block is a fenced block of a document.
type Block struct {
	Language string // of the fence, e.g. sh
	Line     int    // of its first line of text, from 1
	Text     string
	Exit     int      // the status that its last command should have
	Prints   []string // what its output should have in it
	Serves   bool     // its last command serves
	NotRun   string   // why it is not tried; empty for one that is
}

// Blocks finds the fenced blocks of a document.
func Blocks(document string) ([]Block, error) {
	var blocks []Block
	var above Block // what the comments above say
	indent, open := "", false
	for i, line := range strings.Split(document, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case open && trimmed == "```":
			open = false
		case open:
			last := &blocks[len(blocks)-1]
			last.Text += strings.TrimPrefix(line, indent) + "\n"
		case strings.HasPrefix(trimmed, "```"):
			indent, open = line[:strings.Index(line, "`")], true
			above.Language, above.Line = strings.TrimPrefix(trimmed, "```"), i+2
			blocks = append(blocks, above)
			above = Block{}
		case strings.HasPrefix(trimmed, "<!-- "):
			if err := above.read(trimmed); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
		case trimmed != "":
			if above.marked() {
				return nil, fmt.Errorf("line %d: the comment above belongs to a block, and no block follows", i+1)
			}
		}
	}
	if open {
		return nil, fmt.Errorf("the block of line %d does not end", blocks[len(blocks)-1].Line)
	}
	return blocks, nil
}

func (b *Block) marked() bool { return b.Exit != 0 || b.Prints != nil || b.Serves || b.NotRun != "" }

// read takes a comment.
func (b *Block) read(comment string) error {
	text := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(comment, "<!--"), "-->"))
	word, rest, _ := strings.Cut(text, " ")
	var err error
	switch word {
	case "exit":
		b.Exit, err = strconv.Atoi(rest)
	case "prints":
		b.Prints = append(b.Prints, rest)
	case "serves":
		b.Serves = true
	case "not":
		reason, ok := strings.CutPrefix(rest, "run: ")
		if !ok || len(reason) < 10 {
			return fmt.Errorf("a block that is not run needs a reason: <!-- not run: REASON -->")
		}
		b.NotRun = reason
	case "generated", "note:": // for those who edit the file
	default:
		return fmt.Errorf("%q says nothing of a block", comment)
	}
	return err
}
