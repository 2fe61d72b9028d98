package certificate_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/certificate"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

func newCertificate(cells int) *wire.Certificate {
	name, n := "ar5", wire.Number(28)
	c := &wire.Certificate{
		Year: 2023, Release: "rev0", Checked: 15_049, Matched: 15_047, Notes: []string{"The plants are not loaded."}, Hash: strings.Repeat("0f", 32),
		GWP:       wire.CertificateGWP{Name: &name, CH4: &n, N2O: &n},
		Tolerance: []wire.Tolerance{{Kind: "rate", Smallest: 0.0006, Largest: 0.5}},
		Checks:    []wire.Check{{Level: egrid.US, From: egrid.ST, Relation: "=", Checked: 43, Matched: 43}, {Level: egrid.ST, From: egrid.ST, Relation: "<=", Checked: 7, Matched: 7}},
		Variants:  []wire.Variant{{Rule: "shares", Choice: "of_net_generation", Checked: 9, Matched: 8, Used: true}},
		Sources:   []wire.FactorSource{{Level: egrid.US, Object: `<script>alert("1")</script>.csv`, SHA256: strings.Repeat("ab", 32)}},
	}
	for range cells {
		c.Cells = append(c.Cells, wire.CertificateCell{Level: egrid.US, Column: "ch4_combustion_output_rate_lb_per_mwh", From: egrid.US, Relation: "=", Published: 0.057, Recomputed: 0.093185814838, Difference: -0.036185814838, Tolerance: 0.0006})
	}
	if cells > 0 {
		c.Worst = &c.Cells[0]
	}
	return c
}

func TestWrite(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	if err := certificate.Write(&page, newCertificate(2)); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, want := range []string{
		"<title>Certificate of eGRID2023 rev0</title>", "2 of 15,049 comparisons differ", "<p>The plants are not loaded.</p>", "<td>≠</td>", "the sums of ST", "what its masses allow",
		"0.093185814838", "-0.036185814838", `<tr class="used"><td>shares</td>`, "0.0006 to 0.5 for rates", strings.Repeat("0f", 32), "&lt;script&gt;",
		"--year 2023 --release rev0 --format csv",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	for _, never := range []string{"<script", " style=", "src=", "href=", "http:", "https:"} {
		if strings.Contains(text, never) {
			t.Errorf("%q is in the page", never)
		}
	}
	// The style is what the policy allows, byte by byte, as a browser would hash it.
	_, rest, _ := strings.Cut(text, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	if hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(certificate.Policy(), hash) {
		t.Errorf("the policy %s does not allow the style, %s", certificate.Policy(), hash)
	}
}

func TestWriteShortAndLong(t *testing.T) {
	t.Parallel()
	var page bytes.Buffer
	c := newCertificate(0)
	c.Matched, c.GWP = c.Checked, wire.CertificateGWP{}
	if err := certificate.Write(&page, c); err != nil || !strings.Contains(page.String(), "All 15,049 comparisons match") || !strings.Contains(page.String(), "None that are known fit") {
		t.Errorf("%v: %s", err, page.String())
	}
	page.Reset()
	if err := certificate.Write(&page, newCertificate(1234)); err != nil || !strings.Contains(page.String(), "And 234 more") {
		t.Errorf("%v", err)
	}
	broken := errors.New("the disk is full")
	if err := certificate.Write(brokenWriter{broken}, c); !errors.Is(err, broken) {
		t.Errorf("%v; want that of the writer", err)
	}
}

type brokenWriter struct{ error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.error }
