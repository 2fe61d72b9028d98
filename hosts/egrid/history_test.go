package main

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
)

// Sheets of the same generators: of two rounds, and the first two rows of the
// second.
const (
	figures = "rows --level GEN --format csv --columns generator_id,net_generation_mwh"
	header  = "YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,GENNTAN\n"
	first   = header + "2023,AK,Elim,57060,3A,DFO,588.5\n2023,AK,Elim,57060,U1,DFO,235.5\n2023,AK,Elim,57060,U2,DFO,470.5\n"
	second  = header + "2023,AK,Elim,57060,3A,DFO,1000.5\n2023,AK,Elim,57060,U1,DFO,1000.5\n"

	firstFigures  = "generator_id,net_generation_mwh\n3A,588.5\nU1,235.5\nU2,470.5\n"
	secondFigures = "generator_id,net_generation_mwh\n3A,1000.5\nU1,1000.5\n"
	mergedFigures = "generator_id,net_generation_mwh\n3A,1000.5\nU1,1000.5\nU2,470.5\n"
)

// snapshots are what the command lists.
func (s shell) snapshots(args ...string) []egrid.Snapshot {
	s.Helper()
	var c egrid.Catalog
	text := s.run(0, append([]string{"snapshots", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		s.Fatalf("%v in %s", err, text)
	}
	return c.Snapshots
}

// of returns the only snapshot of a status.
func (s shell) of(status egrid.Status) egrid.Snapshot {
	s.Helper()
	found := slices.DeleteFunc(s.snapshots("--all"), func(x egrid.Snapshot) bool { return x.Status != status })
	if len(found) != 1 {
		s.Fatalf("%d snapshots are %s; want 1: %+v", len(found), status, found)
	}
	return found[0]
}

// wantFigures holds what readers see.
func (s shell) wantFigures(want string) {
	s.Helper()
	if got := s.run(0, strings.Fields(figures)...); got != want {
		s.Errorf("readers see\n%swant\n%s", got, want)
	}
}

// says runs a command that fails, and looks for a text in what it prints.
func (s shell) says(want int, text string, args ...string) {
	s.Helper()
	if got := s.run(want, args...); !strings.Contains(got, text) {
		s.Errorf("egrid %s: %q; want %q", strings.Join(args, " "), got, text)
	}
}

// TestRollback goes back and forth between two snapshots under an API that runs
// all the time.
func TestRollback(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("1_GEN23.csv", first))
	url, _, stop := background(t, "serve", "--addr", "127.0.0.1:0")
	permanent := api(t, url+"/levels/GEN/rows?columns=generator_id,net_generation_mwh").Links.Permanent
	s.says(1, "nothing was published before", "rollback", "GEN", "2023")

	s.report(0, "--publish", "replace", s.file("2_GEN23.csv", second))
	s.wantFigures(secondFigures)
	follows(t, url, 1000.5)
	if listed := s.snapshots(); len(listed) != 1 || listed[0].Rows != 2 {
		t.Errorf("published: %+v", listed)
	}
	if listed := s.snapshots("--all"); len(listed) != 2 || listed[1].Status != egrid.Superseded || listed[1].Rows != 3 {
		t.Errorf("published and superseded: %+v", listed)
	}
	if table := s.run(0, "snapshots"); strings.Contains(table, "superseded") {
		t.Errorf("without --all: %s", table)
	}
	if table := s.run(0, "snapshots", "--all"); !strings.Contains(table, "superseded") {
		t.Errorf("with --all: %s", table)
	}

	old, replaced := s.of(egrid.Superseded), s.of(egrid.Published)
	s.says(0, string(old.ID), "rollback", "gen", "2023")
	s.wantFigures(firstFigures)
	follows(t, url, 588.5)
	s.run(0, "rollback", "GEN", "2023") // what the rollback replaced
	s.wantFigures(secondFigures)
	follows(t, url, 1000.5)
	if rows := api(t, url+permanent).Data; len(rows) != 3 || rows[0].Generation != 588.5 {
		t.Errorf("the permanent address of the first snapshot has %+v", rows)
	}

	// By ids, of the snapshot and of its load.
	s.run(0, "publish", string(old.ID))
	s.wantFigures(firstFigures)
	follows(t, url, 588.5)
	s.says(0, "published already", "publish", string(old.ID))
	s.says(2, "--merge", "publish", "--merge", string(replaced.ID))
	s.says(2, "egrid prune", "discard", string(replaced.ID))
	s.run(0, "publish", string(replaced.Stage))
	s.wantFigures(secondFigures)

	s.says(1, "2020", "rollback", "GEN", "2020")
	s.says(1, "ST", "rollback", "ST", "2023")
	s.says(2, "PLANTT", "rollback", "PLANTT", "2023")
	s.says(1, "egrid snapshots --all", "publish", "0123456789abcdef01234567")
	if got := stop(); got != 0 {
		t.Errorf("exit status %d", got)
	}
}

// page is an answer of the API with rows.
type page struct {
	Data []struct {
		Generation float64 `json:"net_generation_mwh"`
	}
	Links struct{ Permanent string }
}

func api(t *testing.T, url string) (p page) {
	t.Helper()
	status, body := get(t, url)
	if err := json.Unmarshal(body, &p); err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s", url, status, body)
	}
	return p
}

