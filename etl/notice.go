package etl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/queue"
)

// NoticeKind says what a notice is about: 1 to 64 lower-case letters, digits
// and underscores. Readers must expect kinds that they do not know.
type NoticeKind string

// The kinds of notices.
const (
	NoticeRunFinished NoticeKind = "run_finished" // a run came to its end
	NoticeLoadHeld    NoticeKind = "load_held"    // a sheet waits for somebody's decision
	NoticeRunFailed   NoticeKind = "run_failed"   // a run loaded nothing
	NoticeRunMissed   NoticeKind = "run_missed"   // the schedule was due and nobody ran it
	NoticeFailure     NoticeKind = "failure"      // something else went wrong
)

// Notice is something that people are told. EncodeNotice and DecodeNotice keep
// Title to one line of at most 200 characters and Text to 16 KiB, both free of
// control characters.
type Notice struct {
	Kind  NoticeKind `json:"kind"`
	Time  time.Time  `json:"time"`
	RunID string     `json:"run_id,omitempty"`
	Title string     `json:"title"`          // one line
	Text  string     `json:"text,omitempty"` // plain text: details, and the commands that decide
}

// The limits of a notice.
const (
	maxNoticeKind  = 64
	maxNoticeTitle = 200      // characters
	maxNoticeText  = 16 << 10 // bytes
	maxNoticeLines = 50       // of details
)

const noticeType = "application/vnd.egrid.notice+json"

// EncodeNotice makes the message that carries a notice: its key is
// "notification." and the kind. Equal notices make equal messages. The error
// wraps [egrid.ErrInvalid].
func EncodeNotice(n Notice) (queue.Message, error) {
	n = n.tidy()
	if err := n.check(); err != nil {
		return queue.Message{}, fmt.Errorf("%w: notice: %w", egrid.ErrInvalid, err)
	}
	body, err := json.Marshal(n)
	if err != nil { // a year that JSON cannot write
		return queue.Message{}, fmt.Errorf("%w: notice: %w", egrid.ErrInvalid, err)
	}
	return queue.Message{Key: "notification." + string(n.Kind), Body: body, ContentType: noticeType}, nil
}

// DecodeNotice reads what [EncodeNotice] wrote, and passes over what it does
// not know. The error wraps [egrid.ErrInvalid].
func DecodeNotice(m queue.Message) (Notice, error) {
	fail := func(err error) (Notice, error) {
		return Notice{}, fmt.Errorf("%w: message %s: %w", egrid.ErrInvalid, m.ID, err)
	}
	if m.ContentType != noticeType || m.ContentEncoding != "" {
		return fail(fmt.Errorf("content type %q with encoding %q; want %s as it is", m.ContentType, m.ContentEncoding, noticeType))
	}
	if v := m.Headers[queue.HeaderVersion]; v != "" && v != queue.Version {
		return fail(fmt.Errorf("version %q; this program reads %s", v, queue.Version))
	}
	var n Notice
	if err := json.Unmarshal(m.Body, &n); err != nil {
		return fail(err)
	}
	n = n.tidy()
	if err := n.check(); err != nil {
		return fail(err)
	}
	return n, nil
}

func (n Notice) check() error {
	if !n.Kind.valid() {
		return fmt.Errorf("kind %q; want 1 to %d of a-z, 0-9 and _", n.Kind, maxNoticeKind)
	}
	if n.Title == "" {
		return errors.New("no title")
	}
	return nil
}

func (k NoticeKind) valid() bool {
	for _, c := range []byte(k) {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return k != "" && len(k) <= maxNoticeKind
}

func (n Notice) tidy() Notice {
	n.RunID = cut(oneLine(n.RunID), maxNoticeTitle)
	n.Title = cut(oneLine(n.Title), maxNoticeTitle)
	n.Text = tidyText(n.Text)
	return n
}

// oneLine makes every run of spaces and control characters one space.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsGraphic(r)
	}), " ")
}

// cut shortens s to at most n characters.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:n-1]), " ") + "…"
}

// tidyText keeps line ends and tabs, and drops all other control characters.
func tidyText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r == '\n', r == '\t', !unicode.IsControl(r):
			return r
		}
		return -1
	}, s)
	s = strings.TrimSpace(s)
	const more = "\n[cut]"
	if len(s) <= maxNoticeText {
		return s
	}
	s = s[:maxNoticeText-len(more)]
	for !utf8.ValidString(s) { // the last character is cut in two
		s = s[:len(s)-1]
	}
	return strings.TrimSpace(s) + more
}

