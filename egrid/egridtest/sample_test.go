package egridtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// sheetRows are the rows of one sheet of a sample.
type sheetRows struct {
	*sheet.Sheet
	rows   []egrid.Row
	audits []egrid.Audit
}

func readSample(t testing.TB, s *egridtest.Sample, level egrid.Level) sheetRows {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(&b, level); err != nil {
		t.Fatal(err)
	}
	r, err := sheet.NewReader(&b, &sheet.ReaderOptions{Name: s.Name(level)})
	if err != nil {
		t.Fatal(err)
	}
	out := sheetRows{Sheet: r.Sheet()}
	for decoded, err := range r.Batches() {
		if err != nil || len(decoded.Rejects) > 0 {
			t.Fatalf("%s: %v, rejected %v", level, err, decoded.Rejects)
		}
		for _, b := range decoded.Batches {
			out.audits = driver.MergeAudits(out.audits, driver.AuditRows(level, b))
			out.rows = slices.AppendSeq(out.rows, b.Rows())
		}
	}
	return out
}

// TestSampleGolden pins the bytes: a program that quotes a figure of a sample
// must find it again.
func TestSampleGolden(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	s := egridtest.NewSample(&egridtest.SampleOptions{Seed: 7, Plants: 2000})
	for _, level := range egridtest.SampleLevels() {
		if err := s.Write(h, level); err != nil {
			t.Fatal(err)
		}
	}
	const want = "77166cabd628971f30c3ac80cad2b3fa2fc0e4477cc60c92435f932d1375ca8b"
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("the sample's bytes have changed: SHA-256 %s; want %s", got, want)
	}
}

func TestSampleReads(t *testing.T) {
	t.Parallel()
	s := egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: 1200, Year: 2021, Release: "rev2"})
	for _, level := range egridtest.SampleLevels() {
		read := readSample(t, s, level)
		if read.Level != level || read.Release != "rev2" || len(read.Unknown) > 0 || read.ShareScale != 1 || read.HeaderLine != 2 {
			t.Errorf("%s: read as %s of %q with unknown columns %v, shares times %v, codes in line %d",
				level, read.Level, read.Release, read.Unknown, read.ShareScale, read.HeaderLine)
		}
		for _, row := range read.rows {
			if row.Year() != 2021 {
				t.Fatalf("%s: row %d is of %d", level, row.Number(), row.Year())
			}
		}
		if len(read.rows) == 0 {
			t.Errorf("%s has no row", level)
		}
		for _, a := range read.audits {
			if a.Severity == egrid.Hard {
				t.Errorf("%s: %+v", level, a)
			}
			t.Logf("%s: %s %s %d", level, a.Severity, a.Rule, a.Count)
		}
	}
}

