package charset_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/charset"
)

// encode writes text in UTF-16.
func encode(order binary.AppendByteOrder, s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func TestDetect(t *testing.T) {
	t.Parallel()
	const table = "YEAR,PNAME\r\n2023,Kraftwerk Müller\r\n"
	little, big := encode(binary.LittleEndian, table), encode(binary.BigEndian, table)
	tests := []struct {
		name string
		head string
		want string
	}{
		{"nothing", "", ""},
		{"ASCII", "YEAR,PNAME\r\n", ""},
		{"UTF-8", table, ""},
		{"UTF-8 with mark", "\xEF\xBB\xBF" + table, ""},
		{"UTF-8, cut within a letter", table[:strings.Index(table, "ü")+1], ""},
		{"little-endian with mark", "\xFF\xFE" + string(little), charset.UTF16LE},
		{"big-endian with mark", "\xFE\xFF" + string(big), charset.UTF16BE},
		{"a mark and nothing else", "\xFF\xFE", charset.UTF16LE},
		{"little-endian", string(little), charset.UTF16LE},
		{"big-endian", string(big), charset.UTF16BE},
		{"little-endian, an odd number of bytes", string(little[:len(little)-3]), charset.UTF16LE},
		{"two letters", "a\x00b\x00", charset.UTF16LE},
		{"Windows-1252", "YEAR,PNAME\r\n2023,Kraftwerk M\xFCller\r\n", charset.Windows1252},
		{"punctuation of Windows-1252", "name\nO\x92Brien \x96 \x93A\x94\n", charset.Windows1252},
		{"a letter of Windows-1252 that would begin one of UTF-8", "PNAME\ncaf\xE9,1\n", charset.Windows1252},
		{"cut behind the second such letter", "PNAME\ncaf\xE9,caf\xE9", charset.Windows1252},
		{"end of a file of DOS", "caf\xE9,1\n\x1A", charset.Windows1252},
		{"both", table + "2023,caf\xE9\r\n", ""},
		{"UTF-8 with mark and a letter of another", "\xEF\xBB\xBFYEAR\ncaf\xE9,1\n", ""},
		{"a byte that is nothing in Windows-1252", "caf\xE9,\x81\n", ""},
		{"zeros", strings.Repeat("\x00", 64), ""},
		{"numbers in binary", "PAR1\x15\x04\x15\xF0\x00\x15\xCC\x00\x4C\x15\x00", ""},
		{"a packed file", "\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\xE5\xBD\x07\x60", ""},
		{"zeros in every second byte, and control characters", "\x01\x00\x02\x00\x03\x00a\x00", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := charset.Detect([]byte(test.head)); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Müller \u2212 \U0001F3ED,", 10_000)
	tests := []struct {
		name     string
		encoding string
		in       string
		want     string
	}{
		{"UTF-8 as it is", "", "caf\xE9 é", "caf\xE9 é"},
		{"nothing", charset.UTF16LE, "", ""},
		{"little-endian", charset.UTF16LE, string(encode(binary.LittleEndian, long)), long},
		{"big-endian", charset.UTF16BE, string(encode(binary.BigEndian, long)), long},
		{"with mark", charset.UTF16LE, "\xFF\xFEa\x00", "a"},
		{"a mark within", charset.UTF16BE, "\xFE\xFF\x00a\xFE\xFF\x00b", "a\uFEFFb"},
		{"the first half of a pair", charset.UTF16BE, "\xD8\x3C\x00a", "\xFFa"},
		{"the second half of a pair", charset.UTF16BE, "\xDF\xED\x00a", "\xFFa"},
		{"half a pair at the end", charset.UTF16LE, "a\x00\x3C\xD8", "a\xFF"},
		{"two first halves", charset.UTF16BE, "\xD8\x3C\xD8\x3C\xDF\xED", "\xFF\U0001F3ED"},
		{"Windows-1252", charset.Windows1252, "caf\xE9 \x80 \x93A\x94 \x9F\xA0\xFF", "café € “A” Ÿ\u00A0ÿ"},
		{"what is nothing in Windows-1252", charset.Windows1252, "a\x81\x8D\x8F\x90\x9Db", "a\x81\x8D\x8F\x90\x9Db"},
		{"long", charset.Windows1252, strings.Repeat("\xFC", 100_000), strings.Repeat("ü", 100_000)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if err := iotest.TestReader(charset.Reader(test.encoding, strings.NewReader(test.in)), []byte(test.want)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReaderErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is broken")
	tests := []struct {
		name     string
		encoding string
		in       io.Reader
		text     string
		want     error
	}{
		{"no such encoding", "EBCDIC", strings.NewReader("a"), "", egrid.ErrInvalid},
		{"half a letter", charset.UTF16LE, strings.NewReader("a\x00b"), "a", egrid.ErrInvalid},
		{"UTF-16 from a broken disk", charset.UTF16BE, io.MultiReader(strings.NewReader("\x00a\x00"), iotest.ErrReader(broken)), "a", broken},
		{"Windows-1252 from a broken disk", charset.Windows1252, io.MultiReader(strings.NewReader("\xE9"), iotest.ErrReader(broken)), "é", broken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := io.ReadAll(charset.Reader(test.encoding, test.in))
			if string(got) != test.text || !errors.Is(err, test.want) {
				t.Errorf("%q, %v; want %q, %v", got, err, test.text, test.want)
			}
		})
	}
}

// TestLetters1252 has every letter behind ASCII as Unicode's table of
// Windows-1252 has it.
func TestLetters1252(t *testing.T) {
	t.Parallel()
	const letters = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8DŽ\x8F\x90‘’“”•–—˜™š›œ\x9DžŸ" +
		"\u00A0¡¢£¤¥¦§¨©ª«¬\u00AD®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ"
	var all []byte
	for c := 0x80; c <= 0xFF; c++ {
		all = append(all, byte(c))
	}
	got, err := io.ReadAll(charset.Reader(charset.Windows1252, bytes.NewReader(all)))
	if err != nil || string(got) != letters {
		t.Errorf("%q, %v; want %q", got, err, letters)
	}
}

// FuzzUTF16 reads text that the standard library has encoded, in both orders.
func FuzzUTF16(f *testing.F) {
	f.Add("YEAR,PNAME\n2023,Müller \U0001F3ED\n", 3)
	f.Add("\uFEFF\uFEFF", 0)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		if !utf8.ValidString(text) {
			return
		}
		for name, order := range map[string]binary.AppendByteOrder{charset.UTF16LE: binary.LittleEndian, charset.UTF16BE: binary.BigEndian} {
			b := encode(order, text)
			got, err := io.ReadAll(charset.Reader(name, iotest.OneByteReader(bytes.NewReader(b))))
			if want := strings.TrimPrefix(text, "\uFEFF"); err != nil || string(got) != want {
				t.Fatalf("%s: %q, %v; want %q", name, got, err, want)
			}
			if cut >= 0 && cut < len(b) && cut%2 == 1 {
				if _, err := io.ReadAll(charset.Reader(name, bytes.NewReader(b[:cut]))); !errors.Is(err, egrid.ErrInvalid) {
					t.Fatalf("%s, cut off: %v", name, err)
				}
			}
		}
	})
}

// FuzzDetect holds what is told to what then comes out: text without bytes that
// are no letters, and nothing else than the bytes say.
func FuzzDetect(f *testing.F) {
	f.Add([]byte("YEAR\ncaf\xE9,1\n"))
	f.Add([]byte("a\x00b\x00"))
	f.Add([]byte("\x00a\x00b"))
	f.Add([]byte("\xD8\x3C\x00a\x00b"))
	f.Fuzz(func(t *testing.T, b []byte) {
		name := charset.Detect(b)
		got, err := io.ReadAll(charset.Reader(name, bytes.NewReader(b)))
		switch {
		case err != nil && (len(b)%2 == 0 || !errors.Is(err, egrid.ErrInvalid)):
			t.Fatalf("%s: %v", name, err)
		case name == charset.Windows1252 && (utf8.Valid(b) || utf8.RuneCount(got) != len(b)):
			t.Fatalf("%q is said to be %s", b, name)
		case name == charset.Windows1252 && !utf8.Valid(got[:strings.LastIndexFunc(string(got), func(r rune) bool { return r < utf8.RuneSelf })+1]):
			t.Fatalf("%q has bytes that are no letters of %s", b, name)
		}
	})
}
