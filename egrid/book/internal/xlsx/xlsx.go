// Package xlsx reads the sheets of an Office Open XML workbook, transitional or
// strict, as the CSV text of their raw values.
//
//	w, err := xlsx.Open(file, size)
//	text, err := w.Open(0)
//
// # Guarantees
//
// Record n of the text is row n of the sheet: a row that the sheet leaves out is
// an empty record, and trailing empty cells of a row are there as far as the rows
// at the top reach. A number is as it is stored, but for an end of .0, and where
// it has more than 15 digits it is the shortest text of the same number. A date is
// the number that stands for it. A formula is its stored value; one that was never
// calculated is its text behind an equals sign. An error is its text. Hidden rows,
// columns and sheets are read like others.
//
// Memory does not grow with the sheet; the texts that its cells share are kept.
// What is read is checked against the checksums of the file.
//
// # Errors
//
// All wrap egrid.ErrInvalid and name the part of the workbook, but those of the
// reader below, which come as they are.
package xlsx

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/internal/unpack"
)

// Workbook is an open workbook. It is safe for concurrent use if its reader is.
type Workbook struct {
	size   int64
	parts  map[string]*zip.File // by name in lower case
	sheets []Sheet
	files  []string // of the sheets
	texts  func() (*texts, error)
}

// Sheet is one worksheet.
type Sheet struct {
	Name   string // as it is, with its blanks
	Hidden bool
}

// maxPart bounds the parts that list sheets and relations.
const maxPart = 8 << 20

// Open reads the list of sheets of a workbook of size bytes. Sheets of charts and
// macros are left out.
func Open(r io.ReaderAt, size int64) (*Workbook, error) {
	archive, err := unpack.Zip(r, size)
	if err != nil {
		return nil, err
	}
	w := &Workbook{size: size, parts: map[string]*zip.File{}}
	for _, f := range archive.File {
		w.parts[partName(f.Name)] = f
	}
	main := "xl/workbook.xml"
	if roots, err := w.relations(""); err != nil {
		return nil, err
	} else if found := roots.of("/officeDocument"); len(found) > 0 {
		main = found[0].Target
	}
	if strings.HasSuffix(strings.ToLower(main), ".bin") {
		return nil, fmt.Errorf("%w: it is a binary workbook (.xlsb), which is not read; save it as .xlsx", egrid.ErrInvalid)
	}
	var list struct {
		XMLName xml.Name
		Sheets  []struct {
			Name  string `xml:"name,attr"`
			State string `xml:"state,attr"`
			ID    string `xml:"id,attr"`
		} `xml:"sheets>sheet"`
	}
	if err := w.decode(main, &list); err != nil {
		return nil, err
	}
	if list.XMLName.Local != "workbook" {
		return nil, fmt.Errorf("%w: it is no workbook: its main part is a %s", egrid.ErrInvalid, list.XMLName.Local)
	}
	relations, err := w.relations(main)
	if err != nil {
		return nil, err
	}
	for _, s := range list.Sheets {
		at := slices.IndexFunc(relations, func(r relation) bool { return r.ID == s.ID })
		if at < 0 {
			return nil, inPart(main, fmt.Errorf("%w: nothing says where its sheet %q is", errDamaged, s.Name))
		}
		if rel := relations[at]; strings.HasSuffix(rel.Type, "/worksheet") {
			w.sheets = append(w.sheets, Sheet{Name: s.Name, Hidden: s.State == "hidden" || s.State == "veryHidden"})
			w.files = append(w.files, rel.Target)
		}
	}
	w.texts = sync.OnceValues(func() (*texts, error) {
		found := relations.of("/sharedStrings")
		if len(found) == 0 {
			return nil, fmt.Errorf("%w: cells name texts by number, and the workbook has no part with texts", egrid.ErrInvalid)
		}
		part, err := w.open(found[0].Target)
		if err != nil {
			return nil, err
		}
		defer part.Close()
		t, err := readTexts(part)
		return t, inPart(found[0].Target, err)
	})
	return w, nil
}

// Sheets lists the worksheets in the order of the workbook.
func (w *Workbook) Sheets() []Sheet { return w.sheets }

// Open reads the i-th sheet as CSV, from its first row on.
func (w *Workbook) Open(i int) (io.ReadCloser, error) {
	part, err := w.open(w.files[i])
	if err != nil {
		return nil, err
	}
	return &sheetText{rows: rows{w: newWindow(part), texts: w.texts}, part: part, name: w.files[i]}, nil
}

// sheetText is the text of a sheet. It names the part in its errors.
type sheetText struct {
	rows rows
	part io.Closer
	name string
}

func (s *sheetText) Read(p []byte) (int, error) {
	n, err := s.rows.Read(p)
	if err != nil && err != io.EOF {
		err = inPart(s.name, err)
	}
	return n, err
}

func (s *sheetText) Close() error { return s.part.Close() }

// partName is how a part is looked up: whatever the case of its letters, and
// whichever slash the program writes.
func partName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(name, `\`, "/"), "/"))
}

func (w *Workbook) open(name string) (io.ReadCloser, error) {
	f := w.parts[partName(name)]
	if f == nil {
		return nil, fmt.Errorf("%w: the workbook lacks its part %s: it was cut or damaged; fetch it again", egrid.ErrInvalid, name)
	}
	part, err := unpack.Member(f, w.size)
	return part, inPart(name, err)
}

// decode reads a small part.
func (w *Workbook) decode(name string, to any) error {
	part, err := w.open(name)
	if err != nil {
		return err
	}
	defer part.Close()
	limited := &io.LimitedReader{R: part, N: maxPart}
	if err := xml.NewDecoder(limited).Decode(to); err != nil {
		if !errors.Is(err, egrid.ErrInvalid) { // else it cannot be unpacked
			err = fmt.Errorf("%w: %w", errDamaged, err)
		}
		return inPart(name, err)
	}
	if _, err := io.Copy(io.Discard, limited); err != nil { // the checksum is at the end
		return inPart(name, err)
	}
	if limited.N == 0 {
		return inPart(name, fmt.Errorf("%w: it is longer than %d MiB", egrid.ErrInvalid, maxPart>>20))
	}
	return nil
}

// relation says which part another one refers to.
type relation struct {
	ID     string `xml:"Id,attr"`
	Type   string `xml:"Type,attr"`
	Target string `xml:"Target,attr"`
	Mode   string `xml:"TargetMode,attr"`
}

type relations []relation

// relations reads those of a part, "" for the workbook as a whole.
func (w *Workbook) relations(of string) (relations, error) {
	folder, file := path.Split(of)
	name := folder + "_rels/" + file + ".rels"
	if w.parts[partName(name)] == nil {
		return nil, nil
	}
	var list struct {
		Relations relations `xml:"Relationship"`
	}
	if err := w.decode(name, &list); err != nil {
		return nil, err
	}
	found := list.Relations[:0]
	for _, r := range list.Relations {
		if r.Mode == "External" {
			continue
		}
		if r.Target = strings.ReplaceAll(r.Target, `\`, "/"); !strings.HasPrefix(r.Target, "/") {
			r.Target = path.Join(folder, r.Target)
		}
		r.Target = strings.TrimPrefix(path.Clean(r.Target), "/")
		found = append(found, r)
	}
	return found, nil
}

// of returns those of a type, whose names differ in strict workbooks but for
// their ends.
func (rs relations) of(end string) relations {
	var found relations
	for _, r := range rs {
		if strings.HasSuffix(r.Type, end) {
			found = append(found, r)
		}
	}
	return found
}

// inPart names the part that an error is about.
func inPart(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("part %s: %w", name, err)
}
