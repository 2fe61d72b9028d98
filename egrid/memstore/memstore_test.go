package memstore_test

import (
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
)

func TestStore(t *testing.T) {
	egridtest.RunStore(t, func(*testing.T) driver.Store { return memstore.New().Driver() })
}

func TestFailureLog(t *testing.T) {
	egridtest.RunFailureLog(t, func(*testing.T) driver.FailureLog { return memstore.New() })
}
