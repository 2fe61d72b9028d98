package store_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// severalYears is a sheet of two data years that is decoded in several runs, and
// among whose records every 300th cannot be read.
func severalYears() (text string, rows map[int]int64, rejected int64) {
	var b strings.Builder
	b.WriteString("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n")
	rows = map[int]int64{}
	for i := range 45_000 {
		if i%300 == 299 {
			fmt.Fprintf(&b, "2021,WY,Plant,%d,1,many\n", i)
			rejected++
			continue
		}
		year := 2021 + i/30_000
		fmt.Fprintf(&b, "%d,WY,Plant,%d,1,%d.5\n", year, i, i)
		rows[year]++
	}
	return b.String(), rows, rejected
}

func TestLoad(t *testing.T) {
	text, rows, rejected := severalYears()
	s := memstore.New()
	defer s.Close()
	o := &store.LoadOptions{ReaderOptions: sheet.ReaderOptions{Name: "folder/GEN.csv"}}
	loaded, err := store.Load(t.Context(), s, strings.NewReader(text), o)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Sheet.Level != egrid.GEN || loaded.Rejected != rejected || len(loaded.Rejects) != 100 || len(loaded.Reports) != 2 {
		t.Fatalf("%s: %d rejected, %d of them shown, %d reports; want %d rejected", loaded.Sheet.Level, loaded.Rejected, len(loaded.Rejects), len(loaded.Reports), rejected)
	}
	sum := sha256.Sum256([]byte(text))
	sourced := int64(0)
	for i, r := range loaded.Reports {
		snapshot := r.Snapshot
		if r.Status != egrid.Published || snapshot.Year != 2021+i || snapshot.Rows != rows[snapshot.Year] {
			t.Errorf("%s, %d rows of %d; want %d", r.Status, snapshot.Rows, snapshot.Year, rows[2021+i])
		}
		source := snapshot.Sources[0]
		if len(snapshot.Sources) != 1 || source.Object != "folder/GEN.csv" || source.SHA256 != hex.EncodeToString(sum[:]) || source.Bytes != int64(len(text)) {
			t.Errorf("sources %+v", snapshot.Sources)
		}
		sourced += snapshot.Rejected
	}
	if sourced != rejected {
		t.Errorf("the snapshots say that %d records were rejected; want %d, each once", sourced, rejected)
	}
	if first := loaded.Rejects[0]; first.Line != 301 || first.Number != 300 || first.Column != egrid.NetGeneration {
		t.Errorf("the first reject is %+v", first)
	}
	page, err := store.New(s).Rows(t.Context(), egrid.RowQuery{Level: egrid.GEN, Year: 2022, Limit: 1, Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}})
	if err != nil || page.Row(0).Text(egrid.NetGeneration) != "44998.5" || page.Row(0).Number() != 44_999 {
		t.Errorf("the last row is %v, %v", page.Batch, err)
	}

	again, err := store.Load(t.Context(), s, strings.NewReader(text), o)
	if err != nil || len(again.Reports) != 2 || again.Reports[0].Status != egrid.Unchanged || again.Reports[1].Status != egrid.Unchanged {
		t.Errorf("the same again: %+v, %v", again.Reports, err)
	}
	fewer := strings.Join(strings.SplitAfter(text, "\n")[:5000], "")
	held, err := store.Load(t.Context(), s, strings.NewReader(fewer), o)
	if err != nil || len(held.Reports) != 1 || held.Reports[0].Status != egrid.Held || held.Reports[0].Reason == "" {
		t.Errorf("a sixth of the rows: %+v, %v", held.Reports, err)
	}
	o.Publish = driver.PublishReplace
	if replaced, err := store.Load(t.Context(), s, strings.NewReader(fewer), o); err != nil || replaced.Reports[0].Status != egrid.Published {
		t.Errorf("replacing: %+v, %v", replaced.Reports, err)
	}
}

// A file that cannot be read to its end leaves nothing behind.
func TestLoadOfBrokenFiles(t *testing.T) {
	text, _, _ := severalYears()
	head, _, _ := strings.Cut(text, "\n")
	ended, end := context.WithCancel(t.Context())
	end()
	for name, test := range map[string]struct {
		ctx  context.Context
		text string
		want error
	}{
		"no sheet":     {t.Context(), "a,b\n1,2\n", egrid.ErrInvalid},
		"nothing":      {t.Context(), "", egrid.ErrInvalid},
		"no rows":      {t.Context(), head + "\n", egrid.ErrInvalid},
		"only rejects": {t.Context(), head + "\n2021,WY,Plant,1,1,x\n2021,WY,Plant,1,1,y\n", egrid.ErrInvalid},
		"never closed": {t.Context(), text + "2021,WY,\"Plant,1,1,2\n2021,WY,Plant,1,1,3\n", egrid.ErrInvalid},
		"nobody waits": {ended, text, context.Canceled},
	} {
		s := memstore.New()
		loaded, err := store.Load(test.ctx, s, strings.NewReader(test.text), nil)
		if !errors.Is(err, test.want) || len(loaded.Reports) > 0 {
			t.Errorf("%s: %+v, %v; want %v", name, loaded.Reports, err, test.want)
		}
		if catalog, err := s.Catalog(t.Context()); err != nil || len(catalog.Snapshots) > 0 {
			t.Errorf("%s: %d snapshots, %v", name, len(catalog.Snapshots), err)
		}
		s.Close()
	}
}
