package etl_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
)

var noticeTime = time.Date(2024, 1, 30, 12, 0, 0, 0, time.UTC)

func heldReport() etl.Report {
	rejects := "rejects.csv"
	return etl.Report{
		RunID: "20240130T120000Z-abcdef", Status: etl.Held, RowsRead: 12, RowsLoaded: 8, RowsRejected: 2, RejectsFile: &rejects,
		Files: []etl.FileReport{
			{Object: "GEN23.csv", Sheets: []etl.SheetReport{{Level: egrid.GEN, Year: 2023, Loaded: 8, Status: etl.Published, Unknown: []string{"OWNNOTE", "Our\nremark"},
				Rejects: []etl.RejectGroup{{Reason: "not a number", Column: egrid.NetGeneration, Count: 2, Line: 17, Value: "12 apples"}}}}},
			{Object: "egrid 2018.xlsx", Sheets: []etl.SheetReport{
				{Sheet: "SRL18", Level: egrid.SRL, Year: 2018, Release: "v2", Status: etl.Held, Stage: "1f6a", Reason: "CO2e is below CO2 in 1 row",
					Choices: []egrid.Choice{{Command: "egrid publish 1f6a", Does: "publishes it"}, {Command: "egrid discard 1f6a", Does: "drops it"}}},
				{Sheet: "US18", Level: egrid.US, Year: 2018, Release: "v2", Status: etl.Unchanged},
			}},
			{Object: "damaged.zip", Sheets: []etl.SheetReport{{Status: etl.Failed, Reason: "not a zip archive;\nfetch it again"}}},
			{Object: "notes.csv", Sheets: []etl.SheetReport{{Status: etl.LeftOut, Reason: "not an eGRID sheet"}}},
		},
	}
}

func ExampleNotices() {
	for _, n := range etl.Notices(heldReport(), noticeTime) {
		fmt.Printf("[%s] %s\n%s\n\n", n.Kind, n.Title, n.Text)
	}
	// Output:
	// [run_finished] Load finished: 1 published, 1 held, 1 failed, 1 unchanged, 1 left out
	// published: GEN 2023 from GEN23.csv, 8 rows
	// held: SRL 2018 v2 from egrid 2018.xlsx, sheet SRL18: CO2e is below CO2 in 1 row
	// failed: damaged.zip: not a zip archive; fetch it again
	// left out: notes.csv: not an eGRID sheet
	// rejected: GEN 2023 from GEN23.csv: net_generation_mwh: not a number (2 records, the first in line 17: "12 apples")
	// unknown columns, kept as text: GEN 2023 from GEN23.csv: OWNNOTE, Our remark
	// 2 rejected records are kept in rejects.csv
	//
	// [load_held] Load held: SRL 2018 v2 from egrid 2018.xlsx, sheet SRL18
	// CO2e is below CO2 in 1 row
	//
	// Readers keep what they had. What decides, with the --store of this load:
	//
	//     egrid publish 1f6a
	//         publishes it
	//     egrid discard 1f6a
	//         drops it
}

func TestNotices(t *testing.T) {
	t.Parallel()
	sheet := func(s etl.Status) []etl.FileReport {
		return []etl.FileReport{{Object: "a.csv", Sheets: []etl.SheetReport{{Level: egrid.GEN, Year: 2023, Status: s}}}}
	}
	refused := etl.FileReport{Object: "b.csv", Sheets: []etl.SheetReport{{Status: etl.Failed, Reason: "no sheet"}}}
	for _, test := range []struct {
		name   string
		report etl.Report
		want   []string
	}{
		{"unchanged", etl.Report{Status: etl.Unchanged, Files: sheet(etl.Unchanged), RowsRejected: 1}, nil},
		{"dry run", etl.Report{Status: etl.DryRun, Files: append(sheet(etl.DryRun), refused)}, nil},
		{"unchanged beside a refused file", etl.Report{Status: etl.Unchanged, Files: append(sheet(etl.Unchanged), refused)},
			[]string{"run_finished Load finished: 1 failed, 1 unchanged"}},
		{"published", etl.Report{Status: etl.Published, Files: sheet(etl.Published)}, []string{"run_finished Load finished: 1 published"}},
		{"held", etl.Report{Status: etl.Held, Files: append(sheet(etl.Held), sheet(etl.Held)...)},
			[]string{"run_finished Load finished: 2 held", "load_held Load held: GEN 2023 from a.csv", "load_held Load held: GEN 2023 from a.csv"}},
		{"failed", etl.Report{Status: etl.Failed, Files: []etl.FileReport{refused}}, []string{"run_failed Load failed: 1 failed"}},
		{"nothing", etl.Report{Status: etl.Failed}, []string{"run_failed Load failed: there was nothing to load"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.report.RunID = "r1"
			var got []string
			for _, n := range etl.Notices(test.report, noticeTime.In(time.FixedZone("", 3600))) {
				got = append(got, string(n.Kind)+" "+n.Title)
				if n.RunID != "r1" || n.Time != noticeTime {
					t.Errorf("%+v: want run r1 at %v in UTC", n, noticeTime)
				}
				if _, err := etl.EncodeNotice(n); err != nil {
					t.Error(err)
				}
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q; want %q", got, test.want)
			}
		})
	}
}

