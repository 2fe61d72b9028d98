package calc

import (
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// GWP is a set of global warming potentials over 100 years: what a mass of CH4 and
// of N2O counts in CO2.
type GWP struct {
	Name     string  `json:"name"` // as queries name it: ar5
	CH4      float64 `json:"ch4"`
	N2O      float64 `json:"n2o"`
	Report   string  `json:"report"`   // of the IPCC
	Editions string  `json:"editions"` // of eGRID that were published with it
}

// GWPs returns the sets that there are, oldest first. The editions are those whose
// published CO2e was reproduced with it.
func GWPs() []GWP {
	return []GWP{
		{"sar", 21, 310, "Second Assessment Report, 1995", "to 2016"},
		{"ar4", 25, 298, "Fourth Assessment Report, 2007", "2018 to 2022"},
		{"ar5", 28, 265, "Fifth Assessment Report, 2013, without climate-carbon feedbacks", "2023"},
		{"ar6", 29.8, 273, "Sixth Assessment Report, 2021, fossil CH4", ""},
	}
}

// GWPPublished is the name of the CO2e that an edition publishes, whatever set is
// behind it.
const GWPPublished = "published"

// ParseGWP finds a set by its name, in any letter case. It returns
// [egrid.ErrInvalid] for another name.
func ParseGWP(name string) (GWP, error) {
	var names []string
	for _, g := range GWPs() {
		if strings.EqualFold(g.Name, strings.TrimSpace(name)) {
			return g, nil
		}
		names = append(names, g.Name)
	}
	return GWP{}, fmt.Errorf("%w: GWP %q is none of %s, %s", egrid.ErrInvalid, name, GWPPublished, strings.Join(names, ", "))
}
