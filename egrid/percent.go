package egrid

import (
	"fmt"
	"math"
	"strings"
)

// Percent writes a relative change for people: -11.3 % for -0.113, with its sign and one
// decimal, and more of them for what is less than 0.1 %, and for nearly -100 %.
func Percent(x float64) string {
	x *= 100
	if math.Abs(x) < 0.1 && x != 0 {
		places := 1 - int(math.Floor(math.Log10(math.Abs(x)))) // two digits
		return strings.TrimRight(fmt.Sprintf("%+.*f", places, x), "0") + " %"
	}
	places := 1
	for x > -100 && x < -99.9 && places < 6 && math.Round(x*math.Pow10(places)) == -100*math.Pow10(places) {
		places++ // -99.95 %, and not -100.0 %
	}
	return fmt.Sprintf("%+.*f %%", places, x)
}