func get(t *testing.T, url string) (status int, body []byte) {
	t.Helper()
	answer, err := http.DefaultClient.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body
}

// follows waits for the API to have the figure in its first row, which it does
// within a second.
func follows(t *testing.T, url string, want float64) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		asked := time.Since(begun)
		rows := api(t, url+"/levels/GEN/rows?columns=net_generation_mwh").Data
		if len(rows) > 0 && rows[0].Generation == want {
			return
		}
		if asked > time.Second { // the catalogue of this answer is newer than the change
			t.Fatalf("a second behind the change the API has %+v; want %v", rows, want)
		}
	}
}

// TestDecisions publishes and discards what is held.
func TestDecisions(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("1_GEN23.csv", first))
	two := s.file("2_GEN23.csv", second)
	if r := s.report(3, two); r.Status != etl.Held {
		t.Fatalf("got %+v", r)
	}
	held := s.of(egrid.Held)
	s.says(0, "discarded", "discard", string(held.ID))
	if listed := s.snapshots("--all"); len(listed) != 1 {
		t.Errorf("behind the discard: %+v", listed)
	}
	s.says(1, "no snapshot or held load", "discard", string(held.ID))
	s.says(2, "is published", "discard", string(s.of(egrid.Published).ID))

	s.report(3, two)
	s.says(0, "published, 2 rows", "publish", string(held.ID))
	s.wantFigures(secondFigures)

	s.run(0, "rollback", "GEN", "2023")
	s.run(0, "prune", "--keep", "0")
	s.report(3, two)
	s.says(0, "published, 3 rows", "publish", "--merge", string(s.of(egrid.Held).Stage))
	s.wantFigures(mergedFigures)
	s.run(0, "rollback", "GEN", "2023")
	s.wantFigures(firstFigures)
}

// TestHeldAgain decides on a held load that has the content, and so the id, of
// what was published before.
func TestHeldAgain(t *testing.T) {
	s := newShell(t)
	s.report(0, s.file("2_GEN23.csv", second))
	s.report(0, "--publish", "replace", s.file("1_GEN23.csv", first))
	again := s.file("again_GEN23.csv", second+"\n") // other bytes
	s.report(3, again)
	held := s.of(egrid.Held)
	if before := s.of(egrid.Superseded); held.ID != before.ID || held.Stage == before.Stage {
		t.Fatalf("held %s of load %s, superseded %s of load %s", held.ID, held.Stage, before.ID, before.Stage)
	}
	s.says(0, "discarded", "discard", string(held.ID))
	if listed := s.snapshots("--all"); len(listed) != 2 {
		t.Errorf("behind the discard: %+v", listed)
	}
	s.report(3, again)
	s.says(0, "published, 2 rows", "publish", string(held.ID))
	s.wantFigures(secondFigures)
	if listed := s.snapshots("--all"); len(listed) != 2 {
		t.Errorf("behind the publish: %+v", listed)
	}
}

