package notify

import (
	"bytes"
	"encoding/base64"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/egrid-analytics/egrid-go/etl"
)

// composeMail writes a notice as a mail. Headers are made of addresses that
// were parsed, of an id in letters and digits, and of a subject that is
// printable or in base64; the rest is the body.
func composeMail(from *mail.Address, to []*mail.Address, id string, n etl.Notice) []byte {
	var b bytes.Buffer
	header := func(name, value string) { b.WriteString(name + ": " + value + "\r\n") }
	header("From", from.String())
	header("To", addressList(to))
	header("Subject", subject(n.Title))
	header("Date", dateOf(n).Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	header("Message-ID", "<"+plainID(id)+from.Address[strings.LastIndexByte(from.Address, '@'):]+">")
	header("Auto-Submitted", "auto-generated") // no out-of-office replies, please
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	_, _ = w.Write([]byte(bodyOf(n))) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

func addressList(to []*mail.Address) string {
	all := make([]string, len(to))
	for i, a := range to {
		all[i] = a.String()
	}
	return strings.Join(all, ",\r\n ")
}

func dateOf(n etl.Notice) time.Time {
	if n.Time.IsZero() {
		return time.Now().UTC()
	}
	return n.Time.UTC()
}

// lineEnds makes all line ends one: the writer of package quotedprintable takes
// the next \n, wherever it comes, for the rest of a lone \r.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func bodyOf(n etl.Notice) string {
	text := n.Text
	if text == "" {
		text = n.Title
	}
	if n.RunID != "" {
		text += "\n\nRun " + n.RunID
	}
	return lineEnds.Replace(strings.ToValidUTF8(text+"\n", "\uFFFD"))
}

// maxLine is how long a header's line is at most; RFC 5322 asks for less than
// 78 characters where that can be.
const maxLine = 76

// subject writes a title as it is when it is short and printable, and else as
// encoded words of RFC 2047.
func subject(title string) string {
	title = strings.TrimSpace(strings.Map(blankControls, strings.ToValidUTF8(title, "\uFFFD")))
	if printable(title) && !strings.Contains(title, "=?") && len("Subject: ")+len(title) <= maxLine {
		return title
	}
	var words []string
	for len(title) > 0 {
		n := wholeRunes(title, 39) // which make 52 of base64, and a word of 64
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(title[:n]))+"?=")
		title = title[n:]
	}
	return strings.Join(words, "\r\n ")
}

func blankControls(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// wholeRunes returns how many bytes the characters have that begin s and fit
// into n bytes.
func wholeRunes(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	end := 0
	for at := range s {
		if at > n {
			break
		}
		end = at
	}
	return end
}

// printable reports whether s is made of printable ASCII characters.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}
