package egridtest

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

func testValues(f *fixture) {
	columns := []egrid.Column{egrid.Sequence, egrid.GeneratorID, egrid.NetGeneration}
	spec := sheetOf("a", 2023, "", columns...)
	flag := egrid.Field{Level: egrid.GEN, Column: "yes_or_no", Type: egrid.Flag}
	schema, err := egrid.NewSchema(append(spec.Schema.Fields(), flag)...)
	f.must(err)
	spec.Schema = schema
	values := [][]egrid.Value{
		{egrid.IntegerOf(9007199254740993), egrid.TextOf("0290"), egrid.NumberOf(0.1), egrid.FlagOf(true)},
		{egrid.IntegerOf(-1), egrid.TextOf("7E600"), egrid.NumberOf(-346000.5), egrid.FlagOf(false)},
		{{}, egrid.TextOf("NA"), egrid.NumberOf(5), {}},
		{egrid.IntegerOf(0), egrid.TextOf("line\nbreak \"quoted\" 'é"), egrid.NumberOf(1e300), {}},
	}
	rows, err := egrid.BatchOf(schema, 2023, values...)
	f.must(err)
	f.load(spec, driver.PublishAuto, rows)
	page, err := f.db.Rows(f.Context(), egrid.RowQuery{Level: egrid.GEN, Columns: schema.Columns()})
	f.must(err)
	for i := range values {
		if row := page.Row(i); !slices.Equal(row.Values(), values[i]) || row.Number() != int64(i+1) || row.Year() != 2023 {
			f.Errorf("row %d: got %v; want %v", i+1, row.Values(), values[i])
		}
	}
	byFlag := func(op egrid.Op, v ...string) egrid.RowQuery {
		return egrid.RowQuery{Filters: []egrid.Filter{egrid.Where("yes_or_no", op, v...)}}
	}
	f.wantTexts(egrid.GeneratorID, byFlag(egrid.Eq, "Yes"), "0290")
	f.wantTexts(egrid.GeneratorID, byFlag(egrid.Ne, "true"), "7E600")
	bySequence := func(op egrid.Op, v string) egrid.RowQuery {
		return egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.Sequence, op, v)}}
	}
	f.wantTexts(egrid.GeneratorID, bySequence(egrid.Gt, "-0.5"), "0290", values[3][1].String())
	f.wantTexts(egrid.GeneratorID, bySequence(egrid.Eq, "9007199254740992"))
	f.wantTexts(egrid.GeneratorID, bySequence(egrid.Eq, "9007199254740993"), "0290")
}

func testUnknownColumns(f *fixture) {
	hostile := `x"; DROP TABLE sheets; --`
	columns := append(slices.Clone(generators), "NEWCODE", "newcode", egrid.Column(hostile), egrid.Column(strings.Repeat("long ", 100)))
	spec := sheetOf("a", 2023, "", columns...)
	record := append(slices.Clone(ten[0]), "upper", "lower", "hostile", "long")
	f.load(spec, driver.PublishAuto, rowsOf(spec, record))
	for c, want := range map[egrid.Column]string{"NEWCODE": "upper", "newcode": "lower", egrid.Column(hostile): "hostile", columns[len(columns)-1]: "long"} {
		f.wantTexts(c, egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(c, egrid.Eq, want)}, Sort: []egrid.Sort{{Column: c}}}, want)
	}
}

func testTextOrder(f *fixture) {
	names := []string{"b", "B", "a", "A", "é", "10", "9", "Ω", "", "aa", "_", "z"}
	var records [][]string
	for i, name := range names {
		records = append(records, []string{"TX", name, fmt.Sprint(i), "1", "1"})
	}
	f.loadRecords("a", 2023, "", records...)
	ascending := []string{"10", "9", "A", "B", "_", "a", "aa", "b", "z", "é", "Ω", ""}
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.PlantName}}}, ascending...)
	descending := slices.Clone(ascending[:len(ascending)-1])
	slices.Reverse(descending)
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Sort: []egrid.Sort{{Column: egrid.PlantName, Desc: true}}}, append(descending, "")...)
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.PlantName, egrid.Ge, "aa")}, Sort: []egrid.Sort{{Column: egrid.PlantName}}}, "aa", "b", "z", "é", "Ω")
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.PlantName, egrid.Eq, "a")}}, "a")
}

