package store

import (
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Marked returns the answer with the columns of [egrid.MarkFields] behind the others
// where there is something to say: who published the rows' editions, unless all are
// EPA's, and which of the columns were rounded before they were read. So a table that
// leaves the store for another one takes that with it. With codes the rounded columns
// are named by EPA's codes.
//
// It is for rows of a level. Rows of several snapshots are told apart by data year and
// release; where an answer has chosen other columns, nothing is added, nor where rows
// of several snapshots cannot be told apart.
func (a Answer) Marked(codes bool) Answer {
	level := a.Schema.Field(0).Level
	context := slices.DeleteFunc(egrid.ContextFields(level), func(f egrid.Field) bool { return a.Schema.Has(f.Column) })
	if len(context) > 0 || len(a.Snapshots) == 0 {
		return a
	}
	type edition struct {
		year    int64
		release string
	}
	marks := map[edition][2]string{}
	others, rounded := false, false
	for i := range a.Snapshots {
		s := &a.Snapshots[i]
		var names []string
		for _, f := range a.Schema.Fields() {
			switch {
			case !slices.Contains(s.Lossy, f.Column):
			case codes && f.Code != "":
				names = append(names, f.Code)
			default:
				names = append(names, string(f.Column))
			}
		}
		others, rounded = others || s.Authority != egrid.DefaultAuthority, rounded || len(names) > 0
		marks[edition{int64(s.Year), s.Release}] = [2]string{s.Authority, strings.Join(names, " ")}
	}
	if !others && !rounded {
		return a
	}
	fields, own := a.Schema.Fields(), []egrid.Field(nil)
	var which []int
	for i, wanted := range []bool{others, rounded} {
		if f := egrid.MarkFields(level)[i]; wanted && !a.Schema.Has(f.Column) {
			own, which = append(own, f), append(which, i)
		}
	}
	schema, err := egrid.NewSchema(append(fields, own...)...)
	if err != nil {
		panic(err) // the names differ, as was seen above
	}
	added, err := egrid.NewSchema(own...)
	if err != nil {
		panic(err)
	}
	from := make([]int, schema.Len())
	for i := range from {
		from[i] = i
	}
	out, yearAt, releaseAt := a, a.Schema.Index(egrid.Year), a.Schema.Index(egrid.ReleaseColumn)
	out.Schema, out.Batches = schema, func(yield func(*egrid.Batch, error) bool) {
		for b, err := range a.Batches {
			if err != nil {
				yield(nil, err)
				return
			}
			builder := egrid.NewBuilder(added, b.Year())
			for i := range b.Len() {
				year, _ := b.Column(yearAt).Int(i)
				said := marks[edition{year, b.Column(releaseAt).Value(i).String()}]
				for j, at := range which {
					builder.Text(j, []byte(said[at]))
				}
				builder.EndRow(b.Number(i), 0)
			}
			if !yield(b.Project(schema, from, builder.Batch()), nil) {
				return
			}
		}
	}
	return out
}
