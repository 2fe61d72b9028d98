package parquetfile_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/export"
	"github.com/egrid-analytics/egrid-go/egrid/parquetfile"
)

// others is what other writers make of rows.
type others struct {
	Text     string  `parquet:"text,dict"`
	Small    int32   `parquet:"small"`
	Unsigned uint64  `parquet:"unsigned"`
	Byte     uint8   `parquet:"byte"`
	Yes      *bool   `parquet:"yes,optional"`
	X        float64 `parquet:"x"`
	Index    int64   `parquet:"__index_level_0__"`
	Money    int64   `parquet:"money,decimal(3:18)"`
	Delta    string  `parquet:"delta,delta"`
}

func otherRows() []others {
	yes := true
	return []others{
		{"0290", -1, math.MaxUint64, 255, &yes, 0.1, 7, -1, "a"},
		{"", 0, 0, 0, nil, math.NaN(), 8, 1234567, ""},
		{"x,y", 1, 1, 1, new(bool), math.Inf(1), 9, 0, "b"},
	}
}

func otherFile(t testing.TB, options ...parquet.WriterOption) []byte {
	t.Helper()
	return fileOf(t, otherRows(), options...)
}

func fileOf[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var file bytes.Buffer
	w := parquet.NewGenericWriter[T](&file, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	want := [][]string{
		{"text", "small", "unsigned", "byte", "yes", "x", "money", "delta"},
		{"0290", "-1", "18446744073709551615", "255", "true", "0.1", "-0.001", "a"},
		{"", "0", "0", "0", "", "", "1234.567", ""},
		{"x,y", "1", "1", "1", "false", "+Inf", "0.000", "b"},
	}
	for _, codec := range []compress.Codec{&parquet.Uncompressed, &parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		for version := 1; version <= 2; version++ {
			t.Run(fmt.Sprint(codec, version), func(t *testing.T) {
				t.Parallel()
				got, err := read(otherFile(t, parquet.Compression(codec), parquet.DataPageVersion(version)))
				if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("%v\n%q; want\n%q", err, got, want)
				}
			})
		}
	}
}

func TestDecimals(t *testing.T) {
	t.Parallel()
	group := parquet.Group{
		"a": parquet.Decimal(2, 9, parquet.Int32Type), "b": parquet.Decimal(0, 18, parquet.Int64Type),
		"c": parquet.Decimal(6, 38, parquet.FixedLenByteArrayType(16)), "d": parquet.Optional(parquet.Decimal(1, 4, parquet.ByteArrayType)),
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[any](&file, parquet.NewSchema("decimals", group))
	minus := bytes.Repeat([]byte{0xff}, 16)
	minus[15] = 0xfe
	for _, row := range []parquet.Row{
		{parquet.Int32Value(-5).Level(0, 0, 0), parquet.Int64Value(7).Level(0, 0, 1), parquet.FixedLenByteArrayValue(minus).Level(0, 0, 2), parquet.ByteArrayValue([]byte{0x7f}).Level(0, 1, 3)},
		{parquet.Int32Value(100).Level(0, 0, 0), parquet.Int64Value(0).Level(0, 0, 1), parquet.FixedLenByteArrayValue(make([]byte, 16)).Level(0, 0, 2), parquet.NullValue().Level(0, 0, 3)},
	} {
		if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := read(file.Bytes())
	if want := "[[a b c d] [-0.05 7 -0.000002 12.7] [1.00 0 0.000000 ]]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v %v; want %v", err, got, want)
	}
}

// A row of nothing is a record all the same.
func TestBlankRows(t *testing.T) {
	t.Parallel()
	type one struct {
		A *string `parquet:"a,optional"`
	}
	a := "x"
	got, err := read(fileOf(t, []one{{}, {&a}, {}}))
	if want := "[[a] [] [x] []]"; err != nil || fmt.Sprint(got) != want {
		t.Errorf("%v %v; want %v", err, got, want)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	type float struct {
		A float32 `parquet:"a"`
	}
	type date struct {
		A int32 `parquet:"a,date"`
	}
	type moment struct {
		A int64 `parquet:"a,timestamp"`
	}
	type list struct {
		A []string `parquet:"a,list"`
	}
	type nested struct {
		A struct{ B string } `parquet:"a"`
	}
	type id struct {
		A [16]byte `parquet:"a,uuid"`
	}
	type binaryText struct {
		A []byte `parquet:"a"`
	}
	good := otherFile(t)
	for _, test := range []struct {
		name string
		file []byte
		says string
	}{
		{"float", fileOf(t, []float{{1}}), `column "a" is of 32-bit floats, which keep 7 digits`},
		{"date", fileOf(t, []date{{1}}), `column "a" is of dates or times`},
		{"moment", fileOf(t, []moment{{1}}), `column "a" is of dates or times`},
		{"list", fileOf(t, []list{{}}), `column "a" is a list or a struct`},
		{"nested", fileOf(t, []nested{{}}), `column "a" is a list or a struct`},
		{"uuid", fileOf(t, []id{{}}), `column "a" is of the type UUID`},
		{"bytes", fileOf(t, []binaryText{{[]byte{0xff}}}), `column "a": a text that is not UTF-8`},
		{"brotli", otherFile(t, parquet.Compression(&parquet.Brotli)), "compressed by BROTLI; write it with Snappy, gzip or zstd"},
		{"cut", good[:len(good)-1], "damaged; fetch or write it again"},
		{"only its first bytes", good[:6], "damaged; fetch or write it again"},
		{"no columns", fileOf(t, []struct{}{}), "no columns"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := read(test.file); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v; want %q", err, test.says)
			}
		})
	}
}

func TestReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("network is gone")
	file := otherFile(t)
	r := bytes.NewReader(file)
	for _, after := range []int64{0, 10, int64(len(file)) / 2} {
		content, err := parquetfile.Input().Open(failing{ReaderAt: r, err: broken, after: after}, int64(len(file)))
		if err == nil {
			_, err = io.ReadAll(content)
		}
		if !errors.Is(err, broken) || errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("after %d bytes: %v; want %v", after, err, broken)
		}
	}
}

// What a file says of its pages is checked before it is believed: no damage makes
// the program panic or take memory that has nothing to do with the file's size.
func TestDamagedFiles(t *testing.T) { // not parallel: it measures memory
	s := schema(t)
	files := [][]byte{
		write(t, s, &export.About{}, batch(t, s, rows()...)), otherFile(t, parquet.Compression(&parquet.Gzip)), otherFile(t, parquet.Compression(&parquet.Zstd), parquet.DataPageVersion(1)),
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const tries = 3000
	refused := 0
	var before, after runtime.MemStats
	for n := range tries {
		file := slices.Clone(files[n%len(files)])
		for range 1 + random.IntN(3) {
			switch at := 4 + random.IntN(len(file)-4); random.IntN(3) {
			case 0:
				file[at] ^= 1 << random.IntN(8)
			case 1:
				file[at] = byte(random.IntN(256))
			default: // the largest number, as variable-length integers write it
				copy(file[at:], "\xff\xff\xff\xff\x0f")
			}
		}
		runtime.ReadMemStats(&before)
		_, err := read(file)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
			t.Fatalf("a file of %d bytes took %d MiB: %v", len(file), took>>20, err)
		}
		if err == nil {
			continue
		}
		if refused++; !errors.Is(err, egrid.ErrInvalid) {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d were refused", refused, tries)
	if refused == 0 {
		t.Error("no damage was noticed")
	}
}

// A small file that would fill memory is refused.
func TestMadeToFillMemory(t *testing.T) {
	t.Parallel()
	type row struct {
		A string `parquet:"a"`
	}
	big := strings.Repeat("a", 1<<20)
	var many []row
	for range 64 {
		many = append(many, row{big})
	}
	for _, codec := range []compress.Codec{&parquet.Snappy, &parquet.Gzip, &parquet.Zstd} {
		file := fileOf(t, many, parquet.Compression(codec))
		switch _, err := read(file); {
		case len(file) > 1<<18: // packed by less than the limit allows
			if err != nil {
				t.Errorf("%v: %v", codec, err)
			}
		case !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "unpacks to more than 200 times"):
			t.Errorf("%v: %v", codec, err)
		}
	}
	type wide struct {
		A string `parquet:"a,dict"`
	}
	repeated := slices.Repeat([]wide{{big[:1<<14]}}, 8192)
	if _, err := read(fileOf(t, repeated)); !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "unpacks to more than 200 times") {
		t.Errorf("a text of a dictionary, repeated: %v", err)
	}
}

func FuzzInput(f *testing.F) {
	s := schema(f)
	f.Add(write(f, s, &export.About{}, batch(f, s, rows()...)))
	f.Add(otherFile(f))
	f.Add(binary.LittleEndian.AppendUint32([]byte("PAR1"), 1<<31))
	f.Fuzz(func(t *testing.T, file []byte) {
		content, err := parquetfile.Input().Open(bytes.NewReader(file), int64(len(file)))
		if err == nil {
			_, err = io.Copy(io.Discard, io.LimitReader(content, 1<<20))
			content.Close()
		}
		if err != nil && !errors.Is(err, egrid.ErrInvalid) {
			t.Error(err)
		}
	})
}