func testSearch(f *fixture) {
	f.loadRecords("a", 2023, "",
		[]string{"TX", "100% Wind_Farm", "1", "1", "1"},
		[]string{"TX", "O'Brien \"North\"", "2", "1", "1"},
		[]string{"TX", "Peñuelas", "3", "1", "1"},
		[]string{"TX", "", "4", "WIND", "1"},
	)
	for search, want := range map[string][]string{
		"wind": {"1", "4"}, "WIND": {"1", "4"}, "farm 100": {"1"}, "%": {"1"}, "_": {"1"}, "o'b": {"2"}, "\"north\"": {"2"},
		"ñ": {"3"}, "Ñ": {}, "wind brien": {}, "  ": {"1", "2", "3", "4"}, "\\": {},
	} {
		f.wantTexts(egrid.PlantCode, egrid.RowQuery{Search: search}, want...)
	}
}

// testSearchByState finds plants by the name of their state, beside those that have it in
// their own.
func testSearchByState(f *fixture) {
	f.loadRecords("a", 2023, "",
		[]string{"TX", "Roscoe Wind", "1", "1", "1"},
		[]string{"LA", "Texas Eastern", "2", "1", "1"},
		[]string{"WV", "Harrison", "3", "1", "1"},
		[]string{"VA", "West End", "4", "1", "1"},
		[]string{"NM", "New Light", "5", "1", "1"},
		[]string{"NY", "Mexico Road", "6", "1", "1"},
		[]string{"", "Virginia City", "7", "1", "1"},
	)
	for search, want := range map[string][]string{
		"texas": {"1", "2"}, "TEXAS wind": {"1"}, "wind texas": {"1"}, "texas texas": {"1", "2"}, "west virginia": {"3"}, "virginia": {"4", "7"},
		"virginia west": {"4"}, "new mexico": {"5"}, "new": {"5"}, "mexico": {"6"}, "new york": {"6"}, "new york mexico": {"6"}, "texa": {"2"}, "tx": {},
		"texas virginia": {}, "city virginia": {"7"},
	} {
		f.wantTexts(egrid.PlantCode, egrid.RowQuery{Search: search}, want...)
	}
}

func testMissingValues(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	where := func(op egrid.Op, v ...string) egrid.RowQuery {
		return egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, op, v...)}}
	}
	f.wantTexts(egrid.PlantName, where(egrid.Missing), "Roscoe")
	if got := f.texts(egrid.PlantName, where(egrid.Present)); len(got) != 9 {
		f.Errorf("present in %q", got)
	}
	f.wantTexts(egrid.PlantName, where(egrid.Lt, "0"), "Ludington", "Seneca")
	f.wantTexts(egrid.PlantName, where(egrid.Eq, "0"), "Comanche Peak")
	many := make([]string, 1200) // more than databases take as one chain of alternatives
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Eq, many...), egrid.Where(egrid.NetGeneration, egrid.Lt, "1")}}, "Comanche Peak")
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Ne, many...), egrid.Where(egrid.NetGeneration, egrid.Lt, "1")}}, "Ludington", "Seneca")
	if got := f.texts(egrid.PlantName, where(egrid.Ne, "0")); len(got) != 8 {
		f.Errorf("a missing value is unequal to 0: %q", got)
	}
	// A column of the dictionary that the sheet lacks is missing everywhere.
	f.wantTexts(egrid.Fuel, egrid.RowQuery{Columns: []egrid.Column{egrid.Fuel}, Limit: 2, Sort: []egrid.Sort{{Column: egrid.Fuel}}}, "", "")
	f.wantTexts(egrid.PlantName, egrid.RowQuery{Filters: []egrid.Filter{egrid.Where(egrid.Fuel, egrid.Eq, "NG")}})
}