// TestSampleLayout compares with the columns that EPA's eGRID2023 has.
func TestSampleLayout(t *testing.T) {
	t.Parallel()
	columns := map[egrid.Level]int{
		egrid.UNT: 33, egrid.GEN: 17, egrid.PLNT: 150, egrid.ST: 169, egrid.BA: 169, egrid.SRL: 169, egrid.NRL: 169, egrid.US: 167, egrid.GGL: 6, egrid.ZIP: 7,
	}
	starts := map[egrid.Level]string{
		egrid.UNT:  "SEQUNT23,YEAR,PSTATABB,PNAME,ORISPL,UNITID,PRMVR,",
		egrid.GEN:  "SEQGEN23,YEAR,PSTATEABB,PNAME,ORISPL,GENID,NUMBLR,GENSTAT,PRMVR,FUELG1,NAMEPCAP,CFACT,GENNTAN,GENNTOZ,GENERSRC,GENYRONL,GENYRRET",
		egrid.PLNT: "SEQPLT23,YEAR,PSTATABB,PNAME,ORISPL,OPRNAME,OPRCODE,UTLSRVNM,UTLSRVID,SECTOR,BANAME,BACODE,NERC,SUBRGN,SRNAME,ISORTO,FIPSST,FIPSCNTY,CNTYNAME,LAT,LON,CAPDFLAG,NUMUNT,NUMGEN,PLPRMFL,PLFUELCT,COALFLAG,CAPFAC,NAMEPCAP,NBFACTOR,",
		egrid.ST:   "YEAR,PSTATABB,FIPSST,STNAMEPCAP,STHTIAN,",
		egrid.BA:   "YEAR,BANAME,BACODE,BANAMEPCAP,",
		egrid.SRL:  "YEAR,SUBRGN,SRNAME,SRNAMEPCAP,",
		egrid.NRL:  "YEAR,NERC,NERCNAME,NRNAMEPCAP,",
		egrid.US:   "YEAR,USNAMEPCAP,",
		egrid.GGL:  "YEAR,REGION,ESTLOSS,TOTDISP,DIRCTUSE,GGRSLOSS",
		egrid.ZIP:  "YEAR,PSTATABB,zip,eiaid,UtilName,SUBRGN,Predominant Utility",
	}
	s := egridtest.NewSample(&egridtest.SampleOptions{Plants: 1})
	for level, start := range starts {
		var b strings.Builder
		if err := s.Write(&b, level); err != nil {
			t.Fatal(err)
		}
		code := strings.Split(b.String(), "\n")[1]
		if n := strings.Count(code, ",") + 1; n != columns[level] || !strings.HasPrefix(code, start) {
			t.Errorf("%s has %d columns, %s", level, n, code)
		}
	}
}

