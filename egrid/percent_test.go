package egrid_test

import (
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
)

func TestPercent(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{
		-0.113: "-11.3 %", 0.5: "+50.0 %", 0: "+0.0 %", -1: "-100.0 %", -0.9995: "-99.95 %", -0.99999: "-99.999 %", 0.00046: "+0.046 %",
		-0.0000123: "-0.0012 %", 20: "+2000.0 %", 2.6e7: "+2600000000.0 %", 0.000999: "+0.1 %", 1e-9: "+0.0000001 %",
	} {
		if got := egrid.Percent(x); got != want {
			t.Errorf("%v: %s; want %s", x, got, want)
		}
	}
}
