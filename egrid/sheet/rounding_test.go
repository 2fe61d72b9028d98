package sheet_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Figures of EPA's sheets of the US, of NERC regions and of grid gross loss of 2023, as
// tools write them.
func TestRoundedAsTold(t *testing.T) {
	t.Parallel()
	const (
		us      = "YEAR,USNAMEPCAP,USHTIAN,USNGENAN,USNGENOZ,USNGENNB,USNOXAN,USNOXOZ,USSO2AN,USCO2AN,USCO2RTA\n"
		regions = "YEAR,NERC,NRNAMEPCAP,NRHTIAN,NRNGENAN,NRNGENNB,NRNOXAN,NRSO2AN,NRGENAHY\n"
		loss    = "YEAR,REGION,ESTLOSS,TOTDISP,DIRCTUSE,GGRSLOSS\n"
	)
	for name, test := range map[string]struct {
		text string
		want string
	}{
		"US, exact":                  {us + "2023,1303568.8,21889609535.026,4167601391.182,1898218225.612,1189184479.513,947516.576,429896.468,752584.646,1607700437.9,771.523\n", "[]"},
		"US, R format":               {us + "2023,1303569,21889609535,4167601391,1898218226,1189184480,947516.6,429896.5,752584.6,1607700438,771.523\n", "[nameplate_capacity_mw heat_input_mmbtu net_generation_mwh net_generation_ozone_season_mwh nonbaseload_generation_mwh nox_short_tons nox_ozone_season_short_tons so2_short_tons co2_short_tons]"},
		"US, whole and nothing else": {us + "2023,1303569,21889609535,4167601391,1898218226,1189184480,947517,429896,752585,1607700438,771.523\n", "[]"},
		"regions, exact":             {regions + "2023,AK,3095.5,39933923.512,6685642.03,3101158.112,20591.981,1349.979,1624421.5\n2023,HI,3451.2,81226060.2,9162356.1,4761520.9,22671.585,19871.902,37755\n2023,MRO,165769.9,2370771588.1,467070544.6,144322227.3,149368.346,151587.223,9123456.25\n", "[]"},
		"regions, R format": {regions + "2023,AK,  3095.5,  39933924,  6685642,  3101158, 20591.98,  1349.979, 1624422\n2023,HI,  3451.2,  81226060,  9162356,  4761521, 22671.58, 19871.902,   37755\n2023,MRO,165769.9,2370771588,467070545,144322227,149368.35,151587.223, 9123456\n",
			"[heat_input_mmbtu net_generation_mwh nonbaseload_generation_mwh nox_short_tons]"},
		"losses, exact": {loss + "2023,Alaska,266812.0,6717825.0,257915.0,0.041\n2023,ERCOT,18707069.89840634,477196420.0494054,33326181.968807194,0.042\n2023,Eastern,121579324.41955644,2973141900.6517186,85205118.18302853,0.042\n2023,U.S.,140553206.31796278,3457056145.701124,118789215.15183572,0.042\n", "[]"},
		"losses, whole, apart by one": {loss + "2023,Alaska,266812,6717825,257915,0.041\n2023,ERCOT,18707070,477196420,33326182,0.042\n2023,Eastern,121579324,2973141901,85205118,0.042\n2023,Hawaii,395363,9194164,196737,0.044\n2023,Western,30244892,746640041,17788276,0.041\n2023,U.S.,171193462,4212890351,136774229,0.042\n",
			"[estimated_losses_mwh total_disposition_mwh direct_use_mwh]"},
		"losses, whole, and they add up": {loss + "2023,Alaska,266812,6717825,257915,0.041\n2023,Hawaii,395363,9194164,196737,0.044\n2023,U.S.,662175,15911989,454652,0.042\n", "[]"},
		"losses, far apart":              {loss + "2023,Alaska,266812,6717825,257915,0.041\n2023,Hawaii,395363,9194164,196737,0.044\n2023,U.S.,662375,15911989,454652,0.042\n", "[]"},
		"losses, without a total":        {loss + "2023,Alaska,266812,6717825,257915,0.041\n2023,Hawaii,395363,9194164,196737,0.044\n", "[]"},
		"losses, brought to one width": {loss + "2023,Alaska,   266812,   6717825,   257915,0.041\n2023,ERCOT, 18707070, 477196420, 33326182,0.042\n2023,Eastern,121579324,2973141901, 85205118,0.042\n2023,Hawaii,   395363,   9194164,   196737,0.044\n2023,Western, 30244892, 746640041, 17788276,0.041\n",
			"[estimated_losses_mwh total_disposition_mwh direct_use_mwh]"},
		"losses, in percent": {loss + "2023,Alaska,266812,6717825,257915,4.1%\n2023,ERCOT,18707070,477196420,33326182,4.2%\n2023,Eastern,121579324,2973141901,85205118,4.2%\n2023,Hawaii,395363,9194164,196737,4.4%\n",
			"[estimated_losses_mwh total_disposition_mwh direct_use_mwh grid_gross_loss]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := sheet.NewReader(strings.NewReader(test.text), nil)
			if err != nil {
				t.Fatal(err)
			}
			for d, err := range r.Batches() {
				if err != nil || len(d.Rejects) > 0 {
					t.Fatal(err, d.Rejects)
				}
				if got := fmt.Sprint(d.Batches[0].Lossy()); got != test.want {
					t.Errorf("rounded are %s; want %s", got, test.want)
				}
			}
		})
	}
}

// A sheet in which a tool has cut the zeros at the end of whole numbers is refused, and
// one that has such numbers by chance is not.
func TestCutZeros(t *testing.T) {
	t.Parallel()
	rows := func(n int, line func(i int) string) string {
		text := "YEAR,ORISPL,GENID,NUMBLR,NAMEPCAP,GENNTAN\n"
		for i := range n {
			text += line(i) + "\n"
		}
		return text
	}
	cut := func(i int) string {
		text := strings.TrimRight(fmt.Sprint(12*i+30), "0")
		return fmt.Sprintf("2023,%d,%d0,,%s.5,%s", 100+10*i, i, text, text)
	}
	for name, test := range map[string]struct {
		text    string
		refused bool
	}{
		"cut":                    {rows(150, cut), true},
		"cut, with fractions":    {rows(300, func(i int) string { return cut(i) + []string{"", ".25"}[i%2] }), true},
		"one is zero":            {rows(150, cut) + "2023,9,A,0,7.5,12\n", false},
		"one ends in zero":       {rows(150, cut) + "2023,9,A,,7.5,120\n", false},
		"a fraction does":        {rows(150, cut) + "2023,9,A,,7.50,12\n", false},
		"too few":                {rows(60, cut), false},
		"the same over and over": {rows(300, func(int) string { return "2023,100,A,2,7.5,12" }), false},
		"fractions":              {rows(300, func(i int) string { return fmt.Sprintf("2023,%d,A,,7.5,%d.125", i+1, i) }), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sheet.NewReader(strings.NewReader(test.text), nil)
			if refused := err != nil && strings.Contains(err.Error(), "zeros at the end"); refused != test.refused || err != nil && !refused {
				t.Errorf("got %v; want it refused: %t", err, test.refused)
			}
		})
	}
}
