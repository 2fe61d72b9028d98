package egridtest

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/calc"
)

// SampleOptions say which sample to make. The zero value means the defaults.
type SampleOptions struct {
	Seed    uint64 // equal seeds give equal bytes
	Plants  int    // default 150; a plant has about two generators and units
	Year    int    // data year; default 2023
	Release string // e.g. rev1; default the unmarked one
	// Method is how regions follow from plants; the zero Method is that of the newest
	// edition, whatever the data year. See calc.MethodOf.
	Method calc.Method
}

// Sample writes invented eGRID sheets of any size in the layout that EPA gives
// its own: a row of descriptions, a row of codes, then data, with the columns
// of eGRID2023 in EPA's order.
//
// The sheets agree with each other. Generators add up to their plants, and package
// calc computes every kind of region from the plants, and the rates and shares of
// plants; a ratio over nothing is blank for a plant and 0 for a region, as EPA has it.
// CO2e is by the warming potentials 28 and 265.
//
// On purpose, and at small rates, they have what real sheets have: generator
// identifiers such as 0005, 7E600 and 10-94, names with commas and quotes,
// negative and blank net generation, plants that burned fuel and generated
// nothing, NA as a code of balancing authorities and NERC regions, and from
// the thousandth plant on generators that share an identifier.
//
// Every name and figure is invented, and plant names say so. A Sample is safe
// for concurrent use.
type Sample struct{ options SampleOptions }

// NewSample returns the sample that the options describe.
func NewSample(o *SampleOptions) *Sample {
	s := &Sample{}
	if o != nil {
		s.options = *o
	}
	if s.options.Plants <= 0 {
		s.options.Plants = 150
	}
	s.options.Year = cmp.Or(s.options.Year, 2023)
	return s
}

// SampleLevels returns the levels that a Sample has sheets of.
func SampleLevels() []egrid.Level {
	return []egrid.Level{egrid.UNT, egrid.GEN, egrid.PLNT, egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.US, egrid.GGL, egrid.ZIP}
}

// Name returns the file name of a sheet, e.g. GEN23.csv or GEN23_rev1.csv.
func (s *Sample) Name(level egrid.Level) string {
	name := fmt.Sprintf("%s%02d", level, s.options.Year%100)
	if s.options.Release != "" {
		name += "_" + s.options.Release
	}
	return name + ".csv"
}

// Write writes the sheet of one level, in constant memory. It returns
// [egrid.ErrInvalid] for a level, data year or release that there is no sheet
// of, and the errors of w.
func (s *Sample) Write(w io.Writer, level egrid.Level) error {
	if err := s.check(level); err != nil {
		return err
	}
	out := &sheetWriter{w: w, buf: make([]byte, 0, flushAt+1<<16)}
	switch level {
	case egrid.UNT, egrid.GEN, egrid.PLNT:
		s.writeRecords(out, level)
	case egrid.ZIP:
		s.writeZIPs(out)
	default:
		s.writeRegions(out, level, s.aggregate(level))
	}
	return out.close()
}

