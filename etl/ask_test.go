package etl_test

import (
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// ask makes the DB that tests put their questions to.
func ask(s driver.Scanner) *store.DB { return store.New(s) }