func TestSampleErrors(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options egridtest.SampleOptions
		level   egrid.Level
	}{
		"level":   {egridtest.SampleOptions{}, egrid.DEMO},
		"year":    {egridtest.SampleOptions{Year: 1066}, egrid.GEN},
		"release": {egridtest.SampleOptions{Release: "final"}, egrid.GEN},
	} {
		if err := egridtest.NewSample(&test.options).Write(io.Discard, test.level); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: got %v; want ErrInvalid", name, err)
		}
	}
	full := errors.New("full")
	if err := egridtest.NewSample(nil).Write(failingWriter{full}, egrid.GEN); !errors.Is(err, full) {
		t.Errorf("got %v; want the writer's error", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// TestSampleQuirks looks for what the sample has on purpose.
func TestSampleQuirks(t *testing.T) {
	t.Parallel()
	s := egridtest.NewSample(&egridtest.SampleOptions{Seed: 3, Plants: 12000})
	generators := readSample(t, s, egrid.GEN)
	plants := readSample(t, egridtest.NewSample(&egridtest.SampleOptions{Seed: 3, Plants: 3000}), egrid.PLNT)
	met := map[string]int{}
	seen := map[string]bool{}
	for _, row := range generators.rows {
		id := row.Text(egrid.GeneratorID)
		key := row.Text(egrid.PlantCode) + "/" + id
		mwh, known := row.Float(egrid.NetGeneration)
		for name, is := range map[string]bool{
			"leading zero":        strings.HasPrefix(id, "000"),
			"like a number":       id == "7E600",
			"like a date":         id == "10-94",
			"negative generation": mwh < 0,
			"blank generation":    !known,
			"shared identifier":   seen[key],
		} {
			if is {
				met[name]++
			}
		}
		seen[key] = true
	}
	for _, row := range plants.rows {
		mwh, known := row.Float(egrid.NetGeneration)
		tons, _ := row.Float(egrid.CO2)
		for name, is := range map[string]bool{
			"quoted name":                  strings.Contains(row.Text(egrid.PlantName), `, "`),
			"no balancing authority":       row.Text(egrid.BalancingAuthority) == "NA",
			"no NERC region":               row.Text(egrid.NERCRegion) == "NA",
			"emissions without generation": known && mwh == 0 && tons > 0,
			"plant of negative generation": mwh < 0,
			"plant of blank generation":    !known,
			"plant that makes heat":        row.Text("chp_flag") == "true",
		} {
			if is {
				met[name]++
			}
		}
	}
	for _, name := range []string{
		"leading zero", "like a number", "like a date", "negative generation", "blank generation", "shared identifier", "quoted name",
		"no balancing authority", "no NERC region", "emissions without generation", "plant of negative generation",
		"plant of blank generation", "plant that makes heat",
	} {
		if n := met[name]; n == 0 || n > len(generators.rows)/10 {
			t.Errorf("%s: %d of %d generators", name, n, len(generators.rows))
		}
	}
	if met["shared identifier"] > 20 {
		t.Errorf("%d generators share an identifier", met["shared identifier"])
	}
}

const near = 0.01 // of a sum of figures with three decimals

// TestSampleSums adds generators and units up to plants, and plants to
// regions, by the dictionary's rules, from the figures in the files.
func TestSampleSums(t *testing.T) {
	t.Parallel()
	s := egridtest.NewSample(&egridtest.SampleOptions{Seed: 5, Plants: 700})
	plants := readSample(t, s, egrid.PLNT)
	for _, test := range []struct {
		level egrid.Level
		pairs map[egrid.Column]egrid.Column // of the unit or generator: of the plant
	}{
		{egrid.GEN, map[egrid.Column]egrid.Column{
			egrid.NetGeneration: egrid.NetGeneration, egrid.OzoneSeasonGeneration: egrid.OzoneSeasonGeneration, egrid.NameplateCapacity: egrid.NameplateCapacity,
		}},
		{egrid.UNT, map[egrid.Column]egrid.Column{
			egrid.HeatInput: "unadjusted_heat_input_mmbtu", egrid.NOx: "unadjusted_nox_short_tons", egrid.SO2: "unadjusted_so2_short_tons",
			egrid.CO2: "unadjusted_co2_short_tons", "nox_ozone_season_short_tons": "unadjusted_nox_ozone_season_short_tons",
		}},
	} {
		parts := readSample(t, s, test.level)
		for from, to := range test.pairs {
			sums := map[string]float64{}
			for _, row := range parts.rows {
				x, _ := row.Float(from)
				sums[row.Text(egrid.PlantCode)] += x
			}
			for _, row := range plants.rows {
				x, _ := row.Float(to)
				if sum := sums[row.Text(egrid.PlantCode)]; math.Abs(sum-x) > near {
					t.Errorf("%s of plant %s: %s adds up to %v where the plant sheet has %v", from, row.Text(egrid.PlantCode), test.level, sum, x)
				}
			}
		}
	}
	for level, key := range map[egrid.Level]egrid.Column{
		egrid.ST: egrid.State, egrid.BA: egrid.BalancingAuthority, egrid.SRL: egrid.Subregion, egrid.NRL: egrid.NERCRegion, egrid.US: "",
	} {
		regions := readSample(t, s, level)
		members := map[string][]egrid.Row{}
		for _, row := range plants.rows {
			members[row.Text(key)] = append(members[row.Text(key)], row)
		}
		if len(regions.rows) != len(members) {
			t.Errorf("%s has %d rows for %d regions", level, len(regions.rows), len(members))
		}
		for _, row := range regions.rows {
			checkRegion(t, level, row, members[row.Text(key)])
		}
	}
}

// checkRegion compares every column that has a rule with the plants' figures.
func checkRegion(t *testing.T, level egrid.Level, region egrid.Row, plants []egrid.Row) {
	t.Helper()
	sum := func(c egrid.Column, r egrid.Rule) float64 {
		if own, ok := egrid.Lookup(level, string(c)); ok && !plants[0].Schema().Has(c) && len(own.Rule.Denominator) == 0 {
			r = own.Rule // a column of the region that is a sum itself
			c = r.Numerator[0]
		}
		total := 0.0
		for _, plant := range plants {
			if len(r.Categories) > 0 && !slices.Contains(r.Categories, plant.Text(egrid.FuelCategoryColumn)) {
				continue
			}
			x, _ := plant.Float(c)
			if r.Weight != "" {
				w, _ := plant.Float(r.Weight)
				x *= w
			}
			total += x
		}
		return total
	}
	for i, f := range region.Schema().Fields() {
		if f.Rule.IsZero() || f.Column == "hg_lb" {
			continue
		}
		got, ok := region.At(i).Float()
		if !ok {
			t.Errorf("%s %v: %s is missing", level, region.Values()[:2], f.Column)
			continue
		}
		if len(f.Rule.Denominator) == 0 {
			c := f.Column
			if len(f.Rule.Numerator) > 0 {
				c = f.Rule.Numerator[0]
			}
			if want := sum(c, f.Rule); math.Abs(got-want) > near {
				t.Errorf("%s %v: %s is %v; its plants add up to %v", level, region.Values()[:2], f.Column, got, want)
			}
			continue
		}
		want, below := f.Rule.Factor, 1.0
		for _, c := range f.Rule.Numerator {
			want *= sum(c, f.Rule)
		}
		for _, c := range f.Rule.Denominator {
			below *= sum(c, f.Rule)
		}
		if below <= 0.0005 || sum(f.Rule.Denominator[0], f.Rule) <= 0.0005 {
			continue // of nothing, or of rounding alone
		}
		want /= below
		if slices.Contains(egrid.FuelShares(), f.Column) {
			want = max(want, 0)
		}
		if math.Abs(got-want) > 0.0006+1e-6*math.Abs(want) {
			t.Errorf("%s %v: %s is %v; its rule %s gives %v", level, region.Values()[:2], f.Column, got, f.Rule, want)
		}
	}
}

func TestSampleFolder(t *testing.T) {
	t.Parallel()
	s := egridtest.NewSample(&egridtest.SampleOptions{Seed: 9, Plants: 40, Release: "v2"})
	dir := filepath.Join(t.TempDir(), "new")
	paths, err := s.WriteFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i, path := range paths {
		names = append(names, filepath.Base(path))
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := s.Write(&want, egridtest.SampleLevels()[i]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s differs from what Write writes", path)
		}
	}
	if want := "UNT23_v2.csv GEN23_v2.csv PLNT23_v2.csv ST23_v2.csv BA23_v2.csv SRL23_v2.csv NRL23_v2.csv US23_v2.csv GGL23_v2.csv ZIP23_v2.csv"; strings.Join(names, " ") != want {
		t.Errorf("got %q; want %q", names, want)
	}
}

func BenchmarkSample(b *testing.B) {
	for _, level := range []egrid.Level{egrid.UNT, egrid.GEN, egrid.PLNT, egrid.SRL} {
		b.Run(string(level), func(b *testing.B) {
			s := egridtest.NewSample(&egridtest.SampleOptions{Plants: 20000})
			var n counter
			for b.Loop() {
				n = 0
				if err := s.Write(&n, level); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(n))
		})
	}
}

type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

func ExampleSample() {
	sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: 3})
	var file strings.Builder
	if err := sample.Write(&file, egrid.GEN); err != nil {
		fmt.Println(err)
		return
	}
	reader, err := sheet.NewReader(strings.NewReader(file.String()), &sheet.ReaderOptions{Name: sample.Name(egrid.GEN)})
	if err != nil {
		fmt.Println(err)
		return
	}
	for row, err := range reader.Rows() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(row.Text(egrid.PlantName), row.Text(egrid.GeneratorID), row.Text(egrid.NetGeneration))
	}
	// Output:
	// Sample Plant 000001 Solar PV1 281720.878
	// Sample Plant 000001 Solar PV2 2305.734
	// Sample Plant 000002 Coal 1 761440.162
	// Sample Plant 000003 Solar PV1 6624.714
}
