package xlsx_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book/internal/xlsx"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// parts are the files of a workbook.
type parts map[string]string

const (
	head         = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	transitional = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	strict       = "http://purl.oclc.org/ooxml/officeDocument/relationships/"
)

// workbook is a workbook of one sheet, as Excel lays it out.
func workbook(sheet, shared string) parts {
	return parts{
		"[Content_Types].xml": head + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels":         head + `<Relationships><Relationship Id="rId1" Type="` + transitional + `officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": head + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="` + transitional + `">
			<sheets><sheet name="GEN23 " sheetId="7" r:id="rId3"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": head + `<Relationships><Relationship Id="rId9" Type="` + transitional + `sharedStrings" Target="sharedStrings.xml"/>
			<Relationship Id="rId3" Type="` + transitional + `worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml": sheet,
		"xl/sharedStrings.xml":     head + `<sst>` + shared + `</sst>`,
	}
}

func rowsOf(rows string) string {
	return head + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` + rows + `</sheetData></worksheet>`
}

// with returns the parts with others in their place; those that are empty are
// left out.
func (p parts) with(others parts) parts {
	p = maps.Clone(p)
	for name, text := range others {
		if p[name] = text; text == "" {
			delete(p, name)
		}
	}
	return p
}

func (p parts) pack(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(p)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, p[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(data []byte) (*xlsx.Workbook, error) {
	return xlsx.Open(bytes.NewReader(data), int64(len(data)))
}

// textOf is the text of the first sheet.
func textOf(data []byte) (string, error) {
	w, err := open(data)
	if err != nil {
		return "", err
	}
	if len(w.Sheets()) == 0 {
		return "", nil
	}
	r, err := w.Open(0)
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	return string(text), err
}

// TestCells: how cells are written, and what they say.
func TestCells(t *testing.T) {
	t.Parallel()
	const letters = `<si><t>Gen</t></si><si><t xml:space="preserve"> Trailing </t></si><si><r><t>CO</t></r><r><rPr><vertAlign val="subscript"/></rPr><t>2</t></r></si>` +
		`<si><t>漢</t><rPh sb="0" eb="1"><t>カン</t></rPh><phoneticPr fontId="1"/></si><si/><si><t>a, "b"` + "\n" + `c</t></si><si><t/></si>`
	for name, test := range map[string]struct{ rows, want string }{
		"shared":                   {`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="12" t="s"><v>1</v></c></row>`, "Gen, Trailing \n"},
		"formatted runs":           {`<row r="1"><c r="A1" t="s"><v>2</v></c></row>`, "CO2\n"},
		"pronunciation":            {`<row r="1"><c r="A1" t="s"><v>3</v></c></row>`, "漢\n"},
		"empty shared":             {`<row r="1"><c r="A1" t="s"><v>4</v></c><c r="B1" t="s"><v>6</v></c><c r="C1"><v>1</v></c></row>`, ",,1\n"},
		"quoted":                   {`<row r="1"><c r="A1" t="s"><v>5</v></c></row>`, "\"a, \"\"b\"\"\nc\"\n"},
		"inline":                   {`<row r="1"><c r="A1" t="inlineStr"><is><t>0290</t></is></c><c r="B1" t="inlineStr"><is><r><t>a</t></r><r><t xml:space="preserve"> b</t></r></is></c></row>`, "0290,a b\n"},
		"entities":                 {`<row r="1"><c r="A1" t="str"><v>A&amp;B &lt;&gt; &quot;x&quot; &apos;&#233;&#xe9;</v></c></row>`, `"A&B <> ""x"" 'éé"` + "\n"},
		"CDATA":                    {`<row r="1"><c r="A1" t="inlineStr"><is><t><![CDATA[A & <B>]]></t></is></c></row>`, "A & <B>\n"},
		"comment":                  {`<row r="1"><!-- c --><c r="A1"><v>1<!-- d -->2</v></c></row>`, "12\n"},
		"escapes":                  {`<row r="1"><c r="A1" t="str"><v>a_x000D_` + "\n" + `b_x005F_x000D_ _xZZZZ_ _xD83D__xDE00_</v></c></row>`, "\"a\r\nb_x000D_ _xZZZZ_ 😀\"\n"},
		"line ends":                {"<row r=\"1\"><c r=\"A1\" t=\"str\"><v>a\r\nb\rc</v></c></row>", "\"a\nb\nc\"\n"},
		"numbers":                  {`<row r="1"><c r="A1"><v>3</v></c><c r="B1" t="n"><v>-2443.4</v></c><c r="C1" s="3"><v>0.05250</v></c><c r="D1"><v>1.234E-05</v></c></row>`, "3,-2443.4,0.05250,1.234E-05\n"},
		"many digits":              {`<row r="1"><c r="A1"><v>0.36799999999999999</v></c><c r="B1"><v>10244180.930999999</v></c><c r="C1"><v>1.2340000000000001E-5</v></c><c r="D1"><v>1.2340000000000001E-9</v></c><c r="E1"><v>12345678901234567890</v></c></row>`, "0.368,10244180.931,0.00001234,1.234e-09,12345678901234567000\n"},
		"15 digits":                {`<row r="1"><c r="A1"><v>999999999999.123</v></c><c r="B1"><v>0.000123456789012345</v></c></row>`, "999999999999.123,0.000123456789012345\n"},
		"whole with a point":       {`<row r="1"><c r="A1"><v>2023.0</v></c><c r="B1"><v>-1.0</v></c><c r="C1"><v>10.00</v></c><c r="D1"><v>100</v></c><c r="E1" t="str"><v>5.0</v></c></row>`, "2023,-1,10.00,100,5.0\n"},
		"number as text":           {`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>1,234</t></is></c></row>`, "Gen,\"1,234\"\n"},
		"dates are numbers":        {`<row r="1"><c r="A1" s="14"><v>45292</v></c><c r="B1" t="d"><v>2024-01-01</v></c></row>`, "45292,2024-01-01\n"},
		"booleans":                 {`<row r="1"><c r="A1" t="b"><v>1</v></c><c r="B1" t="b"><v>0</v></c></row>`, "TRUE,FALSE\n"},
		"errors":                   {`<row r="1"><c r="A1" t="e"><v>#N/A</v></c><c r="B1" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>`, "#N/A,#DIV/0!\n"},
		"formulas":                 {`<row r="1"><c r="A1"><f>SUM(B1:C1)</f><v>42.5</v></c><c r="B1" t="str"><f t="shared" si="0"/><v>AK</v></c><c r="C1" t="str"><f>""</f><v></v></c><c r="D1" t="b"><f>TRUE</f><v>1</v></c></row>`, "42.5,AK,,TRUE\n"},
		"never calculated":         {`<row r="1"><c r="A1"><f>SUM(B1, C1)</f><v></v></c><c r="B1"><f>A1*2</f></c><c r="C1"><f>B1</f><v/></c></row>`, "\"=SUM(B1, C1)\",=A1*2,=B1\n"},
		"sparse":                   {`<row r="2"><c r="B2"><v>1</v></c><c r="D2"><v>2</v></c></row><row r="5"><c r="A5"><v>3</v></c></row>`, "\n,1,,2\n\n\n3,,,\n"},
		"styled and empty":         {`<row r="1"><c r="A1"><v>1</v></c><c r="B1" s="4"/><c r="C1" s="4"></c></row><row r="2"/><row r="3"><c r="A3"><v>2</v></c><c r="B3"><v>3</v></c></row>`, "1\n\n2,3\n"},
		"without references":       {`<row><c><v>1</v></c><c t="s"><v>0</v></c></row><row><c/><c><v>2</v></c></row>`, "1,Gen\n,2\n"},
		"hidden":                   {`<row r="1" hidden="1"><c r="A1"><v>1</v></c></row>`, "1\n"},
		"LibreOffice":              {`<row r="1" customFormat="false" ht="12.8" hidden="false" customHeight="false" outlineLevel="0" collapsed="false"><c r="A1" s="1" t="s"><v>0</v></c><c r="B1" s="0" t="n"><v>0.0525</v></c><c r="C1" s="0" t="n"><f aca="false">B1*2</f><v>0.105</v></c><c r="D1" s="0" t="str"><f aca="false">A1</f><v>Gen</v></c></row>`, "Gen,0.0525,0.105,Gen\n"},
		"Google Sheets":            {`<row r="1" ht="15.75" customHeight="1"><c r="A1" s="1" t="s"><v>0</v></c><c r="B1" s="2"/><c r="Z1" s="2"/></row><row r="2"><c r="A2" s="3"><v>2.0</v></c></row>`, "Gen\n2\n"},
		"Apache POI":               {`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="n"><v>57053.0</v></c><c r="C1" t="b"><v>1</v></c><c r="D1"/></row>`, "Gen,57053,TRUE\n"},
		"R openxlsx":               {`<row r="1"><c r="A1" s="1" t="s"><v>0</v></c><c r="B1" t="e"><v>#NUM!</v></c><c r="C1" t="n"><v>1.0244180931e7</v></c></row>`, "Gen,#NUM!,1.0244180931e7\n"},
		"merged":                   {`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"/></row><row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>`, "Gen\n1,2\n"},
		"far column":               {`<row r="1"><c r="AA1"><v>1</v></c></row>`, strings.Repeat(",", 26) + "1\n"},
		"blanks around":            {"<row r=\"1\" >\n  <c r=\"A1\" >\n <v>1</v>\n </c>\n </row>\n", "1\n"},
		"single quotes":            {`<row r='1'><c t='s' s='1' r='A1'><v>0</v></c></row>`, "Gen\n"},
		"unknown children":         {`<row r="1"><c r="A1"><v>1</v><extLst><ext uri="x"/></extLst></c></row>`, "1\n"},
		"inline kind with a value": {`<row r="1"><c r="A1" t="inlineStr"><v>x</v></c></row>`, "x\n"},
		"nothing":                  {``, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := textOf(workbook(rowsOf(test.rows), letters).pack(t))
			if err != nil || got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// TestWorkbooks: how programs lay workbooks out.
func TestWorkbooks(t *testing.T) {
	t.Parallel()
	const rows = `<row r="1"><c r="A1" t="s"><v>0</v></c></row>`
	plain := workbook(rowsOf(rows), `<si><t>x</t></si>`)
	for name, p := range map[string]parts{
		"plain": plain,
		"strict": plain.with(parts{
			"_rels/.rels":                strings.ReplaceAll(plain["_rels/.rels"], transitional, strict),
			"xl/_rels/workbook.xml.rels": strings.ReplaceAll(plain["xl/_rels/workbook.xml.rels"], transitional, strict),
			"xl/workbook.xml":            strings.ReplaceAll(plain["xl/workbook.xml"], transitional, strict),
		}),
		"absolute targets": plain.with(parts{"xl/_rels/workbook.xml.rels": strings.NewReplacer(`"worksheets/`, `"/xl/worksheets/`, `"sharedStrings`, `"/xl/sharedStrings`).Replace(plain["xl/_rels/workbook.xml.rels"])}),
		"prefixes": plain.with(parts{
			"xl/worksheets/sheet1.xml": strings.NewReplacer("<worksheet", "<x:worksheet", "</worksheet", "</x:worksheet", "<sheetData", "<x:sheetData", "</sheetData", "</x:sheetData", "<row", "<x:row", "</row", "</x:row", "<c ", "<x:c ", "</c>", "</x:c>", "<v>", "<x:v>", "</v>", "</x:v>").Replace(rowsOf(rows)),
			"xl/sharedStrings.xml":     `<x:sst><x:si><x:t>x</x:t></x:si></x:sst>`,
		}),
		"other names and cases": plain.with(parts{
			"xl/worksheets/sheet1.xml": "", `xl\Worksheets\Sheet1.XML`: rowsOf(rows),
		}),
		"without relations of the package": plain.with(parts{"_rels/.rels": ""}),
		"dimension that is wrong":          plain.with(parts{"xl/worksheets/sheet1.xml": strings.Replace(rowsOf(rows), "<sheetData>", `<dimension ref="A1"/><cols><col min="1" max="9"/></cols><sheetData>`, 1)}),
		"byte order mark":                  plain.with(parts{"xl/worksheets/sheet1.xml": "\ufeff" + rowsOf(rows), "xl/sharedStrings.xml": "\ufeff" + plain["xl/sharedStrings.xml"]}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := p.pack(t)
			if got, err := textOf(data); err != nil || got != "x\n" {
				t.Errorf("got %q, %v", got, err)
			}
			if w, err := open(data); err != nil || len(w.Sheets()) != 1 || w.Sheets()[0].Name != "GEN23 " {
				t.Errorf("sheets %+v, %v", w, err)
			}
		})
	}
}

func TestSheets(t *testing.T) {
	t.Parallel()
	p := workbook(rowsOf(""), "").with(parts{
		"xl/workbook.xml": `<workbook xmlns:r="` + transitional + `"><sheets><sheet name="Contents" sheetId="1" r:id="a"/><sheet name="GEN23 " state="hidden" sheetId="2" r:id="b"/>` +
			`<sheet name="Chart" sheetId="3" r:id="c"/><sheet name="A &amp; B" state="veryHidden" sheetId="4" r:id="d"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="b" Type="` + transitional + `worksheet" Target="two.xml"/><Relationship Id="a" Type="` + transitional + `worksheet" Target="one.xml"/>` +
			`<Relationship Id="c" Type="` + transitional + `chartsheet" Target="chart.xml"/><Relationship Id="d" Type="` + transitional + `worksheet" Target="four.xml"/></Relationships>`,
		"xl/one.xml": rowsOf(`<row r="1"><c r="A1"><v>1</v></c></row>`), "xl/two.xml": rowsOf(`<row r="1"><c r="A1"><v>2</v></c></row>`), "xl/four.xml": rowsOf(`<row r="1"><c r="A1"><v>4</v></c></row>`),
	})
	w, err := open(p.pack(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []xlsx.Sheet{{Name: "Contents"}, {Name: "GEN23 ", Hidden: true}, {Name: "A & B", Hidden: true}}
	if !slices.Equal(w.Sheets(), want) {
		t.Fatalf("got %+v", w.Sheets())
	}
	for i, want := range []string{"1\n", "2\n", "4\n"} {
		r, err := w.Open(i)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != want {
			t.Errorf("sheet %d: %q, %v", i, got, err)
		}
	}
}

// TestWidth: the rows at the top say how long the others are.
func TestWidth(t *testing.T) {
	t.Parallel()
	rows := `<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="C2"><v>2</v></c></row><row r="3"><c r="A3"><v>3</v></c></row>` +
		`<row r="70"><c r="F70"><v>4</v></c></row><row r="71"><c r="A71"><v>5</v></c></row>`
	got, err := textOf(workbook(rowsOf(rows), "").pack(t))
	if want := "1\n,,2\n3,,\n" + strings.Repeat("\n", 66) + ",,,,,4\n5,,\n"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestDamage: what is not as it should be is refused, and the part is named.
func TestDamage(t *testing.T) {
	t.Parallel()
	const good = `<row r="1"><c r="A1" t="s"><v>0</v></c></row>`
	sheet := func(rows string) parts { return workbook(rowsOf(rows), `<si><t>x</t></si>`) }
	plain := sheet(good)
	for name, test := range map[string]struct {
		p    parts
		want string
	}{
		"text that is not there":   {sheet(`<row r="1"><c r="A1" t="s"><v>1</v></c></row>`), "sheet1.xml"},
		"text number":              {sheet(`<row r="1"><c r="A1" t="s"><v>-1</v></c></row>`), "no text number"},
		"no texts":                 {plain.with(parts{"xl/sharedStrings.xml": ""}), "lacks its part xl/sharedStrings.xml"},
		"no sheet":                 {plain.with(parts{"xl/worksheets/sheet1.xml": ""}), "lacks its part xl/worksheets/sheet1.xml"},
		"no workbook":              {plain.with(parts{"xl/workbook.xml": ""}), "lacks its part xl/workbook.xml"},
		"texts cut":                {plain.with(parts{"xl/sharedStrings.xml": `<sst><si><t>x</t></si><si><t>`}), "sharedStrings.xml"},
		"sheet cut":                {plain.with(parts{"xl/worksheets/sheet1.xml": strings.TrimSuffix(rowsOf(good), "</row></sheetData></worksheet>")}), "ends in the middle"},
		"sheet without rows":       {plain.with(parts{"xl/worksheets/sheet1.xml": "<worksheet></worksheet>"}), "ends in the middle"},
		"workbook cut":             {plain.with(parts{"xl/workbook.xml": `<workbook><sheets><sheet name="x"`}), "xl/workbook.xml"},
		"rows out of order":        {sheet(`<row r="2"/><row r="1"/>`), "behind row 2"},
		"row twice":                {sheet(`<row r="2"/><row r="2"/>`), "behind row 2"},
		"row 0":                    {sheet(`<row r="0"/>`), "row \"0\""},
		"row too far":              {sheet(`<row r="1048577"/>`), "1048577"},
		"cell of another row":      {sheet(`<row r="2"><c r="A3"><v>1</v></c></row>`), "out of place"},
		"cells out of order":       {sheet(`<row r="1"><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>`), "out of place"},
		"cell twice":               {sheet(`<row r="1"><c r="B1"><v>1</v></c><c r="B1"><v>1</v></c></row>`), "out of place"},
		"column too far":           {sheet(`<row r="1"><c r="XFE1"><v>1</v></c></row>`), "out of place"},
		"unknown kind":             {sheet(`<row r="1"><c r="A1" t="z"><v>1</v></c></row>`), "unknown kind"},
		"neither true nor false":   {sheet(`<row r="1"><c r="A1" t="b"><v>2</v></c></row>`), "neither true nor false"},
		"unknown entity":           {sheet(`<row r="1"><c r="A1" t="str"><v>&nbsp;</v></c></row>`), "no XML"},
		"document type":            {plain.with(parts{"xl/worksheets/sheet1.xml": `<!DOCTYPE x [<!ENTITY a "b">]>` + rowsOf(good)}), "no XML"},
		"element out of place":     {sheet(`<row r="1"><row r="2"/></row>`), "out of place"},
		"another kind of document": {plain.with(parts{"xl/workbook.xml": `<document/>`}), "no workbook"},
		"binary workbook":          {plain.with(parts{"_rels/.rels": strings.ReplaceAll(plain["_rels/.rels"], "workbook.xml", "workbook.bin")}), ".xlsb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := textOf(test.p.pack(t))
			if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// TestEveryByteCounts: a workbook that is cut or of which a byte is another one
// is refused, or says the same.
func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	var rows strings.Builder
	for i := range 20 {
		rows.WriteString(`<row r="` + string(rune('0'+(i+1)/10)) + string(rune('0'+(i+1)%10)) + `"><c><v>` + strings.Repeat("7", i%9+1) + `.5</v></c><c t="s"><v>0</v></c></row>`)
	}
	good := workbook(rowsOf(rows.String()), `<si><t>Plant</t></si>`).pack(t)
	want, err := textOf(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		got, err := textOf(bad)
		if err == nil && got != want {
			t.Fatalf("byte %d: another text", i)
		}
		if err != nil && strings.Count(err.Error(), "fetch it again") != 1 && !strings.Contains(err.Error(), "unpack it") {
			t.Errorf("byte %d: no remedy: %v", i, err)
		}
		if _, err := textOf(good[:i]); !errors.Is(err, egrid.ErrInvalid) || strings.Count(err.Error(), "fetch it again") != 1 {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

// TestBuffers: a sheet reads the same wherever it is cut into buffers.
func TestBuffers(t *testing.T) {
	t.Parallel()
	for _, long := range []int{10, 1000, 100_000, 1_000_000} {
		var rows, want strings.Builder
		for i := 1; i <= 9; i++ {
			text := strings.Repeat("é", long+i)
			rows.WriteString(`<row r="` + string(rune('0'+i)) + `"><c r="A` + string(rune('0'+i)) + `"><v>12345678901.25</v></c><c r="B` + string(rune('0'+i)) + `" t="inlineStr"><is><t>` + text + `</t></is></c></row>`)
			want.WriteString("12345678901.25," + text + "\n")
		}
		if got, err := textOf(workbook(rowsOf(rows.String()), "").pack(t)); err != nil || got != want.String() {
			t.Errorf("%d: %d bytes, %v; want %d", long, len(got), err, want.Len())
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 32000)
	many := strings.Repeat(`<c t="s"><v>0</v></c>`, 16000)
	for name, p := range map[string]parts{
		"cell":  workbook(rowsOf(`<row r="1"><c r="A1" t="str"><v>`+strings.Repeat("x", 20<<20)+`</v></c></row>`), ""),
		"sheet": workbook(rowsOf(strings.Repeat(" ", 20<<20)), ""),
		"row":   workbook(rowsOf(`<row>`+many+`</row>`), `<si><t>`+long+`</t></si>`),
	} {
		if text, err := textOf(p.pack(t)); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
	}
	// One text in many cells is no damage; whoever reads it bounds it.
	few := strings.Repeat(`<row>`+many[:len(many)/100]+`</row>`, 20)
	w, err := open(workbook(rowsOf(few), `<si><t>`+long+`</t></si>`).pack(t))
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, r, 32<<20); err != nil || n != 32<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestRealWorkbook(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(testenv.Data(t), "2021", "UNT21.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := textOf(data)
	if lines := strings.Split(text, "\n"); err != nil || len(lines) != 24_600 || !strings.HasPrefix(lines[0], "sequnt,pstatabb,pname,orispl,unitid,") || !strings.HasPrefix(lines[2], ",AL,Barry,3,2,ST,OP,Yes,\"ARP, ") {
		t.Errorf("%d lines, %v", len(lines), err)
	}
}

func FuzzSheet(f *testing.F) {
	for _, rows := range []string{
		`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1"><v>0.36799999999999999</v></c></row>`,
		`<row><c t="inlineStr"><is><r><t>a</t></r><rPh><t>b</t></rPh></is></c><c><f>A1</f><v/></c></row><row r="9"/>`,
		`<row r="1"><c r="A1" t="str"><v>_x000D_&amp;<![CDATA[<]]></v></c></row>`,
	} {
		f.Add(rows, `<si><t>x</t></si>`)
	}
	f.Fuzz(func(t *testing.T, rows, shared string) {
		text, err := textOf(workbook(rowsOf(rows), shared).pack(t))
		if err != nil && !errors.Is(err, egrid.ErrInvalid) {
			t.Fatalf("%v", err)
		}
		if again, _ := textOf(workbook(rowsOf(rows), shared).pack(t)); again != text {
			t.Fatal("another text the second time")
		}
	})
}

func FuzzWorkbook(f *testing.F) {
	f.Add(workbook(rowsOf(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`), `<si><t>x</t></si>`).pack(f))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := open(data)
		if err != nil {
			if !errors.Is(err, egrid.ErrInvalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		for i := range w.Sheets() {
			r, err := w.Open(i)
			if err == nil {
				_, err = io.Copy(io.Discard, io.LimitReader(r, 16<<20))
			}
			if err != nil && !errors.Is(err, egrid.ErrInvalid) {
				t.Fatalf("%v", err)
			}
		}
	})
}
