package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
)

func refIn(t *testing.T, text string) (ref etl.Ref) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &ref); err != nil || ref.Address == "" || len(ref.SHA256) != 64 || strings.Count(text, "\n") != 1 {
		t.Fatalf("%q names no answer: %v", text, err)
	}
	return ref
}

// shares goes through the stages, whose answers are kept below a folder or a prefix,
// streams the plan in shares by processes of their own, and returns the plan and the
// answers.
func (s shell) shares(below, source string, of int, but ...int) (plan string, answers []string) {
	s.Helper()
	scanned := s.run(0, "scan", source, "--out", below+"scanned.json")
	validated := s.run(0, "validate", "--in", scanned, "--out", below+"validated.json")
	plan = s.run(0, "divide", "--in", validated, "--out", below+"plan.json", "--chunk-bytes", "100")
	refIn(s.T, plan)
	self, err := os.Executable()
	if err != nil {
		s.Fatal(err)
	}
	skip := map[int]bool{}
	for _, number := range but {
		skip[number] = true
	}
	type outcome struct {
		text []byte
		err  error
	}
	outcomes := make(chan outcome)
	n := 0
	for number := of; number > 0; number-- {
		if skip[number] {
			continue
		}
		n++
		command := exec.CommandContext(s.Context(), self, s.streamArgs(below, plan, number, of)...)
		command.Env = append(os.Environ(), "EGRID_TEST_COMMAND=1")
		go func() {
			text, err := command.Output()
			outcomes <- outcome{text, err}
		}()
	}
	for range n {
		o := <-outcomes
		if o.err != nil {
			var exit *exec.ExitError
			if errors.As(o.err, &exit) {
				s.Errorf("%s", exit.Stderr)
			}
			s.Fatal(o.err)
		}
		answers = append(answers, string(o.text))
	}
	return plan, answers
}

// streamArgs are those of a share. What is kept beside a plan that is an object is
// kept there for a file, too.
func (s shell) streamArgs(below, plan string, number, of int) []string {
	args := []string{"stream", "--in", plan, "--part", fmt.Sprintf("%d/%d", number, of)}
	if !strings.Contains(below, "://") {
		args = append(args, "--out", fmt.Sprintf("%splan.json.parts/%d-of-%d.json", below, number, of))
	}
	return args
}

func reportIn(t *testing.T, text string) (r etl.Report) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

// TestShares streams a plan in shares, by processes that run at once, from answers
// that are kept in a folder and in a bucket.
func TestShares(t *testing.T) {
	for _, where := range []string{"folder", "bucket"} {
		t.Run(where, func(t *testing.T) {
			s := newShell(t)
			t.Setenv("EGRID_STORE", "sqlite:"+filepath.Join(s.dir, "shares.db"))
			gen := s.file("GEN23.csv", generators+strings.Repeat("2023,TX,Alpha,1,2,NG,100,500.5\n", 100))
			source, below := gen, s.dir+"/answers/"
			if where == "bucket" {
				source = "s3://" + bucket(t, s.dir) + "/"
				below = source + ".runs/one+two/"
			}
			plan, answers := s.shares(below, source, 5, 2)

			// Nothing is published while one is missing, whichever way report is told.
			for _, in := range []string{strings.Join(answers, ""), plan, refIn(t, plan).Address} {
				if _, said := s.both(in, 1, "report", "--in", given(in)); !strings.Contains(said, "5 shares") || !strings.Contains(said, "missing: 2;") {
					t.Errorf("got %s", said)
				}
			}
			if text := s.run(0, "snapshots", "--json"); strings.Contains(text, "GEN") {
				t.Errorf("published: %s", text)
			}
			answers = append(answers, s.run(0, s.streamArgs(below, plan, 2, 5)...))
			answers = append(answers, s.run(0, s.streamArgs(below, plan, 4, 5)...)) // again
			report := reportIn(t, s.runWith(strings.Join(answers, ""), 0, "report", "--in", "-"))
			if report.Status != etl.Published || report.RowsLoaded != 104 {
				t.Errorf("got %s, %d rows", report.Status, report.RowsLoaded)
			}
			args := []string{"report", "--in", refIn(t, plan).Address, "--remove", plan, "--remove", below + "scanned.json", "--remove", gen}
			text, said := s.both("", 0, args...)
			if report = reportIn(t, text); report.Status != etl.Unchanged || !strings.Contains(said, "GEN23.csv was not removed") {
				t.Errorf("got %s, %s", report.Status, said)
			}
			if _, err := os.Stat(gen); err != nil {
				t.Error(err)
			}
			for name, status := range map[string]int{"plan.json": 1, "plan.json.parts/1-of-5.json": 1, "scanned.json": 1, "validated.json": 0} {
				if stage := "divide"; status == 0 {
					s.run(status, stage, "--in", below+name)
				} else {
					s.run(status, "stream", "--in", below+name)
				}
			}
		})
	}
}