func testInvalidQueries(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	for name, q := range map[string]egrid.RowQuery{
		"level":         {Level: "PLANT"},
		"limit":         {Level: egrid.GEN, Limit: -1},
		"column":        {Level: egrid.GEN, Columns: []egrid.Column{"nonsense"}},
		"sort":          {Level: egrid.GEN, Sort: []egrid.Sort{{Column: "nonsense"}}},
		"filter column": {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where("nonsense", egrid.Eq, "1")}},
		"filter value":  {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Eq, "much")}},
		"filter empty":  {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Eq)}},
		"operator":      {Level: egrid.GEN, Filters: []egrid.Filter{egrid.Where(egrid.NetGeneration, "~", "1")}},
		"year":          {Level: egrid.GEN, Year: 1066},
		"release":       {Level: egrid.GEN, Release: "final"},
		"cursor":        {Level: egrid.GEN, Cursor: "nonsense"},
		"cursor JSON":   {Level: egrid.GEN, Cursor: base64.RawURLEncoding.EncodeToString([]byte(`{"q":1}`))},
	} {
		if _, err := f.db.Rows(f.Context(), q); !errors.Is(err, egrid.ErrInvalid) {
			f.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
	}
	for name, q := range map[string]egrid.GroupQuery{
		"no measure":  {Level: egrid.GEN},
		"by":          {Level: egrid.GEN, By: []egrid.Column{"nonsense"}, Measures: []egrid.Measure{{Func: egrid.Count}}},
		"sum of text": {Level: egrid.GEN, Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.State}}},
		"function":    {Level: egrid.GEN, Measures: []egrid.Measure{{Func: "median", Column: egrid.NetGeneration}}},
		"sort":        {Level: egrid.GEN, By: []egrid.Column{egrid.State}, Measures: []egrid.Measure{{Func: egrid.Count}}, Sort: []egrid.Sort{{Column: egrid.Fuel}}},
		"having":      {Level: egrid.GEN, By: []egrid.Column{egrid.State}, Measures: []egrid.Measure{{Func: egrid.Count}}, Having: []egrid.Filter{egrid.Where(egrid.Fuel, egrid.Eq, "NG")}},
	} {
		if _, err := f.db.Groups(f.Context(), q); !errors.Is(err, egrid.ErrInvalid) {
			f.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
	}
}

// testPages walks every page size under sort keys with ties and missing
// values, forwards and backwards.
func testPages(f *fixture) {
	f.loadRecords("a", 2022, "", ten[:5]...)
	f.loadRecords("b", 2023, "", ten...)
	for _, sort := range [][]egrid.Sort{
		nil,
		{{Column: egrid.State}},
		{{Column: egrid.NetGeneration}},
		{{Column: egrid.NetGeneration, Desc: true}},
		{{Column: egrid.State, Desc: true}, {Column: egrid.NetGeneration}},
		{{Column: egrid.Fuel}, {Column: egrid.Year, Desc: true}},
	} {
		q := egrid.RowQuery{Level: egrid.GEN, Year: egrid.AllYears, Sort: sort, Count: true}
		whole, err := f.db.Rows(f.Context(), q)
		f.must(err)
		if whole.Len() != 15 || whole.Total != 15 || whole.Next != "" {
			f.Fatalf("%v: %d rows of %d, next %q", sort, whole.Len(), whole.Total, whole.Next)
		}
		for limit := 1; limit <= 16; limit++ {
			var walked []egrid.Row
			q.Limit, q.Cursor, q.Count = limit, "", limit%2 == 0
			for pages := 0; ; pages++ {
				page, err := f.db.Rows(f.Context(), q)
				f.must(err)
				walked = append(walked, slices.Collect(page.Rows())...)
				if page.Next == "" || pages > 15 {
					break
				}
				q.Cursor = page.Next
			}
			if !slices.EqualFunc(walked, slices.Collect(whole.Rows()), func(a, b egrid.Row) bool {
				return a.Year() == b.Year() && a.Number() == b.Number() && slices.Equal(a.Values(), b.Values())
			}) {
				f.Errorf("%v by %d: pages give other rows than the whole", sort, limit)
			}
		}
	}
	n := 0
	for _, err := range f.db.All(f.Context(), egrid.RowQuery{Level: egrid.GEN, Year: egrid.AllYears}) {
		f.must(err)
		n++
	}
	if n != 15 {
		f.Errorf("All gave %d rows", n)
	}
}

