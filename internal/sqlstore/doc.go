// Package sqlstore is what stores in SQL databases share: it writes the SQL of
// a plan, reads the result into batches, and pages through long answers.
//
// A store describes its database by a [Dialect] and where it keeps a snapshot
// by a [Table]. Its Scan is [Scan] with a function that, in one transaction,
// checks that the snapshots are there, builds the statement and reads it:
//
//	func (s *Store) Scan(ctx context.Context, p *driver.Plan) iter.Seq2[*egrid.Batch, error] {
//		return sqlstore.Scan(ctx, p, s.page)
//	}
//
//	func (s *Store) page(ctx context.Context, p *driver.Plan) (answer sqlstore.Answer, err error) {
//		q, err := dialect.Build(p, s.table) // then, in a transaction:
//		rows, err := tx.QueryContext(ctx, q.Text, q.Args...)
//		return q.Read(rows)
//	}
package sqlstore

import (
	"github.com/egrid-analytics/egrid-go/egrid"
)

// Dialect is how a database writes what differs between databases. All fields
// are required.
type Dialect struct {
	// Mark writes the n-th bound value, from 1, as a value of a type.
	Mark func(n int, t egrid.Type) string
	// Text follows an expression of text that is no column, e.g. a collation.
	Text string
	// Contains writes the condition that a term of a type, its ASCII letters in
	// lower case, has a word in it. bind binds text.
	Contains func(term string, t egrid.Type, word string, bind func(string) string) string
	// Sum writes the sum of a numeric term, as egrid.SumOf rounds it; missing
	// when there is none.
	Sum func(term string) string
	// FlagMin and FlagMax are the aggregate functions of flags.
	FlagMin, FlagMax string
	// NoLimit is the limit that is none.
	NoLimit string
	// KeysFirst says that the rows of a sorted answer are chosen by their sort
	// keys before they are read whole: for databases that sort whole rows.
	KeysFirst bool
	// Storable reports whether the database can hold a text.
	Storable func(string) bool
}

// Table is where the rows of a snapshot are. It has a column row_number.
type Table interface {
	// From is what follows FROM: the table's name, perhaps with a condition.
	From() string
	// Value is an expression for a column as a value of a type; of that type
	// and missing when the snapshot has no such value. bind binds text.
	Value(c egrid.Column, t egrid.Type, bind func(string) string) string
}
