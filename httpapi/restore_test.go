package httpapi_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// A snapshot that another one replaced is published again, over HTTP.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := sampleStore(t)
	h := newAPI(s, &httpapi.Options{History: s.History, Authenticate: may})
	document := documentOf(t, h)
	before := snapshotOf(t, h, "/snapshots", egrid.GEN, 2023)
	publish(t, s, "GEN23.csv", strings.NewReader(strings.Replace(generators23, "400,200", "401,200", 1)))
	now := snapshotOf(t, h, "/snapshots", egrid.GEN, 2023)
	if now.ID == before.ID || firstPlant(t, h) != 901.5 {
		t.Fatalf("%s replaced by %s, %v MWh", before.ID, now.ID, firstPlant(t, h))
	}

	target := "/snapshots/" + string(before.ID) + "/restore"
	w := ask(t, h, "post", target, "")
	document.check(t, "post", "/snapshots/{id}/restore", target, w)
	if w.Code != http.StatusOK || w.Header().Get("Location") != "/snapshots/"+string(before.ID) || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	var got wire.Answer[wire.SnapshotInfo]
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Data.ID != before.ID || got.Data.Status != egrid.Published || got.Data.Revision <= now.Revision {
		t.Errorf("%+v, %v; want it published by a revision after %d", got.Data, err, now.Revision)
	}
	if mwh := firstPlant(t, h); mwh != 900.5 {
		t.Errorf("the first plant has %v MWh; want 900.5 again", mwh)
	}
	if again := ask(t, h, "post", target, ""); again.Code != http.StatusOK || again.Body.String() != w.Body.String() {
		t.Errorf("the second time: %d %s; want %s", again.Code, again.Body, w.Body)
	}

	if err := loadAs(s, "GEN23.csv", strings.NewReader(strings.Replace(generators23, "400,200", "7,200", 1)), driver.PublishHold); err != nil {
		t.Fatal(err)
	}
	held := string(snapshotOf(t, h, "/snapshots", egrid.GEN, 2023, egrid.Held).ID)
	if _, err := s.Prune(t.Context(), driver.PruneRequest{}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		target string
		header []string
		status int
		detail string
	}{
		"no credentials": {target, []string{"X-Scope", ""}, 401, "scope write"},
		"scope read":     {target, []string{"X-Scope", "read"}, 403, "scope write"},
		"no id":          {"/snapshots/GEN/restore", nil, 400, "24 hexadecimal digits"},
		"held":           {"/snapshots/" + held + "/restore", nil, 404, held},
		"unknown":        {"/snapshots/" + strings.Repeat("0", 24) + "/restore", nil, 404, "000"},
		"pruned":         {"/snapshots/" + string(now.ID) + "/restore", nil, 404, string(now.ID)},
	} {
		if w := ask(t, h, "post", test.target, "", test.header...); w.Code != test.status || !strings.Contains(w.Body.String(), test.detail) {
			t.Errorf("%s: %d %s; want %d and %q", name, w.Code, w.Body, test.status, test.detail)
		}
	}
	if w := ask(t, newAPI(s, &httpapi.Options{Authenticate: may}), "post", target, ""); w.Code != http.StatusNotFound {
		t.Errorf("without a history: %d %s", w.Code, w.Body)
	}
}

// snapshotOf finds a snapshot in the list; published ones unless a status is given.
func snapshotOf(t *testing.T, h http.Handler, target string, level egrid.Level, year int, status ...egrid.Status) wire.SnapshotInfo {
	t.Helper()
	var list wire.Answer[[]wire.SnapshotInfo]
	if err := json.Unmarshal(get(t, h, target).Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	want := append(status, egrid.Published)[0]
	for _, s := range list.Data {
		if s.Level == level && s.Year == year && s.Status == want {
			return s
		}
	}
	t.Fatalf("no %s %d is %s", level, year, want)
	return wire.SnapshotInfo{}
}

func firstPlant(t *testing.T, h http.Handler) float64 {
	t.Helper()
	var top wire.Answer[[]struct {
		MWh float64 `json:"net_generation_mwh"`
	}]
	if err := json.Unmarshal(get(t, h, "/plants/top?year=2023&limit=1").Body.Bytes(), &top); err != nil || len(top.Data) == 0 {
		t.Fatalf("%+v, %v", top, err)
	}
	return top.Data[0].MWh
}

// An edition's CO2e follows from a set of GWPs, which every sheet of the edition says.
func TestSnapshotsGWP(t *testing.T) {
	t.Parallel()
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	h := newAPI(s, nil)
	sample := egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: 60, Year: 2023})
	for _, level := range []egrid.Level{egrid.PLNT, egrid.ST, egrid.US} {
		var sheet bytes.Buffer
		if err := sample.Write(&sheet, level); err != nil {
			t.Fatal(err)
		}
		publish(t, s, sample.Name(level), &sheet)
		got := snapshotOf(t, h, "/snapshots", egrid.PLNT, 2023)
		var certificate wire.Answer[wire.Certificate]
		if level == egrid.PLNT {
			if got.GWP != nil {
				t.Errorf("of plants alone: %s", *got.GWP)
			}
			continue
		}
		if err := json.Unmarshal(get(t, h, "/reconciliation/2023").Body.Bytes(), &certificate); err != nil {
			t.Fatal(err)
		}
		if want := certificate.Data.GWP.Name; want == nil || got.GWP == nil || *got.GWP != *want {
			t.Errorf("with %s: %v; want %v, as the certificate says", level, got.GWP, want)
		}
	}
	one := snapshotOf(t, h, "/snapshots", egrid.US, 2023)
	var single wire.Answer[wire.SnapshotInfo]
	if err := json.Unmarshal(get(t, h, "/snapshots/"+string(one.ID)).Body.Bytes(), &single); err != nil || single.Data.GWP == nil || *single.Data.GWP != *one.GWP {
		t.Errorf("one snapshot says %v; want %s", single.Data.GWP, *one.GWP)
	}
	// Without the gases nothing follows.
	publish(t, s, "US22.csv", strings.NewReader("YEAR,USNAMEPCAP,USNGENAN,USCO2AN\n2022,1,2,3\n"))
	if got := snapshotOf(t, h, "/snapshots", egrid.US, 2022); got.GWP != nil {
		t.Errorf("without CO2e: %s", *got.GWP)
	}
}