func given(in string) string {
	if strings.Count(in, "\n") > 1 {
		return "-"
	}
	return in
}

// both runs a command and returns its answer, and what it said on standard error.
func (s shell) both(stdin string, want int, args ...string) (answer, said string) {
	s.Helper()
	var out, complaints strings.Builder
	if got := run(s.Context(), args, strings.NewReader(stdin), &out, &complaints); got != want {
		s.Fatalf("%v: exit status %d; want %d: %s", args, got, want, complaints.String())
	}
	return out.String(), complaints.String()
}

// bucket makes a bucket of the test's own, with the files of a folder, and sets the
// settings that reach it.
func bucket(t *testing.T, folder string) string {
	t.Helper()
	u, err := url.Parse(testenv.Server(t, "EGRID_TEST_S3"))
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	t.Setenv("EGRID_S3_ENDPOINT", u.Scheme+"://"+u.Host)
	t.Setenv("EGRID_S3_ACCESS_KEY", u.User.Username())
	t.Setenv("EGRID_S3_SECRET_KEY", secret)
	name := fmt.Sprintf("shares-%d", time.Now().UnixNano())
	t.Setenv("EGRID_BUCKET", name)
	if text, err := exec.CommandContext(t.Context(), "../../examples/reference/seed.sh", folder).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return name
}