// WriteFolder writes every sheet into a folder, which it makes if need be, and
// returns the files' paths. Errors as Write.
func (s *Sample) WriteFolder(dir string) ([]string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	totals := s.aggregate(regionLevels()...)
	var paths []string
	for _, level := range SampleLevels() {
		if err := s.check(level); err != nil {
			return paths, err
		}
		path := filepath.Join(dir, s.Name(level))
		f, err := os.Create(path) //nolint:gosec // G304: the caller chooses the folder
		if err != nil {
			return paths, err
		}
		out := &sheetWriter{w: f, buf: make([]byte, 0, flushAt+1<<16)}
		switch {
		case slices.Contains(regionLevels(), level):
			s.writeRegions(out, level, totals)
		case level == egrid.ZIP:
			s.writeZIPs(out)
		default:
			s.writeRecords(out, level)
		}
		if err := cmp.Or(out.close(), f.Close()); err != nil {
			return paths, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (s *Sample) check(level egrid.Level) error {
	if !slices.Contains(SampleLevels(), level) {
		return fmt.Errorf("%w: there is no sample of level %q", egrid.ErrInvalid, level)
	}
	if err := egrid.CheckYear(s.options.Year); err != nil {
		return err
	}
	r, err := egrid.ParseRelease(s.options.Release)
	if err == nil && r != s.options.Release {
		err = fmt.Errorf("%w: write release %q as %q", egrid.ErrInvalid, s.options.Release, r)
	}
	return err
}

// sheetWriter gathers output and keeps the first error.
type sheetWriter struct {
	w   io.Writer
	buf []byte
	err error
}

const flushAt = 64 << 10

// row takes the buffer back with another row in it.
func (o *sheetWriter) row(b []byte) {
	b[len(b)-1] = '\n' // in place of the last comma
	o.buf = b
	if len(b) >= flushAt {
		o.flush()
	}
}

func (o *sheetWriter) flush() {
	if o.err == nil {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

func (o *sheetWriter) close() error {
	o.flush()
	return o.err
}

// layout returns the columns of a level's sheet in EPA's order. The dictionary
// lists two columns of the plant sheet beside their like at other levels.
func (s *Sample) layout(level egrid.Level) []egrid.Field {
	fields := slices.DeleteFunc(egrid.Fields(level), func(f egrid.Field) bool { return !slices.Contains(f.Editions, "2023") })
	if level == egrid.PLNT {
		fields = moveBehind(fields, "capd_program_flag", egrid.Longitude)
		fields = moveBehind(fields, egrid.NameplateCapacity, egrid.CapacityFactor)
	}
	return fields
}

func moveBehind(fields []egrid.Field, c, other egrid.Column) []egrid.Field {
	at := func(c egrid.Column) int {
		return slices.IndexFunc(fields, func(f egrid.Field) bool { return f.Column == c })
	}
	i := at(c)
	f := fields[i]
	fields = slices.Delete(fields, i, i+1)
	return slices.Insert(fields, at(other)+1, f)
}

// head writes the rows of descriptions and codes.
func (s *Sample) head(o *sheetWriter, level egrid.Level, fields []egrid.Field) {
	b := o.buf
	for i := range fields {
		text := strings.TrimSuffix(fields[i].Description, ".")
		if unit := fields[i].Unit; unit != "" && unit != "fraction" {
			text += " (" + unit + ")"
		}
		b = append(appendText(b, text), ',')
	}
	o.row(b)
	b = o.buf
	for i := range fields {
		code := fields[i].Code
		switch {
		case fields[i].Column == egrid.Sequence:
			code += fmt.Sprintf("%02d", s.options.Year%100)
		case level == egrid.GEN && code == "PSTATABB":
			code = "PSTATEABB" // EPA's generator sheet spells it so
		}
		b = append(append(b, code...), ',')
	}
	o.row(b)
}

// record is what a row of the unit, generator or plant sheet is made from.
type record struct {
	sample    *Sample
	sequence  int64
	plant     *plant
	generator *generator   // nil in the plant sheet
	figures   *egrid.Batch // of the plant sheet: what follows from its columns,
	at        int          // and which row of it is the plant's
}

// cell appends one cell of a record.
type cell func(b []byte, r *record) []byte

func (s *Sample) writeRecords(o *sheetWriter, level egrid.Level) {
	fields := s.layout(level)
	s.head(o, level, fields)
	r := &record{sample: s}
	var cells []cell
	write := func() {
		r.sequence++
		b := o.buf
		for _, c := range cells {
			b = append(c(b, r), ',')
		}
		o.row(b)
	}
	c := s.newChunk()
	for from := 0; o.err == nil && c.fill(s, from, level != egrid.GEN); from += chunkPlants {
		if level == egrid.PLNT {
			r.figures = calc.PlantFigures(c.batch(), s.options.Method)
		}
		for i := range fields {
			if from == 0 {
				cells = append(cells, s.cellOf(level, &fields[i], r.figures))
			}
		}
		for i := range c.plants {
			r.plant, r.at = &c.plants[i], i
			if level == egrid.PLNT {
				write()
				continue
			}
			for k := range r.plant.n {
				r.generator = &r.plant.generators[k]
				write()
			}
		}
	}
}

// writeZIPs writes the crosswalk, which is the same whatever the plants are.
func (s *Sample) writeZIPs(o *sheetWriter) {
	fields := s.layout(egrid.ZIP)
	s.head(o, egrid.ZIP, fields)
	for _, z := range zips {
		b := o.buf
		for i := range fields {
			switch fields[i].Column {
			case egrid.Year:
				b = strconv.AppendInt(b, int64(s.options.Year), 10)
			case egrid.State:
				b = append(b, z.state...)
			case egrid.ZIPCode:
				b = append(b, z.code...)
			case "utility_id":
				b = append(b, z.utility...)
			case "utility_name":
				if z.utility != "" {
					b = append(append(b, "Sample Utility "...), z.utility...)
				}
			case egrid.Subregion:
				b = append(b, z.subregion...)
			case "predominant_utility":
				b = append(b, z.predominant...)
			}
			b = append(b, ',')
		}
		o.row(b)
	}
}

var powers = [...]int64{1, 10, 100, 1000, 10000, 100000, million}

// appendScaled writes v / 10^digits without superfluous zeros.
func appendScaled(b []byte, v int64, digits int) []byte {
	if v < 0 {
		b = append(b, '-')
		v = -v
	}
	b = strconv.AppendInt(b, v/powers[digits], 10)
	fraction := v % powers[digits]
	if fraction == 0 {
		return b
	}
	b = append(b, '.')
	for d := digits - 1; fraction > 0; d-- {
		b = append(b, byte('0'+fraction/powers[d]))
		fraction %= powers[d]
	}
	return b
}

// appendText quotes a text where CSV asks for it.
func appendText(b []byte, text string) []byte {
	if !strings.ContainsAny(text, "\",\n") {
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"')
}

// appendPadded writes a number with leading zeros up to a width.
func appendPadded(b []byte, n int64, width int) []byte {
	for w := width - 1; w >= 1 && n < powers[w]; w-- {
		b = append(b, '0')
	}
	return strconv.AppendInt(b, n, 10)
}
