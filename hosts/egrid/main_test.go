package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/examples/data"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// The test binary is the command when it is told so: for tests that kill it.
func TestMain(m *testing.M) {
	if os.Getenv("EGRID_TEST_COMMAND") != "" {
		main()
	}
	testenv.ClearSettings()
	for _, name := range []string{"COLUMNS", "PAGER", "LESS"} { // of whoever runs the tests
		if err := os.Unsetenv(name); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

const generators = `YEAR,PSTATABB,PNAME,ORISPL,GENID,FUELG1,NAMEPCAP,GENNTAN
2023,TX,Alpha,1,1,NG,100,400
2023,TX,Alpha,1,2,NG,100,500.5
2023,OK,Bravo,02,1,SUN,5,-10
2023,OK,Silent,4,NA,WND,,
`

// shell runs commands on a store of its own.
type shell struct {
	*testing.T
	dir string
}

func newShell(t *testing.T) shell {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	return shell{t, t.TempDir()}
}

func (s shell) file(name, text string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

// run returns what the command printed; it fails the test when the exit status
// is another one.
func (s shell) run(want int, args ...string) string {
	s.Helper()
	return s.runWith("", want, args...)
}

func (s shell) runWith(stdin string, want int, args ...string) string {
	s.Helper()
	var out, logs bytes.Buffer
	if got := run(s.Context(), args, strings.NewReader(stdin), &out, &logs); got != want {
		s.Fatalf("egrid %s: exit status %d; want %d\n%s\n%s", strings.Join(args, " "), got, want, &out, &logs)
	}
	return out.String() + map[bool]string{true: logs.String()}[want == 2 || want == 1]
}

func (s shell) report(want int, args ...string) etl.Report {
	s.Helper()
	var r etl.Report
	text := s.run(want, append([]string{"load", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		s.Fatalf("%v in %s", err, text)
	}
	return r
}

func TestLoadAndAsk(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators)
	if r := s.report(0, gen); r.Status != etl.Published || r.RowsLoaded != 4 {
		t.Errorf("got %+v", r)
	}
	if r := s.report(0, gen); r.Status != etl.Unchanged {
		t.Errorf("again: %+v", r)
	}
	short := s.file("short.csv", strings.Join(strings.SplitAfter(generators, "\n")[:2], ""))
	if r := s.report(3, short); r.Status != etl.Held || !strings.Contains(reasonsOf(r), "egrid publish --merge "+string(r.Files[0].Sheets[0].Stage)) {
		t.Errorf("held: %+v", r)
	}
	if text := s.run(0, "snapshots"); !strings.Contains(text, "held") || !strings.Contains(text, "published") {
		t.Errorf("snapshots: %s", text)
	}
	if r := s.report(0, "--publish", "merge", short); r.Status != etl.Unchanged { // all of its rows are there
		t.Errorf("merged: %+v", r)
	}
	for command, want := range map[string]string{
		"top --limit 1 --format csv --columns plant_name,net_generation_mwh":                    "id,plant_name,net_generation_mwh\n1,Alpha,900.5\n",
		"top --state OK --format ndjson --columns share":                                        "{\"id\":\"02\",\"share\":null}\n{\"id\":\"4\",\"share\":null}\n",
		"top --columns plant_name,net_generation_mwh --limit 2":                                 "id  plant_name  net_generation_mwh\n1   Alpha                    900.5\n02  Bravo                    -10.0\n",
		"rows --level gen --format csv --columns generator_id --sort -net_generation_mwh":       "generator_id\n2\n1\n1\nNA\n",
		"rows --level GEN --format csv --columns generator_id --filter net_generation_mwh>=450": "generator_id\n2\n",
		"rows --level GEN --format csv --columns generator_id --filter fuel=SUN,WND --limit 1":  "generator_id\n1\n",
		"rows --level GEN --format json --columns plant_name --search alpha --limit 0":          "[{\"plant_name\":\"Alpha\"},\n{\"plant_name\":\"Alpha\"}]\n",
		"rows --level GEN --format json --search nobody":                                        "[]\n",
		"rows --level PLNT --format ndjson":                                                     "",
		"rows --level GEN --year 2023 --format csv --columns data_year,release --limit 1":       "data_year,release\n2023,\n",
		"top --fuel NG --format csv --columns fuel":                                             "id,fuel\n1,NG\n",
		"rows --level GEN --format csv --columns oris_plant_code --state ok --filter state=AK":  "oris_plant_code\n",
	} {
		if got := s.run(0, strings.Fields(command)...); got != want {
			t.Errorf("egrid %s:\n%q; want\n%q", command, got, want)
		}
	}
	if text := s.run(0, "columns", "--level", "GEN"); !strings.Contains(text, "GENNTAN") {
		t.Errorf("columns: %s", text)
	}
	copied := filepath.Join(s.dir, "copy.db")
	if _, told := s.both("", 0, "backup", copied); !strings.Contains(told, "egrid.db is copied to "+copied) {
		t.Errorf("backup says %q", told)
	}
	if text := s.run(0, "rows", "--store", "sqlite:"+copied, "--level", "GEN", "--format", "csv", "--columns", "generator_id"); strings.Count(text, "\n") != 5 {
		t.Errorf("of the backup: %s", text)
	}
}

func TestExitStatus(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators)
	bad := s.file("bad.csv", "nothing\n")
	partly := s.file("partly.csv", generators+"2023,TX,Alpha,1,9,NG,x,1\n")
	for _, test := range []struct {
		want int
		args string
		says string
	}{
		{0, "version", "egrid "},
		{0, "--help", "Usage"},
		{2, "", "a command is missing"},
		{2, "bogus", "bogus is no command"},
		{2, "load", "egrid load needs SOURCE"},
		{2, "load " + gen + " --publish maybe", "publish"},
		{2, "load " + gen + " --year 1066", "1066"},
		{2, "load " + gen + " --release final", "final"},
		{2, "load " + gen + " --level PLANTT", "PLANTT"},
		{2, "load " + gen + " --units imperial", "imperial"},
		{1, "load " + gen + " --year 2016", "column YEAR says 2023"},
		{2, "load " + gen + " --store mysql://u:secret@h/x", "sqlite:PATH"},
		{2, "load " + gen + " --queue kafka:", "kafka"},
		{2, "load ftp://host/x", "ftp://host/x"},
		{2, "rows --level GEN --columns nonsense", "nonsense"},
		{2, "rows --level GEN --filter nonsense", "OPERATOR"},
		{2, "rows --level GEN --limit -1", "limit"},
		{2, "divide --in " + bad, "stage before"},
		{1, "load " + filepath.Join(s.dir, "nowhere"), "nowhere"},
		{1, "load --mapping " + filepath.Join(s.dir, "nowhere") + " " + gen, "nowhere"},
		{1, "load " + bad, "etl.json"},
		{3, "load --dry-run " + partly, "5 rows read, 0 loaded, 1 rejected"},
		{3, "validate " + partly, "rejected"},
		{1, "validate " + bad, "not an eGRID sheet"},
		{1, "load --dry-run " + bad, "not an eGRID sheet"},
		{2, "rows", "name one level"},
		{2, "rows ST --level GEN", "name one level"},
		{0, "validate " + gen, "4 rows read"},
		{3, "load " + partly + " " + bad, "The records are kept in"},
		{1, "rows --level ST --year 2020", "2020"},
	} {
		if text := s.run(test.want, strings.Fields(test.args)...); !strings.Contains(text, test.says) {
			t.Errorf("egrid %s: %q; want %q", test.args, text, test.says)
		}
	}
}

func TestUnitsAndAuthority(t *testing.T) {
	s := newShell(t)
	metric := s.file("SRL24.csv", "YEAR,SUBRGN,SRNGENAN,SRCO2AN\n2024,CAMX,216841822.331,42949103.795\n")
	r := s.report(0, "--units", "metric", "--authority", "Cornerstone Data", metric)
	if got := r.Files[0].Sheets[0]; got.Units != "metric" || !slices.Contains(got.Lossy, "SRCO2AN") ||
		!slices.Contains(got.Evidence, sheet.Evidence{Of: "units", Value: "metric", From: "given"}) {
		t.Errorf("got %+v", got)
	}
	if text := s.run(0, "validate", "--units", "metric", metric); !strings.Contains(text, "converted to the documented units") {
		t.Errorf("validate: %s", text)
	}
	if text := s.run(0, "snapshots"); !strings.Contains(text, "Cornerstone Data  metric") {
		t.Errorf("snapshots: %s", text)
	}
	if text := s.run(0, "rows", "--level", "SRL", "--format", "csv", "--columns", "co2_short_tons"); text != "co2_short_tons\n47342486.547\n" {
		t.Errorf("rows: %s", text)
	}
}

func TestStagesOneByOne(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators)
	text := s.run(0, "scan", gen)
	for _, stage := range []string{"validate", "divide", "stream", "report"} {
		text = s.runWith(text, 0, stage, "--in", "-")
	}
	var r etl.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil || r.Status != etl.Published || r.RowsLoaded != 4 {
		t.Errorf("%s, %v", text, err)
	}
}

func TestEnvironment(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators)
	t.Setenv("EGRID_STORE", "sqlite:"+filepath.Join(s.dir, "env.db"))
	for _, asked := range []string{"EGRID_JSON=true", "EGRID_LIMIT=1", "EGRID_YEAR=2001", "EGRID_STATE=OK", "EGRID_FORMAT=json", "EGRID_LEVEL=ST", "EGRID_PUBLISH=hold", "EGRID_RELEASE=v9"} {
		name, value, _ := strings.Cut(asked, "=")
		t.Setenv(name, value) // which asks for nothing
	}
	if text := s.run(0, "load", gen); !strings.Contains(text, "4 rows read, 4 loaded") {
		t.Errorf("got %s", text)
	}
	if text := s.run(0, "rows", "GEN", "--columns", "state"); text != "state\nTX\nTX\nOK\nOK\n" {
		t.Errorf("got %s", text)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "env.db")); err != nil {
		t.Error(err)
	}
}

