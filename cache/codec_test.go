package cache_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/cache"
	"github.com/egrid-analytics/egrid-go/egrid"
)

// samplePage is a page with a column that its snapshot has and one that it has
// not.
func samplePage(t testing.TB) (egrid.RowPage, []egrid.Snapshot) {
	t.Helper()
	own := egrid.Field{Level: egrid.GEN, Column: "own header", Type: egrid.Text}
	both, err := egrid.NewSchema(schema.Field(0), own)
	if err != nil {
		t.Fatal(err)
	}
	known := []egrid.Snapshot{
		{ID: "a", Level: egrid.PLNT, Status: egrid.Published, LoadedAt: time.Unix(1e9, 0).UTC(), Revision: 1},
		{ID: "b", Level: egrid.GEN, Status: egrid.Published, Schema: schema, LoadedAt: time.Unix(2e9, 5).UTC(), Revision: 2},
	}
	page := egrid.RowPage{Schema: both, Next: "next", Total: -1, Revision: 2, Snapshots: known[1:]}
	for i, v := range []egrid.Value{egrid.TextOf("\xff\x00"), {}, egrid.FlagOf(true), egrid.FlagOf(false), egrid.NumberOf(0.1)} {
		page.Rows = append(page.Rows, egrid.Row{Schema: both, Values: []egrid.Value{egrid.IntegerOf(1<<62 + int64(i)), v}, Year: 2023, Number: int64(i)})
	}
	return page, known
}

func TestCodec(t *testing.T) {
	t.Parallel()
	full, known := samplePage(t)
	empty := full
	empty.Rows, empty.Snapshots, empty.Next = []egrid.Row{}, nil, ""
	for name, page := range map[string]egrid.RowPage{
		"full": full, "empty": empty, "zero": {}, "no rows": {Schema: full.Schema, Snapshots: []egrid.Snapshot{}, Revision: -1 << 63},
	} {
		value, ok := cache.EncodePage("key", &page, known)
		if !ok {
			t.Errorf("%s: not encoded", name)
			continue
		}
		got, ok := cache.DecodePage("key", value, known)
		if !ok || !reflect.DeepEqual(got, page) {
			t.Errorf("%s: got %+v; want %+v", name, got, page)
		}
		if _, ok := cache.DecodePage("another key", value, known); ok {
			t.Errorf("%s: answers another key", name)
		}
		for i := range value {
			if _, ok := cache.DecodePage("key", value[:i], known); ok {
				t.Errorf("%s: %d bytes of %d are taken", name, i, len(value))
			}
			for bit := range 8 {
				value[i] ^= 1 << bit
				if _, ok := cache.DecodePage("key", value, known); ok {
					t.Errorf("%s: bit %d of byte %d makes no difference", name, bit, i)
				}
				value[i] ^= 1 << bit
			}
		}
	}
}

// What could not be read back exactly is not written.
func TestCodecRefuses(t *testing.T) {
	t.Parallel()
	lossy, err := egrid.ParseValue(egrid.Number, "1,000")
	if err != nil {
		t.Fatal(err)
	}
	header := egrid.Field{Column: "invalid \xff header", Type: egrid.Text}
	invalid, err := egrid.NewSchema(header)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*egrid.RowPage){
		"a value that was rounded":     func(p *egrid.RowPage) { p.Rows[0].Values[1] = lossy },
		"a row of another schema":      func(p *egrid.RowPage) { p.Rows[0].Schema = schema },
		"a short row":                  func(p *egrid.RowPage) { p.Rows[0].Values = p.Rows[0].Values[:1] },
		"rows without a schema":        func(p *egrid.RowPage) { p.Schema = nil },
		"a header that is not UTF-8":   func(p *egrid.RowPage) { p.Schema, p.Rows = invalid, nil },
		"a snapshot that is not known": func(p *egrid.RowPage) { p.Snapshots = []egrid.Snapshot{{ID: "c"}} },
		"a snapshot that was altered": func(p *egrid.RowPage) {
			altered := p.Snapshots[0]
			altered.Reason = "altered"
			p.Snapshots = []egrid.Snapshot{altered}
		},
	} {
		page, known := samplePage(t)
		change(&page)
		if _, ok := cache.EncodePage("key", &page, known); ok {
			t.Errorf("%s is written", name)
		}
	}
}

// A page that is read from any bytes is written and read again as the same.
func FuzzReadPage(f *testing.F) {
	page, known := samplePage(f)
	body, _ := cache.AppendPage(&page, known)
	f.Add(body)
	empty, _ := cache.AppendPage(&egrid.RowPage{}, known)
	f.Add(empty)
	f.Fuzz(func(t *testing.T, body []byte) {
		page, ok := cache.ReadPage(body, known)
		if !ok {
			return
		}
		again, ok := cache.AppendPage(&page, known)
		if !ok {
			t.Fatalf("cannot be written: %+v", page)
		}
		if got, ok := cache.ReadPage(again, known); !ok || !reflect.DeepEqual(got, page) {
			t.Errorf("got %+v; want %+v", got, page)
		}
	})
}

// Values that nobody wrote are never taken.
func FuzzDecodePage(f *testing.F) {
	page, known := samplePage(f)
	good, _ := cache.EncodePage("key", &page, known)
	f.Add(good[1:])
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, value []byte) {
		if got, ok := cache.DecodePage("key", value, known); ok && !reflect.DeepEqual(got, page) {
			t.Errorf("took %q for %+v", value, got)
		}
	})
}