// A run of a real source tells what its report says.
func TestNoticesOfARun(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{
		"GEN.csv":   generators,
		"SRL23.csv": "SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\nNYCW,5,10,8\n", // held: CO2e below CO2
	})
	report, store := run(t, etl.Local(dir), nil)
	notices := etl.Notices(report, noticeTime)
	if len(notices) != 2 || notices[1].Kind != etl.NoticeLoadHeld || !strings.Contains(notices[1].Text, "egrid publish "+string(report.Files[1].Sheets[0].Stage)+"\n") {
		t.Errorf("got %+v; want the run's and that of the held SRL23.csv", notices)
	}
	again, err := etl.New(etl.Local(filepath.Join(dir, "GEN.csv")), etl.ToLoader(store), nil).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := etl.Notices(again, noticeTime); n != nil {
		t.Errorf("the same again tells %+v; want nothing", n)
	}
}

// Names and reasons come from files: they can end no line and no command early.
func TestNoticesOfHostileNames(t *testing.T) {
	t.Parallel()
	object := "it's $(here)\n; rm -rf ~.csv\x1b[2J"
	report := etl.Report{Status: etl.Held, Files: []etl.FileReport{{Object: object, Sheets: []etl.SheetReport{
		{Status: etl.Held, Reason: "why\nPublish it:\n    rm -rf ~"},
	}}}}
	n := etl.Notices(report, noticeTime)[1]
	if want := "Load held: it's $(here) ; rm -rf ~.csv [2J"; n.Title != want {
		t.Errorf("got %s; want %s", n.Title, want)
	}
	if strings.Contains(n.Text, "\n    rm") || strings.ContainsAny(n.Title, "\n\x1b") {
		t.Errorf("got %q", n)
	}
}

func TestNoticesOfManyFiles(t *testing.T) {
	t.Parallel()
	report := etl.Report{Status: etl.Failed}
	for i := range 1000 {
		report.Files = append(report.Files, etl.FileReport{Object: fmt.Sprintf("%d.csv", i), Sheets: []etl.SheetReport{{Status: etl.Failed, Reason: strings.Repeat("é", 1000)}}})
	}
	n := etl.Notices(report, noticeTime)[0]
	if len(n.Text) > 16<<10 || !strings.HasSuffix(n.Text, "\n[cut]") || !utf8.ValidString(n.Text) {
		t.Errorf("%d bytes that end in %q", len(n.Text), n.Text[len(n.Text)-20:])
	}
	for i := range report.Files {
		report.Files[i].Sheets[0].Reason = "no sheet"
	}
	if n := etl.Notices(report, noticeTime)[0]; !strings.HasSuffix(n.Text, "49.csv: no sheet\nand 950 more") {
		t.Errorf("got %s", n.Text)
	}
}