// TestSettings: these flags have an environment variable, and no others.
func TestSettings(t *testing.T) {
	t.Parallel()
	p, err := parserOf(new(cli), io.Discard, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	if err := kong.Visit(p.Model, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok && len(f.Envs) > 0 {
			found[f.Name] = true
			if want := "EGRID_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")); f.Envs[0] != want {
				t.Errorf("--%s has %v; want %s", f.Name, f.Envs, want)
			}
		}
		return next(nil)
	}); err != nil {
		t.Fatal(err)
	}
	const settings = "addr api-keys-file catalogue chunk-bytes jwks jwt-audience jwt-issuer jwt-leeway jwt-secret-file keep log-format log-level max-bytes max-files max-sheets max-time otlp otlp-sample pager pprof-addr queue rate-limit " +
		"rate-window rejects require-auth shapes sources store swagger timeout tls-cert tls-key trusted-proxies workers"
	if got := strings.Join(slices.Sorted(maps.Keys(found)), " "); got != settings {
		t.Errorf("got  %s\nwant %s", got, settings)
	}
}

var serverURL = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// background runs a command that serves, and returns where, what it printed so
// far, and how to stop it, which returns its exit status.
func background(t *testing.T, args ...string) (url, printed string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, args, nil, w, io.Discard)
		w.Close()
	}()
	for buf := make([]byte, 4096); url == ""; {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatalf("no URL in %q: %v", printed, err)
		}
		printed += string(buf[:n])
		url = serverURL.FindString(printed)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return url, printed, func() int { cancel(); return <-code }
}

