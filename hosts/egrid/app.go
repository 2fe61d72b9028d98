package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/queue"
)

// app is what every command gets.
type app struct {
	ctx    context.Context // ends with SIGINT and SIGTERM
	cli    *cli
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
	level  *service.Level // of log
}

// status is an error that only sets the exit status.
type status int

func (s status) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

const (
	failed     status = 1
	wrongUsage status = 2
	incomplete status = 3
)

func exitStatus(stderr io.Writer, err error) int {
	var s status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &s):
		return int(s)
	case errors.Is(err, egrid.ErrInvalid), errors.Is(err, queue.ErrInvalid):
		complain(stderr, err)
		return int(wrongUsage)
	}
	complain(stderr, err)
	return int(failed)
}

// complain tells of an error, which may quote a file.
func complain(stderr io.Writer, err error) {
	text := err.Error()
	for _, kind := range []error{egrid.ErrInvalid, egrid.ErrNotFound} { // which the exit status says
		text = strings.TrimPrefix(text, kind.Error()+": ")
	}
	fmt.Fprintln(stderr, "egrid:", terminal.EscapeLines(text))
}

// tell says something on stderr: about an answer, where stdout has the answer alone.
func (a *app) tell(format string, args ...any) {
	fmt.Fprintln(a.stderr, "egrid:", terminal.EscapeLines(fmt.Sprintf(format, args...)))
}

// tellNone says what a store lacks, which store that is, and how it gets it.
func (a *app) tellNone(what string) {
	a.tell("%s in the store %s; load files with egrid load%s FILE, or name another store by --store or EGRID_STORE", what, shown(a.cli.Store), a.storeFlag())
}

// withStore runs f on the store that the flags name, which is made where there is
// none.
func (a *app) withStore(f func(driver.Store) error) error {
	store, err := service.OpenStore(a.ctx, a.cli.Store)
	if err != nil {
		return err
	}
	return errors.Join(f(store), store.Close())
}

// withExisting is withStore for what reads: it makes no store.
func (a *app) withExisting(f func(driver.Store) error) error {
	store, err := service.OpenExisting(a.ctx, a.cli.Store)
	if err != nil {
		return err
	}
	return errors.Join(f(store), store.Close())
}

// withData is withStore for questions: it says when there is nothing to ask.
func (a *app) withData(f func(*store.DB) error) error {
	return a.withExisting(func(s driver.Store) error {
		db := store.New(s)
		catalog, err := db.Catalog(a.ctx)
		if err != nil {
			return err
		}
		if catalog.Revision == 0 {
			a.tellNone("nothing is published")
		}
		if db, err = db.Now(a.ctx); err != nil { // several questions, one state of the data
			return err
		}
		return f(db)
	})
}
