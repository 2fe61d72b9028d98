// Package report is code of one's own over eGRID data. Its tests have a store in memory
// and generated sheets: no server, no file of EPA's, no mock.
package report

import (
	"context"
	"fmt"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Largest says which plant of a state generates most. It takes any store: SQLite,
// PostgreSQL, a cache, the HTTP client, or one in memory.
func Largest(ctx context.Context, data driver.Scanner, state string) (string, error) {
	page, err := store.New(data).Plants(ctx, store.PlantQuery{
		Filters: []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, state)},
		Sort:    []egrid.Sort{{Column: egrid.NetGeneration, Desc: true}},
		Limit:   1,
	})
	if err != nil {
		return "", err
	}
	if page.Len() == 0 {
		return "", fmt.Errorf("no plant of %s in %d", state, page.Year)
	}
	plant := page.Row(0)
	return fmt.Sprintf("%s, %s MWh in %d", plant.Text(egrid.PlantName), plant.Text(egrid.NetGeneration), page.Year), nil
}