// TestServeRuns loads by order of the API.
func TestServeRuns(t *testing.T) {
	newShell(t)
	const key = "correct horse battery staple"
	t.Setenv("EGRID_API_KEYS", fmt.Sprintf("loader write %x", sha256.Sum256([]byte(key))))
	url, _, stop := background(t, "serve", "--addr", "127.0.0.1:0", "--sources", filepath.Join("..", "..", "examples", "data"))
	for name, k := range map[string]string{"nobody": "", "another": key + "!"} {
		c, err := client.New(url, &client.Options{APIKey: k})
		if err != nil {
			t.Fatal(err)
		}
		var refused *client.Error
		if _, err := c.StartRun(t.Context(), driver.RunRequest{}); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := client.New(url, &client.Options{APIKey: key})
	if err != nil {
		t.Fatal(err)
	}
	started, err := c.StartRun(t.Context(), driver.RunRequest{Publish: driver.PublishHold})
	if err != nil {
		t.Fatal(err)
	}
	var ended driver.Run
	for ended, err = range c.FollowRun(t.Context(), started.ID) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if ended.Status != driver.RunHeld || ended.Read == 0 || ended.Loaded != 0 {
		t.Errorf("held as asked: %+v", ended)
	}
	if page, err := store.New(c).Plants(t.Context(), store.PlantQuery{Limit: 10}); err != nil || page.Len() != 0 {
		t.Errorf("before the decision: %d rows, %v", page.Len(), err)
	}
	if ended, err = c.PublishRun(t.Context(), started.ID, ""); err != nil || ended.Status != driver.RunPublished || ended.Loaded != ended.Read {
		t.Errorf("published: %+v, %v", ended, err)
	}
	if page, err := store.New(c).Plants(t.Context(), store.PlantQuery{Limit: 10}); err != nil || page.Len() != 10 {
		t.Errorf("behind it: %d rows, %v", page.Len(), err)
	}
	if got := stop(); got != 0 {
		t.Errorf("exit status %d", got)
	}
}

// TestUp runs the whole platform on the bundled sample.
func TestUp(t *testing.T) {
	newShell(t)
	url, printed, stop := background(t, "up", "--addr", "127.0.0.1:0")
	for path, want := range map[string]string{
		"/": "no plant here exists", "/plants/top?limit=2": `"net_generation_mwh"`, "/healthz": "ok", "/readyz": "ok", "/openapi.json": "3.1.0",
		"/snapshots": `"PLNT"`, "/levels/US/rows": `"US"`, "/nowhere": "no such path",
	} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(strings.ToLower(string(body)), strings.ToLower(want)) {
			t.Errorf("%s: %s %.200s, %v; want %q", path, resp.Status, body, err, want)
		}
	}
	if got := stop(); got != 0 {
		t.Errorf("exit status %d behind a signal; want 0", got)
	}
	if !strings.Contains(printed, "generated") {
		t.Errorf("the sample is not called generated: %s", printed)
	}
	// The store says so by itself, whoever serves it.
	url, _, stop = background(t, "serve", "--store", sampleStore(), "--addr", "127.0.0.1:0")
	for path, want := range map[string]string{"/": "Generated data", "/snapshots": data.Authority, "/factors?us=true": data.Authority} {
		resp, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("served: %s: %s %.200s, %v; want %q", path, resp.Status, body, err, want)
		}
	}
	if got := stop(); got != 0 {
		t.Errorf("exit status %d behind a signal; want 0", got)
	}
}

