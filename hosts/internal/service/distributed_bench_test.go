package service_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

// BenchmarkDistributed takes a sheet of generators from a bucket through the
// broker and three consumers into PostgreSQL, published and indexed, and has
// psql copy the same rows into one table with the same columns and indexes. The
// two take turns. EGRID_BENCH_ROWS is how many rows there are, 200,000 unless
// it is set; EGRID_BENCH_COPY=off leaves psql out.
func BenchmarkDistributed(b *testing.B) {
	rows := 200000
	if text := os.Getenv("EGRID_BENCH_ROWS"); text != "" {
		var err error
		if rows, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	d := newDeployment(b, rows)
	var loading, copying time.Duration
	for i := 0; b.Loop(); i++ {
		loading += d.load(i)
		if os.Getenv("EGRID_BENCH_COPY") != "off" {
			copying += d.copy()
		}
		b.Logf("round %d: loading %v, copying %v so far", i+1, loading.Round(time.Millisecond), copying.Round(time.Millisecond))
	}
	each := float64(rows) * float64(b.N)
	b.ReportMetric(each/loading.Seconds(), "load-rows/s")
	if copying > 0 {
		b.ReportMetric(each/copying.Seconds(), "copy-rows/s")
		b.ReportMetric(copying.Seconds()/loading.Seconds(), "load/copy")
	}
	b.ReportMetric(float64(d.etlPeak)/(1<<20), "etl-MB")
	b.ReportMetric(float64(d.consumerPeak)/(1<<20), "consumer-MB")
	b.ReportMetric(0, "ns/op") // of both together means nothing
}

// deployment is three consumers, and what an etl service needs.
type deployment struct {
	*testing.B
	programs, store, broker, endpoint string
	credentials                       *url.Userinfo
	sheet                             string // a file
	rows                              int
	consumers                         []*program
	etlPeak, consumerPeak             int64 // bytes
}

func newDeployment(b *testing.B, rows int) *deployment {
	b.Helper()
	store, broker, bucket := testenv.Server(b, "EGRID_TEST_POSTGRES"), testenv.Server(b, "EGRID_TEST_AMQP"), testenv.Server(b, "EGRID_TEST_S3")
	d := &deployment{B: b, programs: build(b), rows: rows, sheet: filepath.Join(b.TempDir(), "GEN23.csv")}
	d.writeSheet()

	name := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	d.psql(store, "CREATE DATABASE "+name)
	u := parse(b, store)
	u.Path = "/" + name
	d.store = u.String()
	b.Cleanup(func() { d.psql(store, "DROP DATABASE "+name+" WITH (FORCE)") })
	d.run("egrid", "migrate", "--store", d.store)

	u = parse(b, broker)
	u.Path = "/hosts"
	d.broker = u.String()
	u = parse(b, bucket)
	d.credentials, u.User = u.User, nil
	d.endpoint = u.String()
	d.curl("-X", "PUT", d.endpoint+"/"+benchBucket)
	for range 3 {
		d.consumers = append(d.consumers, start(b, filepath.Join(d.programs, "consumer"), "database", "--store", d.store, "--queue", d.broker))
	}
	b.Cleanup(func() {
		for _, c := range d.consumers {
			if err := c.Process.Signal(syscall.SIGTERM); err != nil {
				b.Error(err)
			}
			<-c.end
			if err := c.Wait(); err != nil {
				b.Errorf("consumer: %v\n%s", err, &c.log)
			}
		}
	})
	return d
}

const benchBucket = "egrid-bench"

func parse(b *testing.B, address string) *url.URL {
	b.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	return u
}

// writeSheet writes generators, with the row of codes alone above them.
func (d *deployment) writeSheet() {
	d.Helper()
	f, err := os.Create(d.sheet)
	if err != nil {
		d.Fatal(err)
	}
	w := &lineLimit{w: bufio.NewWriterSize(f, 1<<20), skip: 1, left: d.rows + 1}
	err = egridtest.NewSample(&egridtest.SampleOptions{Seed: 1, Plants: d.rows/2 + d.rows/10}).Write(w, egrid.GEN)
	if err != nil || w.left > 0 {
		d.Fatalf("the sample lacks %d rows, %v", w.left, err)
	}
	if err := w.w.Flush(); err != nil {
		d.Fatal(err)
	}
	if err := f.Close(); err != nil {
		d.Fatal(err)
	}
}

// lineLimit passes on some lines and drops the others.
type lineLimit struct {
	w          *bufio.Writer
	skip, left int
}

func (l *lineLimit) Write(p []byte) (int, error) {
	for line := range bytes.Lines(p) {
		if l.skip == 0 && l.left > 0 {
			if _, err := l.w.Write(line); err != nil {
				return 0, err
			}
		}
		if !bytes.HasSuffix(line, []byte("\n")) {
			continue
		}
		if l.skip > 0 {
			l.skip--
		} else {
			l.left--
		}
	}
	return len(p), nil
}

// load puts the sheet into the bucket, and then takes the time from the start
// of the etl service to its end.
func (d *deployment) load(round int) time.Duration {
	d.Helper()
	// A blank line makes other bytes of the same rows.
	f, err := os.OpenFile(d.sheet, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString("\n")
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		d.Fatal(err)
	}
	d.curl("-T", d.sheet, d.endpoint+"/"+benchBucket+"/GEN23.csv")
	d.psql(d.store, "CHECKPOINT")
	password, _ := d.credentials.Password()
	d.Setenv("EGRID_S3_ENDPOINT", d.endpoint)
	d.Setenv("EGRID_S3_ACCESS_KEY", d.credentials.Username())
	d.Setenv("EGRID_S3_SECRET_KEY", password)
	began := time.Now()
	etl := start(d.B, filepath.Join(d.programs, "etl"), "--store", d.store, "--queue", d.broker, "--addr", "127.0.0.1:0",
		"--schedule", "once", "--publish", "replace", "--rejects", d.TempDir(), "s3://"+benchBucket+"/GEN23.csv")
	<-etl.end
	took := time.Since(began)
	err = etl.Wait()
	if err != nil || !strings.Contains(etl.log.String(), fmt.Sprintf(`"rows_loaded":%d`, d.rows)) {
		d.Fatalf("round %d: %v\n%s", round, err, &etl.log)
	}
	if usage, ok := etl.ProcessState.SysUsage().(*syscall.Rusage); ok {
		d.etlPeak = max(d.etlPeak, usage.Maxrss<<10)
	}
	for _, c := range d.consumers {
		d.consumerPeak = max(d.consumerPeak, peak(d.B, c.Process.Pid))
	}
	return took
}

// peak is the most memory that a process ever had, in bytes.
func peak(b *testing.B, pid int) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(status))
	kib, err := strconv.ParseInt(fields[slices.Index(fields, "VmHWM:")+1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib << 10
}

// copy has psql copy the sheet into a table like the published one: the columns
// of the sheet and every index. The row number takes the place of the sheet's
// sequence, which has no index.
func (d *deployment) copy() time.Duration {
	d.Helper()
	partition := strings.TrimSpace(d.psql(d.store, "SELECT format('egrid.gen_%s_%s', data_year, number) FROM egrid.sheets WHERE status = 'published'"))
	d.psql(d.store, "DROP TABLE IF EXISTS copied", "CREATE TABLE copied (LIKE "+partition+" INCLUDING INDEXES)",
		"ALTER TABLE copied DROP COLUMN snapshot, DROP COLUMN release, DROP COLUMN extra, DROP COLUMN sequence", "CHECKPOINT")
	clean := d.sheet + ".clean" // psql takes a blank line for a row
	text, err := exec.CommandContext(d.Context(), "sh", "-c", `grep -v '^$' "$0" >"$1"`, d.sheet, clean).CombinedOutput()
	if err != nil {
		d.Fatalf("%v: %s", err, text)
	}
	began := time.Now()
	d.psql(d.store, `\copy copied (row_number, data_year, state, plant_name, oris_plant_code, generator_id, boiler_count, status, prime_mover, fuel, nameplate_capacity_mw, capacity_factor, net_generation_mwh, net_generation_ozone_season_mwh, net_generation_source, year_online, year_retired) FROM '`+clean+`' (FORMAT csv, HEADER true)`)
	took := time.Since(began)
	if n := strings.TrimSpace(d.psql(d.store, "SELECT count(*) FROM copied")); n != strconv.Itoa(d.rows) {
		d.Fatalf("psql copied %s rows", n)
	}
	d.psql(d.store, "DROP TABLE copied")
	return took
}

// psql runs commands, each in a transaction of its own.
func (d *deployment) psql(store string, commands ...string) string {
	d.Helper()
	args := []string{"-qtAX", "-v", "ON_ERROR_STOP=1", store}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	out, err := exec.Command("psql", args...).CombinedOutput() // not ended with the benchmark, which cleans up by it
	if err != nil {
		d.Fatalf("psql: %v: %s", err, out)
	}
	return string(out)
}

func (d *deployment) curl(args ...string) {
	d.Helper()
	password, _ := d.credentials.Password()
	args = append([]string{"-sS", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", d.credentials.Username() + ":" + password}, args...)
	if out, err := exec.CommandContext(d.Context(), "curl", args...).CombinedOutput(); err != nil {
		d.Fatalf("curl: %v: %s", err, out)
	}
}

func (d *deployment) run(name string, args ...string) {
	d.Helper()
	if out, err := exec.CommandContext(d.Context(), filepath.Join(d.programs, name), args...).CombinedOutput(); err != nil {
		d.Fatalf("%s: %v: %s", name, err, out)
	}
}