func testCursors(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	q := egrid.RowQuery{Level: egrid.GEN, Limit: 3}
	page, err := f.db.Rows(f.Context(), q)
	f.must(err)
	q.Cursor = page.Next
	q.Search = "palo"
	if _, err := f.db.Rows(f.Context(), q); !errors.Is(err, egrid.ErrInvalid) {
		f.Errorf("the cursor of another query: got %v; want ErrInvalid", err)
	}
	q.Search = ""
	// A cursor goes on reading what its first page read, whatever is published.
	f.loadRecords("b", 2022, "", ten...)
	if r := f.replace("c", generators, other("8")); r.Status != egrid.Published {
		f.Fatalf("got %+v", r)
	}
	q.Limit = 20
	rest, err := f.db.Rows(f.Context(), q)
	f.must(err)
	if rest.Len() != 7 || rest.Row(6).Text(egrid.NetGeneration) != "7" || rest.Snapshots[0].ID != page.Snapshots[0].ID {
		f.Errorf("after a publish underneath: %d rows, the last with %s", rest.Len(), rest.Row(rest.Len()-1).Text(egrid.NetGeneration))
	}
	// It ends when that is pruned.
	if _, err := f.store.Prune(f.Context(), driver.PruneRequest{}); err != nil {
		f.Fatal(err)
	}
	if _, err := f.db.Rows(f.Context(), q); !errors.Is(err, egrid.ErrStale) {
		f.Errorf("after pruning: got %v; want ErrStale", err)
	}
}

func testGroups(f *fixture) {
	f.loadRecords("a", 2023, "", ten...)
	q := egrid.GroupQuery{
		Level: egrid.GEN, By: []egrid.Column{egrid.State},
		Measures: []egrid.Measure{
			{Func: egrid.Count}, {Func: egrid.Sum, Column: egrid.NetGeneration},
			{Func: egrid.Min, Column: egrid.PlantName, As: "first"}, {Func: egrid.Max, Column: egrid.NetGeneration, As: "most"},
		},
		Sort: []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}}, Count: true,
	}
	page, err := f.db.Groups(f.Context(), q)
	f.must(err)
	want := []string{
		"AZ 2 20954000 Palo Verde 10560000", "AL 1 10394000 Browns Ferry 10394000", "WY 1 794708 Wygen III 794708", "FL 2 12 Crist 7",
		"TX 2 0 Comanche Peak 0", "PA 1 -2443 Seneca -2443", "MI 1 -346000.5 Ludington -346000.5",
	}
	if got := lines(page.Batch); !slices.Equal(got, want) || page.Total != 7 {
		f.Errorf("got %q of %d", got, page.Total)
	}
	q.Having = []egrid.Filter{egrid.Where(egrid.NetGeneration, egrid.Gt, "0"), egrid.Where("rows", egrid.Eq, "1")}
	page, err = f.db.Groups(f.Context(), q)
	f.must(err)
	if got := lines(page.Batch); !slices.Equal(got, want[1:3]) || page.Total != 2 {
		f.Errorf("having: got %q of %d", got, page.Total)
	}
	q.Having = nil
	q.Limit = 2
	var walked []string
	for {
		page, err := f.db.Groups(f.Context(), q)
		f.must(err)
		walked = append(walked, lines(page.Batch)...)
		if q.Cursor = page.Next; page.Next == "" {
			break
		}
	}
	if !slices.Equal(walked, want) {
		f.Errorf("pages give %q", walked)
	}
	// The sum of nothing is missing, and one group has all rows.
	page, err = f.db.Groups(f.Context(), egrid.GroupQuery{Level: egrid.GEN, Search: "roscoe", Measures: []egrid.Measure{{Func: egrid.Count}, {Func: egrid.Sum, Column: egrid.NetGeneration}}})
	f.must(err)
	if got := lines(page.Batch); !slices.Equal(got, []string{"1 "}) {
		f.Errorf("got %q", got)
	}
	page, err = f.db.Groups(f.Context(), egrid.GroupQuery{Level: egrid.GEN, By: []egrid.Column{egrid.Fuel}, Measures: []egrid.Measure{{Func: egrid.Count}}})
	f.must(err)
	if got := lines(page.Batch); !slices.Equal(got, []string{" 10"}) {
		f.Errorf("by an absent column: got %q", got)
	}
}

func lines(rows *egrid.Batch) []string {
	texts := make([]string, rows.Len())
	for i := range texts {
		values := rows.Row(i).Values()
		parts := make([]string, len(values))
		for j, v := range values {
			parts[j] = v.String()
		}
		texts[i] = strings.Join(parts, " ")
	}
	return texts
}
