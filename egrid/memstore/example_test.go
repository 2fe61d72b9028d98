package memstore_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

// Shares is what your program has: it asks a database and does not know which
// store is behind it.
type Shares struct{ DB *store.DB }

// Of returns the part of a state's net generation that a plant has.
func (s Shares) Of(ctx context.Context, state, plant string) (float64, error) {
	groups, err := s.DB.Groups(ctx, egrid.GroupQuery{
		Level:    egrid.GEN,
		Filters:  []egrid.Filter{egrid.Where(egrid.State, egrid.Eq, state)},
		By:       []egrid.Column{egrid.PlantName},
		Measures: []egrid.Measure{{Func: egrid.Sum, Column: egrid.NetGeneration}},
	})
	if err != nil {
		return 0, err
	}
	own, all := 0.0, 0.0
	for row := range groups.Rows() {
		mwh, _ := row.Float(egrid.NetGeneration)
		all += mwh
		if row.Text(egrid.PlantName) == plant {
			own = mwh
		}
	}
	return own / all, nil
}

// A store in memory stands in for the real one in a test: it takes files as
// they are, and answers as the others do.
func Example() {
	ctx := context.Background()
	double := memstore.New()
	_, err := store.Load(ctx, double, strings.NewReader("YEAR,PSTATABB,PNAME,GENID,GENNTAN\n2023,WY,Wyodak,1,300\n2023,WY,Wygen III,5,100\n"), nil)
	if err != nil {
		log.Fatal(err)
	}
	share, err := Shares{store.New(double)}.Of(ctx, "WY", "Wyodak")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(share)
	// Output: 0.75
}