// TestRealFile is the first line of the acceptance of the embedded form.
func TestRealFile(t *testing.T) {
	s := newShell(t)
	file := testenv.File(t, "2023/GEN23.csv")
	if r := s.report(0, file); r.RowsRead != 26601 || r.RowsLoaded != 26601 || r.RowsRejected != 0 {
		t.Errorf("got %+v", r)
	}
	want := "id,plant_name,net_generation_mwh\n6008,Palo Verde,31522590\n46,Browns Ferry,30820509.999\n649,Vogtle,23036612\n"
	if got := s.run(0, "top", "--limit", "3", "--format", "csv", "--columns", "plant_name,net_generation_mwh"); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if r := s.report(3, s.file("GEN23.csv", generators)); r.Status != etl.Held {
		t.Errorf("four rows over it: %+v", r)
	}
	if text := s.run(0, "rows", "--level", "GEN", "--limit", "0", "--format", "csv", "--columns", "sequence"); strings.Count(text, "\n") != 26602 {
		t.Errorf("readers see %d rows", strings.Count(text, "\n")-1)
	}
}

// TestKilledLoad kills loads at random moments. What was published is served
// whole all the time, and the load that is let finish is exact.
func TestKilledLoad(t *testing.T) {
	s := newShell(t)
	old := s.file("old.csv", generators)
	s.report(0, old)
	sample := filepath.Join(s.dir, "GEN23.csv")
	f, err := os.Create(sample)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(egridtest.NewSample(&egridtest.SampleOptions{Plants: 8000}).Write(f, egrid.GEN), f.Close()); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	whole := int64(bytes.Count(text, []byte("\n"))) - 2 // a description row and a code row
	served := func() int64 {
		text := s.run(0, "rows", "--level", "GEN", "--format", "csv", "--columns", "plant_name", "--limit", "0")
		return int64(strings.Count(text, "\n") - 1)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	killed := 0
	most := 420 * time.Millisecond // until a load is killed
	for range 12 {
		command := exec.Command(self, "load", "--publish", "replace", sample)
		command.Env = append(os.Environ(), "EGRID_TEST_COMMAND=1")
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(10*time.Millisecond+time.Duration(random.Int64N(int64(most))), func() { _ = command.Process.Kill() })
		err := command.Wait()
		timer.Stop()
		if err == nil { // it was faster
			most /= 2
			s.run(0, "load", "--publish", "replace", old)
			continue
		}
		killed++
		rows := served()
		if rows != 4 && rows != whole {
			t.Fatalf("readers see %d rows behind a killed load; want the old 4 or the new %d", rows, whole)
		}
		if rows == whole { // killed behind the switch
			s.run(0, "load", "--publish", "replace", old)
		}
	}
	if killed == 0 {
		t.Error("no load was killed")
	}
	r := s.report(0, "--publish", "replace", sample)
	if r.RowsRead != whole || r.RowsLoaded != whole && r.Status != etl.Unchanged {
		t.Errorf("behind %d killed loads: %+v", killed, r)
	}
	if rows := served(); rows != whole {
		t.Errorf("%d rows are stored of %d", rows, whole)
	}
}
