package xls_test

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/xls"
)

// text opens a sheet of a file and reads it.
func text(file []byte, sheet int) (string, error) {
	w, err := xls.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return "", err
	}
	r, err := w.Open(sheet)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), errors.Join(err, r.Close())
}

func TestCells(t *testing.T) {
	t.Parallel()
	const a, b = 0xFFFF << 48, 0 // a formula's result that is no number
	tests := []struct {
		name  string
		cells []byte
		want  string
	}{
		{"empty sheet", nil, ""},
		{"numbers", join(number(0, 0, 2303659.9), number(0, 1, -2443.4), number(0, 2, 0.30000000000000004), number(0, 3, 0.00001234), number(0, 4, 1e-300), number(0, 5, 1e20), number(0, 6, 1e21)),
			"2303659.9,-2443.4,0.30000000000000004,0.00001234,1e-300,100000000000000000000,1e+21\n"},
		{"numbers of 30 bits", join(
			record(0x027E, at(0, 0), int32(20961)<<2|2), record(0x027E, at(0, 1), int32(-534935)<<2|2), record(0x027E, at(0, 2), int32(-52132030)<<2|3),
			record(0x027E, at(0, 3), int32(1967102)<<2|3), record(0x027E, at(0, 4), int32(1<<29-1)<<2|2), record(0x027E, at(0, 5), int32(-1<<29)<<2|2)),
			"20961,-534935,-521320.3,19671.02,536870911,-536870912\n"},
		{"halves of floats", join(
			record(0x027E, at(0, 0), uint32(float(-0.5)>>32)), record(0x027E, at(0, 1), uint32(float(1.5)>>32)|1), record(0x027E, at(0, 2), uint32(float(-12345)>>32)|1)),
			"-0.5,0.015,-123.45\n"},
		{"several in one record", record(0x00BD, uint16(0), uint16(1), uint16(15), int32(-1)<<2|2, uint16(15), int32(7)<<2|3, uint16(2)), ",-1,0.07\n"},
		{"booleans and errors", join(
			record(0x0205, at(0, 0), byte(1), byte(0)), record(0x0205, at(0, 1), byte(0), byte(0)), record(0x0205, at(0, 2), byte(0x2A), byte(1)),
			record(0x0205, at(0, 3), byte(7), byte(1)), record(0x0205, at(0, 4), byte(0), byte(1))),
			"TRUE,FALSE,#N/A,#DIV/0!,#NULL!\n"},
		{"texts of their own", join(label(0, 0, narrow("Plant")), label(0, 1, broad("Kraftwerk Müller \u2212 \U0001F3ED")), record(0x00D6, at(0, 2), narrow("bold"), uint16(1), uint32(0)), label(0, 3, narrow("caf\xe9"))),
			"Plant,Kraftwerk Müller \u2212 \U0001F3ED,bold,café\n"},
		{"quoting", join(label(0, 0, narrow("CODE\nDescription")), label(0, 1, narrow(`a "b"`)), label(0, 2, narrow("x,y")), label(0, 3, narrow(" z ")), label(0, 4, narrow("\r"))),
			"\"CODE\nDescription\",\"a \"\"b\"\"\",\"x,y\", z ,\"\r\"\n"},
		{"no number", join(number(0, 0, math.Inf(1)), number(0, 1, math.NaN())), "+Inf,NaN\n"},
		{"formulas", join(
			formula(0, 0, float(5.25)), formula(0, 1, a|1|1<<16), formula(0, 2, a|1), formula(0, 3, a|2|0x2A<<16), formula(0, 4, a|3),
			formula(0, 5, a|b), record(0x0207, narrow("NG")), formula(0, 6, a|b), record(0x04BC, "shared"), record(0x0207, broad("\u2713")), number(0, 7, 1)),
			"5.25,TRUE,FALSE,#N/A,,NG,\u2713,1\n"},
		{"a formula's text over two records", join(formula(0, 0, a), record(0x0207, uint16(5), byte(0), "ab"), record(0x003C, byte(1), []uint16{'c', 0x2713, 'e'})), "abc\u2713e\n"},
		{"absent rows and cells", join(number(1, 2, 1), number(4, 0, 2), number(4, 3, 3)), "\n,,1,\n\n\n2,,,3\n"},
		{"blank cells are none", join(record(0x0201, at(0, 9)), number(1, 0, 1), record(0x00BE, uint16(9), uint16(0), uint16(15), uint16(15), uint16(1))), "\n1\n"},
		{"the last row, the last column", number(65535, 255, 1), strings.Repeat("\n", 65535) + strings.Repeat(",", 255) + "1\n"},
		{"column by column", join(number(0, 0, 1), number(1, 0, 2), label(2, 0, narrow("c")), number(0, 1, 3), number(1, 1, 4)), "1,3\n2,4\nc,\n"},
		{"the last of two in one place", join(number(0, 0, 1), number(0, 1, 2), number(0, 0, 3)), "3,2\n"},
		{"a chart within", join(number(0, 0, 1), begin(chart), number(0, 0, 9), begin(chart), number(5, 5, 9), end, label(7, 0, narrow("axis")), end, number(0, 1, 2)), "1,2\n"},
		{"records of no interest", join(record(0x0200, uint32(0), uint32(99), uint16(0), uint16(99), uint16(0)), record(0x0022, uint16(1)), number(0, 0, 1), record(0x00EC, "drawing"), record(0x003C, "goes on")), "1\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := text(workbook(nil, test.cells), 0)
			if err != nil || got != test.want {
				t.Errorf("%q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// sst is the record of the shared texts, cut into several where next stands.
func sst(count int, parts ...any) []byte {
	head := append([]any{uint32(count), uint32(count)}, parts...)
	kind := uint16(0x00FC)
	var b []byte
	for {
		i := slices.Index(head, any(next{}))
		if i < 0 {
			return append(b, record(kind, head...)...)
		}
		b = append(b, record(kind, head[:i]...)...)
		head, kind = head[i+1:], 0x003C
	}
}

type next struct{}

func TestSharedTexts(t *testing.T) {
	t.Parallel()
	runs := []uint32{1, 2}
	tests := []struct {
		name  string
		texts []byte
		want  []string
	}{
		{"both widths", sst(3, string(narrow("AL")), string(broad("Ōsaka")), string(narrow(""))), []string{"AL", "Ōsaka", ""}},
		{"fonts and sounds", sst(3, uint16(2), byte(8), uint16(2), "ab", runs, uint16(1), byte(1|4|8), uint16(2), uint32(3), uint16(0x6771), runs, "xyz", string(narrow("c"))), []string{"ab", "東", "c"}},
		{"a cut between texts", sst(2, string(narrow("a")), next{}, string(narrow("b"))), []string{"a", "b"}},
		{"a cut within letters", sst(2, uint16(4), byte(0), "ab", next{}, byte(0), "cd", string(narrow("e"))), []string{"abcd", "e"}},
		{"a cut before the letters", sst(1, uint16(2), byte(0), next{}, byte(0), "ab"), []string{"ab"}},
		{"from one byte to two", sst(1, uint16(4), byte(0), "ab", next{}, byte(1), []uint16{0x2713, 'd'}), []string{"ab\u2713d"}},
		{"from two bytes to one", sst(1, uint16(4), byte(1), []uint16{0x2713, 'b'}, next{}, byte(0), "cd"), []string{"\u2713bcd"}},
		{"over three records", sst(1, uint16(5), byte(0), "a", next{}, byte(0), "bc", next{}, byte(1), []uint16{'d', 'e'}), []string{"abcde"}},
		{"a cut within a pair", sst(1, uint16(2), byte(1), uint16(0xD83C), next{}, byte(1), uint16(0xDFED)), []string{"\U0001F3ED"}},
		{"half a pair", sst(2, uint16(2), byte(1), []uint16{0xD83C, 'a'}, uint16(1), byte(1), uint16(0xDFED)), []string{"\uFFFDa", "\uFFFD"}},
		{"a cut within fonts", sst(2, uint16(1), byte(8), uint16(2), "a", uint32(1), next{}, uint32(2), string(narrow("b"))), []string{"a", "b"}},
		{"a cut within sounds", sst(2, uint16(1), byte(4), uint32(4), "axy", next{}, "zw", string(narrow("b"))), []string{"a", "b"}},
		{"a cut within a head", sst(1, uint16(1), byte(8), next{}, uint16(1), "a", uint32(1)), []string{"a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var cells []byte
			for i := range test.want {
				cells = append(cells, shared(0, uint16(i), uint32(i))...)
			}
			got, err := text(workbook(test.texts, cells), 0)
			if want := strings.Join(test.want, ",") + "\n"; err != nil || got != want {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		})
	}
}

func TestSheets(t *testing.T) {
	t.Parallel()
	file := compound(entry{"Workbook", stream(nil,
		part{name: "Contents", cells: number(0, 0, 1)},
		part{name: "Chart1", kind: 2},
		part{name: "GEN98 ", hidden: 1, cells: number(0, 0, 2)},
		part{name: "Macro1", kind: 1},
		part{name: "PLNT98", hidden: 2, cells: bytes.Repeat(number(0, 0, 3), 300)}, // too long for the root's stream
	)}, entry{"Book", []byte("of Excel 95")}, entry{"\x05SummaryInformation", []byte("title")})
	w, err := xls.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if want := []xls.Sheet{{Name: "Contents"}, {Name: "GEN98 ", Hidden: true}, {Name: "PLNT98", Hidden: true}}; !slices.Equal(w.Sheets(), want) {
		t.Errorf("%+v, want %+v", w.Sheets(), want)
	}
	for i, want := range []string{"1\n", "2\n", "3\n"} {
		t.Run(w.Sheets()[i].Name, func(t *testing.T) {
			t.Parallel() // one workbook serves several readers
			r, err := w.Open(i)
			if err != nil {
				t.Fatal(err)
			}
			if err := iotest.TestReader(r, []byte(want)); err != nil {
				t.Error(err)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if _, err := r.Read(make([]byte, 1)); err == nil {
				t.Error("a closed sheet was read")
			}
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	good := workbook(sst(1, string(narrow("a"))), join(number(0, 0, 1), shared(0, 1, 0)))
	inStream := func(b []byte) []byte { return compound(entry{"Workbook", b}) }
	place := stream(nil, part{name: "S"})
	place[len(begin(globals))+4] = 1 // where no record begins
	behind := stream(nil, part{name: "S"})
	behind[len(begin(globals))+6] = 1
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "not an .xls workbook"},
		{"text", []byte(strings.Repeat("YEAR,PSTATABB\n", 100)), "not an .xls workbook"},
		{"Excel 4 without a container", record(0x0409, uint16(0), uint16(worksheet), uint16(0)), "save it as .xlsx"},
		{"a signature and nothing else", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), "damaged"},
		{"a long list of streams", compound(slices.Repeat([]entry{{"Workbook", nil}}, 3000)...), "too long"},
		{"many sheets", compound(entry{"Workbook", stream(nil, slices.Repeat([]part{{name: "S"}}, 1001)...)}), "more than 1000 sheets"},
		{"cut off", good[:len(good)-1024], ""},
		{"no workbook", compound(entry{"WordDocument", []byte("text")}), "holds no workbook"},
		{"encrypted .xlsx", compound(entry{"EncryptionInfo", nil}, entry{"EncryptedPackage", []byte("secret")}), "save it without a password"},
		{"encrypted", workbook(record(0x002F, uint16(1), uint16(1)), nil), "save it without a password"},
		{"Excel 95", compound(entry{"Book", join(record(0x0809, uint16(0x0500), uint16(globals), uint32(0)), end)}), "save it as .xlsx"},
		{"Excel 4", inStream(record(0x0409, uint16(0), uint16(worksheet), uint16(0))), "save it as .xlsx"},
		{"no beginning", inStream(number(0, 0, 1)), "damaged"},
		{"no end", inStream(begin(globals)), "damaged"},
		{"half a record", inStream(join(begin(globals), []byte{1})), "damaged"},
		{"a record that is too long", inStream(join(begin(globals), pack(uint16(0x0085), uint16(9000)))), "damaged"},
		{"a short name", inStream(join(begin(globals), record(0x0085, uint32(0), byte(0), byte(0), byte(9), byte(0), "S"), end)), "damaged"},
		{"fewer texts than said", workbook(sst(9, string(narrow("a"))), nil), "damaged"},
		{"a letter cut in two", workbook(sst(1, uint16(2), byte(1), uint16('a'), byte('b'), next{}, byte(1), uint16('c')), nil), "cut in two"},
		{"an empty continuation", workbook(sst(1, uint16(2), byte(0), "a", next{}, next{}, byte(0), "b"), nil), "damaged"},
		{"endless sounds", workbook(sst(1, uint16(1), byte(4), uint32(math.MaxUint32), "a"), nil), "damaged"},
		{"a sheet within a record", inStream(place), "S"},
		{"a sheet behind the end", inStream(behind), "S"},
		{"no such text", workbook(sst(1, string(narrow("a"))), shared(1, 2, 1)), "row 2, column 3"},
		{"a short number", workbook(nil, record(0x0203, at(0, 0), float32(1))), "damaged"},
		{"a short cell", workbook(nil, record(0x0203, uint16(0))), "damaged"},
		{"column 257", workbook(nil, number(0, 256, 1)), "column 257"},
		{"numbers beyond the last column", workbook(nil, record(0x00BD, uint16(0), uint16(255), bytes.Repeat(pack(uint16(15), int32(6)), 2), uint16(256))), "column 257"},
		{"numbers in other columns than said", workbook(nil, record(0x00BD, uint16(0), uint16(1), uint16(15), int32(6), uint16(5))), "last column"},
		{"an unknown error", workbook(nil, record(0x0205, at(0, 0), byte(1), byte(1))), "no known kind"},
		{"an unknown result", workbook(nil, formula(0, 0, 0xFFFF<<48|9)), "no known kind"},
		{"a formula without its text", workbook(nil, join(formula(0, 0, 0xFFFF<<48), number(0, 1, 1))), "lacks its text"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := text(test.file, 0)
			if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%q, %v; want ErrInvalid with %q", got, err, test.want)
			}
		})
	}
}

// brokenAt fails from an offset on.
type brokenAt struct {
	io.ReaderAt
	from int64
}

var errBroken = errors.New("the disk is broken")

func (b brokenAt) ReadAt(p []byte, offset int64) (int, error) {
	if offset+int64(len(p)) > b.from {
		return 0, errBroken
	}
	return b.ReaderAt.ReadAt(p, offset)
}

// TestReadErrors fails the file at every place: what the file says comes through,
// and never as a fault of the workbook.
func TestReadErrors(t *testing.T) {
	t.Parallel()
	file := workbook(sst(1, string(narrow("a"))), join(bytes.Repeat(number(0, 0, 1), 300), shared(0, 1, 0)))
	for from := range int64(len(file)) / 64 {
		w, err := xls.Open(brokenAt{bytes.NewReader(file), 64 * from}, int64(len(file)))
		if err == nil {
			var r io.ReadCloser
			if r, err = w.Open(0); err == nil {
				_, err = io.Copy(io.Discard, r)
			}
		}
		if err != nil && (!errors.Is(err, errBroken) || errors.Is(err, egrid.ErrInvalid)) {
			t.Fatalf("broken from byte %d on: %v", 64*from, err)
		}
	}
}

// check opens whatever it is, and holds what comes out to RFC 4180.
func check(t *testing.T, file []byte) {
	t.Helper()
	w, err := xls.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		if !errors.Is(err, egrid.ErrInvalid) {
			t.Fatalf("not ErrInvalid: %v", err)
		}
		return
	}
	for i := range w.Sheets() {
		r, err := w.Open(i)
		if err != nil {
			if !errors.Is(err, egrid.ErrInvalid) {
				t.Fatalf("not ErrInvalid: %v", err)
			}
			continue
		}
		b, err := io.ReadAll(io.LimitReader(r, 1<<20))
		if err != nil {
			t.Fatalf("what was measured cannot be read: %v", err)
		}
		if !utf8.Valid(b) && len(b) < 1<<20 {
			t.Fatalf("not UTF-8: %q", b)
		}
		records := csv.NewReader(bytes.NewReader(b))
		records.ReuseRecord = true
		for len(b) < 1<<20 {
			_, err := records.Read()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("not CSV: %v in %q", err, b)
			}
		}
	}
}

// TestEveryWord damages a file in every place, container and records alike, by
// numbers that lead in circles, outside or nowhere.
func TestEveryWord(t *testing.T) {
	t.Parallel()
	small := workbook(sst(2, string(narrow("a")), uint16(2), byte(1|4|8), uint16(1), uint32(1), uint16('b'), next{}, byte(0), "c", uint32(0), "x"),
		join(number(0, 0, 1), shared(1, 1, 1), formula(2, 0, 0xFFFF<<48), record(0x0207, narrow("x"))))
	long := workbook(nil, bytes.Repeat(number(3, 3, 1), 250))
	for _, file := range [][]byte{small, long} {
		for at := 0; at+4 <= len(file); at += 4 {
			if at > 2048 && bytes.Equal(file[at:at+4], file[at-36:at-32]) {
				continue // in the middle of what is repeated
			}
			for _, v := range []uint32{0, 1, 5, 0x7FFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF} {
				damaged := bytes.Clone(file)
				binary.LittleEndian.PutUint32(damaged[at:], v)
				check(t, damaged)
			}
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add(workbook(sst(1, string(narrow("a"))), join(number(0, 0, 1), shared(1, 1, 0))))
	f.Add(workbook(nil, bytes.Repeat(number(3, 3, 1), 300)))
	f.Add(compound(entry{"Book", nil}, entry{"Workbook", nil}))
	f.Fuzz(func(t *testing.T, file []byte) { check(t, file) })
}

// FuzzRecords has any records in a file that is right, so that it goes deeper
// than FuzzFile.
func FuzzRecords(f *testing.F) {
	f.Add(sst(2, uint16(4), byte(1|4|8), uint16(1), uint32(2), uint16('a'), next{}, byte(0), "bcd", uint32(1), "xy", string(broad("z"))),
		join(shared(0, 0, 0), number(1, 1, 0.5), label(2, 2, broad("é"))))
	f.Add([]byte(nil), join(formula(3, 3, 0xFFFF<<48), record(0x0207, narrow("x")), record(0x00BD, uint16(1), uint16(1), uint16(15), int32(6), uint16(1))))
	f.Add(record(0x002F, uint16(0)), begin(chart))
	f.Fuzz(func(t *testing.T, common, cells []byte) { check(t, workbook(common, cells)) })
}
