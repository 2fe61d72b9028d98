package pgstore

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/internal/sqlstore"
)

// readiness is what the work before the switch found out.
type readiness struct {
	number int64 // of the sheet that is ready; 0 for none
	audits []egrid.Audit
}

// makeReady indexes a complete stage and audits its table as a whole, in a
// transaction of its own before the switch: it is most of the work, and other
// publishers need not wait for it. A stage whose content is there already will
// be dropped, and needs neither.
func (s *Store) makeReady(ctx context.Context, part driver.StagePart) (readiness, error) {
	var ready readiness
	err := s.update(ctx, func(tx pgx.Tx) error {
		ready = readiness{}
		if err := s.stateFirst(ctx, tx); err != nil {
			return err
		}
		sh, err := s.find(ctx, tx, part.ID, "")
		if err != nil || sh.shown() {
			return err
		}
		if err := s.lock(ctx, tx, sh.number); err != nil {
			return err
		}
		if sh, err = s.find(ctx, tx, part.ID, forSettle); err != nil || sh.shown() {
			return err
		}
		snap, err := s.summarize(ctx, tx, sh, part)
		if err != nil {
			return err
		}
		catalog, err := s.readCatalog(ctx, tx)
		if err != nil {
			return err
		}
		if _, here := sqlstore.Shown(catalog.Catalog, snap.ID); here {
			return nil
		}
		ready, err = s.prepare(ctx, tx, sh, snap.Rows)
		return err
	})
	return ready, err
}

// prepare does the work.
func (s *Store) prepare(ctx context.Context, tx pgx.Tx, sh *sheet, rows int64) (readiness, error) {
	ready := readiness{number: sh.number}
	tasks := append(s.indexTasks(sh, rows), func(ctx context.Context, tx pgx.Tx) (err error) {
		ready.audits, err = s.duplicates(ctx, tx, sh)
		return err
	})
	if err := s.share(ctx, tx, tasks); err != nil {
		return ready, err
	}
	return ready, s.analyze(ctx, tx, sh)
}

// task is a part of the work on a table, in a transaction.
type task func(context.Context, pgx.Tx) error

// builders is how many connections work on one table at once.
const builders = 3

// share does tasks in tx, and in transactions on other connections as far as
// the pool has them to spare. It waits for none, so that publishers cannot wait
// for each other. After an error nothing new begins; what others have built
// stays for the next attempt.
func (s *Store) share(ctx context.Context, tx pgx.Tx, tasks []task) error {
	queue := make(chan task, len(tasks))
	for _, t := range tasks {
		queue <- t
	}
	close(queue)
	asking, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, builders)
	var helpers sync.WaitGroup
	for range min(builders, len(tasks)) - 1 {
		helpers.Go(func() {
			conn, err := s.write.Acquire(asking)
			if err != nil {
				return // the others do it all
			}
			defer conn.Release()
			if err := drain(queue, func(t task) error {
				return transact(ctx, conn, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error { return t(ctx, tx) })
			}); err != nil {
				failed <- err
			}
		})
	}
	err := drain(queue, func(t task) error { return t(ctx, tx) })
	stop()
	helpers.Wait()
	close(failed)
	if err == nil {
		err = <-failed
	}
	return err
}

// drain does tasks until none is left. After an error it throws the others
// away.
func drain(queue <-chan task, do func(task) error) error {
	for t := range queue {
		if err := do(t); err != nil {
			for range queue { // nobody shall do the others
			}
			return err
		}
	}
	return nil
}

// indexedRows is the size from which a table is worth indexing.
const indexedRows = 1000

// indexTasks build the indexes of a table that is worth it.
func (s *Store) indexTasks(sh *sheet, rows int64) []task {
	if rows < indexedRows {
		return nil
	}
	var tasks []task
	for _, x := range s.indexes(sh) {
		tasks = append(tasks, func(ctx context.Context, tx pgx.Tx) error {
			// A server may still be building it for a publisher that died.
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", s.name(x.name)); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, x.statement())
			return err
		})
	}
	return tasks
}

// indexTable indexes a table that nobody else sees yet.
func (s *Store) indexTable(ctx context.Context, tx pgx.Tx, sh *sheet, rows int64) error {
	for _, t := range s.indexTasks(sh, rows) {
		if err := t(ctx, tx); err != nil {
			return err
		}
	}
	return s.analyze(ctx, tx, sh)
}

// analyze tells the query planner about a table.
func (s *Store) analyze(ctx context.Context, tx pgx.Tx, sh *sheet) error {
	_, err := tx.Exec(ctx, "ANALYZE "+sh.layout.table)
	return err
}

// index is an index of a sheet's table.
type index struct {
	table, name string
	unique      bool
	terms       []string
}

func (x *index) statement() string {
	kind := "INDEX"
	if x.unique {
		kind = "UNIQUE INDEX"
	}
	return fmt.Sprint("CREATE ", kind, " IF NOT EXISTS ", quote(x.name), " ON ", x.table, " (", strings.Join(x.terms, ", "), ")")
}

// indexes are those for what the API asks most: pages of rows in order, the
// largest of all and of a state, plants by name and rows by identifier. Those
// that take longest come first. Searches read the whole sheet: an index of
// trigrams took longer to build than everything else that loading does. One
// partition has one data year, and a check that says so, which serves conditions
// on the year better than an index.
func (s *Store) indexes(sh *sheet) []index {
	var all []index
	add := func(name string, columns ...egrid.Column) {
		x := index{table: sh.layout.table, name: sh.table() + "_" + name}
		for _, c := range columns {
			if c != egrid.Year && !sh.layout.isTyped(c) {
				return
			}
			term := quote(string(c))
			if c == egrid.NetGeneration {
				term += " DESC NULLS LAST"
			}
			x.terms = append(x.terms, term)
		}
		if len(columns) > 0 {
			all = append(all, x)
		}
	}
	add("state", egrid.State, egrid.Year, egrid.NetGeneration)
	add("name", egrid.PlantName)
	add("identifier", egrid.Identifier(sh.spec.Level, sh.spec.Schema.Has)...)
	add("largest", egrid.NetGeneration)
	return append(all, index{table: sh.layout.table, name: sh.table() + "_row", unique: true, terms: []string{"row_number"}})
}