// Notices returns what people are told of a run that ended at this time: how
// it ended, and one notice for every sheet that is held, with the reason and
// the commands that decide. Of a dry run, and of a run that found everything
// unchanged, there is nothing to tell.
func Notices(r Report, at time.Time) []Notice {
	count := outcomes(r)
	if r.Status == DryRun || r.Status == Unchanged && count[Failed]+count[Held]+count[Published] == 0 {
		return nil
	}
	all := []Notice{runNotice(r, count)}
	for _, f := range r.Files {
		for i := range f.Sheets {
			if f.Sheets[i].Status == Held {
				all = append(all, heldNotice(f, &f.Sheets[i]))
			}
		}
	}
	for i := range all {
		all[i].Time, all[i].RunID = at.UTC(), r.RunID
		all[i] = all[i].tidy()
	}
	return all
}

// MissedNotice says that due times of a schedule went by without a run.
func MissedNotice(m Missed, at time.Time) Notice {
	title := "Schedule missed: a due time without a run"
	if m.Count > 1 {
		title = fmt.Sprintf("Schedule missed: %d due times without a run", m.Count)
	}
	return Notice{Kind: NoticeRunMissed, Time: at.UTC(), Title: title, Text: m.String() +
		".\n\nOne run makes up for all of them; how it ends is told by itself. See egrid runs, and the logs of the service etl between these times. The schedule is " + m.Schedule + "."}.tidy()
}

// outcomes counts what became of the sheets.
func outcomes(r Report) map[Status]int {
	count := map[Status]int{}
	for _, f := range r.Files {
		for i := range f.Sheets {
			count[f.Sheets[i].Status]++
		}
	}
	return count
}

func runNotice(r Report, count map[Status]int) Notice {
	n := Notice{Kind: NoticeRunFinished, Title: "Load finished: " + summary(count), Text: details(r)}
	if r.Status == Failed {
		n.Kind, n.Title = NoticeRunFailed, "Load failed: "+summary(count)
	}
	return n
}

// statuses are the outcomes of a sheet in the order in which they are told.
func statuses() []Status { return []Status{Published, Held, Failed, Unchanged, LeftOut} }

// Words is the outcome for people, as "left out".
func (s Status) Words() string { return strings.ReplaceAll(string(s), "_", " ") }

func summary(count map[Status]int) string {
	var parts []string
	for _, s := range statuses() {
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[s], s.Words()))
		}
	}
	if len(parts) == 0 {
		return "there was nothing to load"
	}
	return strings.Join(parts, ", ")
}

// details lists what is not unchanged, a line each, what was rejected, and the columns
// that are not known.
func details(r Report) string {
	var lines, rejects, unknown []string
	for _, status := range statuses() {
		for _, f := range r.Files {
			for i := range f.Sheets {
				s := &f.Sheets[i]
				if s.Status != status {
					continue
				}
				if status != Unchanged {
					lines = append(lines, sheetLine(f.Object, s))
					if len(s.Unknown) > 0 {
						unknown = append(unknown, fmt.Sprintf("unknown columns, kept as text: %s: %s", nameOf(f.Object, s), cut(oneLine(strings.Join(s.Unknown, ", ")), maxNoticeTitle)))
					}
				}
				for _, g := range s.Rejects {
					rejects = append(rejects, fmt.Sprintf("rejected: %s: %s", nameOf(f.Object, s), oneLine(g.String())))
				}
			}
		}
	}
	lines = append(append(lines, rejects...), unknown...)
	if more := len(lines) - maxNoticeLines; more > 0 {
		lines = append(lines[:maxNoticeLines], fmt.Sprintf("and %d more", more))
	}
	if r.RejectsFile != nil {
		lines = append(lines, fmt.Sprintf("%d rejected records are kept in %s", r.RowsRejected, oneLine(*r.RejectsFile)))
	}
	return strings.Join(lines, "\n")
}

func sheetLine(object string, s *SheetReport) string {
	line := fmt.Sprintf("%s: %s", s.Status.Words(), nameOf(object, s))
	if s.Status == Published {
		line += fmt.Sprintf(", %d rows", s.Loaded)
	}
	if s.Reason != "" {
		line += ": " + oneLine(s.Reason)
	}
	return line
}

// nameOf names a sheet by what it holds, as far as that is known, and where it
// came from.
func nameOf(object string, s *SheetReport) string {
	from := oneLine(object)
	if s.Sheet != "" {
		from += ", sheet " + oneLine(s.Sheet)
	}
	if s.Level == "" {
		return from
	}
	what := fmt.Sprintf("%s %d", s.Level, s.Year)
	if s.Release != "" {
		what += " " + s.Release
	}
	return what + " from " + from
}

func heldNotice(f FileReport, s *SheetReport) Notice {
	text := cut(oneLine(s.Reason), maxNoticeText/8) + "\n\nReaders keep what they had. What decides, with the --store of this load:\n"
	for _, c := range s.Choices {
		text += fmt.Sprintf("\n    %s\n        %s", c.Command, c.Does)
	}
	return Notice{Kind: NoticeLoadHeld, Title: "Load held: " + nameOf(f.Object, s), Text: text}
}