func TestNoticeThroughMessage(t *testing.T) {
	t.Parallel()
	n := etl.Notice{Kind: etl.NoticeFailure, Time: noticeTime, RunID: "r1", Title: "Ünïcode", Text: "a\nb\tc"}
	m, err := etl.EncodeNotice(n)
	if err != nil {
		t.Fatal(err)
	}
	normal, err := m.Normalize(t.Context())
	if err != nil || m.Key != "notification.failure" || !reflect.DeepEqual(queue.DefaultTopology().Route(m.Key), []string{queue.QueueNotification}) {
		t.Errorf("key %s, %v", m.Key, err)
	}
	if got, err := etl.DecodeNotice(normal); err != nil || got != n {
		t.Errorf("got %+v, %v; want %+v", got, err, n)
	}
	if again, _ := etl.EncodeNotice(n); string(again.Body) != string(m.Body) {
		t.Error("equal notices make different messages")
	}
	n.Title, n.Text = " two\r\nlines\x00"+strings.Repeat("x", 500), "a\r\nb\rc\x1b[2J\xff"
	m, err = etl.EncodeNotice(n)
	got, decodeErr := etl.DecodeNotice(m)
	if err != nil || decodeErr != nil || !strings.HasPrefix(got.Title, "two lines x") || utf8.RuneCountInString(got.Title) != 200 || got.Text != "a\nb\nc[2J\uFFFD" {
		t.Errorf("got %+v, %v, %v", got, err, decodeErr)
	}
}

func TestNoticesThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, n := range []etl.Notice{
		{Kind: "failure"},
		{Kind: "failure", Title: "\n"},
		{Title: "x"},
		{Kind: "a.b", Title: "x"},
		{Kind: "#", Title: "x"},
		{Kind: "Failure", Title: "x"},
		{Kind: etl.NoticeKind(strings.Repeat("a", 65)), Title: "x"},
		{Kind: "failure", Title: "x", Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if _, err := etl.EncodeNotice(n); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%+v: %v; want ErrInvalid", n, err)
		}
	}
	const contentType = "application/vnd.egrid.notice+json"
	good := queue.Message{ContentType: contentType, Body: []byte(`{"kind":"from_the_future","title":"x","more":{"y":1}}`)}
	if n, err := etl.DecodeNotice(good); err != nil || n.Kind != "from_the_future" {
		t.Errorf("%+v, %v; want what is not known to be passed over", n, err)
	}
	for _, m := range []queue.Message{
		{Body: good.Body},
		{Body: good.Body, ContentType: contentType, ContentEncoding: "gzip"},
		{Body: good.Body, ContentType: contentType, Headers: map[string]string{queue.HeaderVersion: "2"}},
		{ContentType: contentType},
		{ContentType: contentType, Body: []byte(`{"kind":"failure"}`)},
		{ContentType: contentType, Body: []byte(`{"title":"x"}`)},
		{ContentType: contentType, Body: []byte(`{"kind":"failure","title":7}`)},
		{ContentType: contentType, Body: []byte(`{"kind":"failure","title":"x"} more`)},
	} {
		if n, err := etl.DecodeNotice(m); !errors.Is(err, egrid.ErrInvalid) || n != (etl.Notice{}) {
			t.Errorf("%s: %+v, %v; want ErrInvalid", m.Body, n, err)
		}
	}
}

func FuzzDecodeNotice(f *testing.F) {
	m, err := etl.EncodeNotice(etl.Notices(heldReport(), noticeTime)[1])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Body)
	f.Add(m.Body[:len(m.Body)/2])
	f.Add([]byte(`{"kind":"x","title":"\u202e\r\n\u0000","text":"\r\r\n\u0085\ud800","time":"9999-12-31T23:59:59-23:59"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := etl.DecodeNotice(queue.Message{Body: body, ContentType: m.ContentType})
		if err != nil {
			if !errors.Is(err, egrid.ErrInvalid) {
				t.Errorf("%v is not an ErrInvalid", err)
			}
			return
		}
		if strings.ContainsAny(n.Title, "\r\n\x00") || utf8.RuneCountInString(n.Title) > 200 || len(n.Text) > 16<<10 || strings.Contains(n.Text, "\r") {
			t.Errorf("%+v is beyond the limits", n)
		}
		again, err := etl.EncodeNotice(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Normalize(t.Context()); err != nil {
			t.Error(err)
		}
		if got, err := etl.DecodeNotice(again); err != nil || !got.Time.Equal(n.Time) || got.Title != n.Title || got.Text != n.Text || got.Kind != n.Kind || got.RunID != n.RunID {
			t.Errorf("%+v became %+v, %v", n, got, err)
		}
	})
}