// TestAnswersAreRefused: a stage tells what it was given instead.
func TestAnswersAreRefused(t *testing.T) {
	s := newShell(t)
	gen := s.file("GEN23.csv", generators)
	scanned := s.run(0, "scan", gen)
	validated := s.runWith(scanned, 0, "validate", "--in", "-")
	plan := s.runWith(validated, 0, "divide", "--in", "-")
	kept := refIn(t, s.runWith(validated, 0, "divide", "--in", "-", "--out", filepath.Join(s.dir, "kept.json")))
	streamed := s.runWith(plan, 0, "stream", "--in", "-")
	share := s.runWith(plan, 0, "stream", "--in", "-", "--part", "1/2")
	report := s.runWith(streamed, 0, "report", "--in", "-")
	wrong := fmt.Sprintf(`{"address":%q,"sha256":"%064d"}`, kept.Address, 0)
	for name, c := range map[string]struct {
		stdin  string
		status int
		args   []string
		says   string
	}{
		"scan to divide":       {scanned, 2, []string{"divide", "--in", "-"}, "the answer of egrid scan, and not of the stage before, which is egrid validate"},
		"plan to validate":     {plan, 2, []string{"validate", "--in", "-"}, "of egrid divide, and not of the stage before, which is egrid scan"},
		"plan to report":       {plan, 2, []string{"report", "--in", "-"}, "of egrid divide, and not of the stage before, which is egrid stream"},
		"report to divide":     {report, 2, []string{"divide", "--in", "-"}, "of egrid report, and not"},
		"share to report":      {share, 1, []string{"report", "--in", "-"}, "missing: 2;"},
		"share to stream":      {share, 2, []string{"stream", "--in", "-"}, "of egrid stream, and not"},
		"two to stream":        {plan + plan, 2, []string{"stream", "--in", "-"}, "holds 2 answers"},
		"no answer":            {"{}", 2, []string{"stream", "--in", "-"}, "of no stage"},
		"no JSON":              {"YEAR,PSTATABB", 2, []string{"stream", "--in", "-"}, "is not the answer"},
		"nothing":              {"", 2, []string{"stream", "--in", "-"}, "is empty"},
		"no file":              {"", 1, []string{"stream", "--in", "missing.json"}, "missing.json"},
		"other sum":            {"", 1, []string{"stream", "--in", kept.Address, "--sha256", strings.Repeat("0", 64)}, "has the SHA-256 " + kept.SHA256},
		"other sum in a ref":   {"", 1, []string{"stream", "--in", wrong}, "has the SHA-256 " + kept.SHA256},
		"share 0":              {plan, 2, []string{"stream", "--in", "-", "--part", "0/3"}, "the first of eight is 1/8"},
		"share of the future":  {plan, 2, []string{"stream", "--in", "-", "--part", "9/8"}, "there is no share 9 of 8"},
		"not a share":          {plan, 2, []string{"stream", "--in", "-", "--part", "3"}, "write 1/8"},
		"plan without shares":  {"", 1, []string{"report", "--in", kept.Address}, "egrid stream --in " + kept.Address + " --part I/N"},
		"an object of no name": {scanned, 2, []string{"validate", "--in", "-", "--out", "s3://bucket/"}, "names no object"},
		"chunks of nothing":    {validated, 2, []string{"divide", "--in", "-", "--chunk-bytes", "0"}, "--chunk-bytes 0"},
	} {
		text, said := s.both(c.stdin, c.status, c.args...)
		if text != "" || !strings.Contains(said, c.says) {
			t.Errorf("%s: answered %q, said %q; want %q", name, text, said, c.says)
		}
	}
	if text := s.run(0, "stream", "--in", kept.Address, "--sha256", strings.ToUpper(kept.SHA256)); !strings.Contains(text, `"loads":[{`) {
		t.Errorf("got %s", text)
	}
	empty := filepath.Join(s.dir, "empty")
	if err := os.Mkdir(empty, 0o750); err != nil {
		t.Fatal(err)
	}
	s.run(1, "scan", empty)
	if text := s.run(0, "scan", "--allow-empty", empty); !strings.Contains(text, `"objects":[]`) {
		t.Errorf("got %s", text)
	}
	s.run(1, "scan", "--allow-empty", filepath.Join(s.dir, "missing"))
}

// TestNotify sends a notice by hand, and those of a run.
func TestNotify(t *testing.T) {
	s := newShell(t)
	_, address := services(t)
	t.Setenv("EGRID_QUEUE", address)
	mark := fmt.Sprint("notify-", time.Now().UnixNano())
	s.runWith("line 1\nline 2", 0, "notify", "Load of "+mark, "--kind", "disk", "--run-id", mark, "--text", "-")
	next := func() etl.Notice {
		t.Helper()
		b, err := service.OpenQueue(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		sub, err := b.Subscribe(t.Context(), queue.QueueNotification, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		for { // others may have left some
			m, err := sub.Next(t.Context())
			if err == nil {
				err = m.Settle(t.Context(), queue.Verdict{Outcome: queue.Done})
			}
			if err != nil {
				t.Fatal(err)
			}
			if n, err := etl.DecodeNotice(m.Message); err == nil && n.RunID == mark {
				return n
			}
		}
	}
	if n := next(); n.Kind != "disk" || n.Title != "Load of "+mark || n.Text != "line 1\nline 2" {
		t.Errorf("got %+v", n)
	}
	store := []string{"--in", "-", "--store", "sqlite:" + filepath.Join(s.dir, "notify.db"), "--queue", ""}
	text := s.run(0, "scan", s.file("GEN23.csv", generators))
	text = s.runWith(text, 0, "validate", "--in", "-")
	text = s.runWith(text, 0, "divide", "--in", "-")
	text = s.runWith(text, 0, append([]string{"stream"}, store...)...)
	var streamed etl.Streamed
	if err := json.Unmarshal([]byte(text), &streamed); err != nil {
		t.Fatal(err)
	}
	mark = streamed.ID
	s.runWith(text, 0, append([]string{"report"}, store...)...)
	s.runWith(text, 2, append([]string{"report", "--notify"}, store...)...) // no queue is named
	s.run(2, "notify", "What happened", "--kind", "Not A Kind")
	s.run(2, "notify", "", "--kind", "failure")
}
