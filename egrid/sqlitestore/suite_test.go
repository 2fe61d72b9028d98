package sqlitestore_test

import (
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
)

func TestStore(t *testing.T) {
	egridtest.RunStore(t, func(t *testing.T) driver.Store { return open(t).Driver() })
}

func TestFailureLog(t *testing.T) {
	egridtest.RunFailureLog(t, func(t *testing.T) driver.FailureLog { return open(t) })
}

func TestRunLog(t *testing.T) {
	egridtest.RunRunLog(t, func(t *testing.T) egridtest.RunLog { return open(t) })
}

func TestDifferential(t *testing.T) {
	egridtest.RunDifferential(t, func(t *testing.T) driver.Store { return open(t).Driver() })
}

func FuzzQueries(f *testing.F) {
	egridtest.FuzzQueries(f, func(t testing.TB) driver.Store { return open(t).Driver() })
}