// TestPrune drops what was published before, but for what is to be kept.
func TestPrune(t *testing.T) {
	s := newShell(t)
	url, _, stop := background(t, "serve", "--addr", "127.0.0.1:0")
	var addresses []string
	for i, figure := range []string{"588.5", "600.5", "700.5", "800.5"} {
		s.report(0, "--publish", "replace", s.file("GEN23.csv", strings.Replace(first, "588.5", figure, 1)))
		follows(t, url, []float64{588.5, 600.5, 700.5, 800.5}[i])
		addresses = append(addresses, api(t, url+"/levels/GEN/rows?columns=net_generation_mwh").Links.Permanent)
	}
	s.says(2, "negative", "prune", "--keep", "-1")
	s.says(0, "0 snapshots dropped", "prune") // ten are kept
	s.says(0, "0 snapshots dropped", "prune", "--keep", "0", "--older-than", "24h")
	oldest := s.snapshots("--all")[3]
	if text := s.run(0, "prune", "--keep", "2"); !strings.Contains(text, "1 snapshots dropped") || !strings.Contains(text, string(oldest.ID)) {
		t.Errorf("of three, two are kept: %s", text)
	}
	for status := 0; status != http.StatusGone; time.Sleep(10 * time.Millisecond) { // once its catalogue is known
		var body []byte
		if status, body = get(t, url+addresses[0]); status != http.StatusOK && status != http.StatusGone {
			t.Fatalf("the permanent address of what was pruned: %d %s", status, body)
		}
	}
	for i, want := range []float64{600.5, 700.5, 800.5} {
		if rows := api(t, url+addresses[1+i]).Data; rows[0].Generation != want {
			t.Errorf("the permanent address of what was kept has %+v; want %v", rows, want)
		}
	}
	s.says(0, "2 snapshots dropped", "prune", "--keep", "0")
	s.says(1, "pruned", "rollback", "GEN", "2023")
	s.says(1, "no snapshot", "publish", string(oldest.ID))
	if listed := s.snapshots("--all"); len(listed) != 1 || listed[0].Status != egrid.Published {
		t.Errorf("left: %+v", listed)
	}
	if got := stop(); got != 0 {
		t.Errorf("exit status %d", got)
	}
}

// TestMergedIsNotUnchanged: unchanged says that the store holds what the file
// says, so behind a merge neither of the two files is unchanged.
func TestMergedIsNotUnchanged(t *testing.T) {
	s := newShell(t)
	one, two := s.file("1_GEN23.csv", first), s.file("2_GEN23.csv", second)
	s.report(0, one)
	if r := s.report(0, "--publish", "merge", two); r.Status != etl.Published {
		t.Errorf("merged: %+v", r)
	}
	s.wantFigures(mergedFigures)
	if r := s.report(0, "--publish", "replace", two); r.Status != etl.Published || s.of(egrid.Published).Rows != 2 {
		t.Errorf("replaced by the second: %+v", r)
	}
	s.wantFigures(secondFigures)
	var again etl.Report
	if a := ask(t, "load", "--json", one); a.code != 0 && a.code != 3 {
		t.Fatalf("the first again: %+v", a)
	} else if err := json.Unmarshal([]byte(a.out), &again); err != nil {
		t.Fatalf("%v in %s", err, a.out)
	}
	switch again.Status {
	case etl.Published:
		s.wantFigures(firstFigures)
	case etl.Held:
		s.wantFigures(secondFigures)
	default:
		t.Errorf("the first again: %+v", again)
	}
}
