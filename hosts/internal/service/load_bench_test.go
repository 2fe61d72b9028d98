package service_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
)

// BenchmarkClients has 1,000 clients with a connection each ask the service api,
// which is a process of its own, for 60 seconds: on SQLite, and on PostgreSQL if
// EGRID_TEST_POSTGRES names a server. The 20 seconds before, from a cold start,
// are reported apart: that is when every answer is made. EPA's files are loaded
// where there are some, else a sample of 12,000 plants. Run it with -benchtime 1x.
//
// Clients that think pause between two turns, a second on average and with
// exponential distribution, as people and dashboards do. Those that do not ask
// again at once: then the two share the processors, and the time of an answer is
// that of the queue before it.
//
// EGRID_BENCH_CLIENTS, EGRID_BENCH_WARMUP, EGRID_BENCH_SECONDS (all numbers) and
// EGRID_BENCH_THINK (as 1s) change these figures; EGRID_BENCH_PPROF is the address
// of the service's profiles.
func BenchmarkClients(b *testing.B) {
	w := workload{
		programs: build(b), clients: benchNumber(b, "EGRID_BENCH_CLIENTS", 1000),
		warmUp: benchNumber(b, "EGRID_BENCH_WARMUP", 20), seconds: benchNumber(b, "EGRID_BENCH_SECONDS", 60),
	}
	think, err := time.ParseDuration(cmp.Or(os.Getenv("EGRID_BENCH_THINK"), "1s"))
	if err != nil {
		b.Fatal(err)
	}
	for name, store := range loadedStores(b, w.programs) {
		w.store = store
		b.Run(name, func(b *testing.B) {
			w.think = think
			b.Run("think", w.run)
			w.think = 0
			b.Run("closed", w.run)
		})
	}
}

// workload is what clients do.
type workload struct {
	programs, store string
	clients         int
	warmUp, seconds int
	think           time.Duration // mean pause between turns; 0 is none
}

func benchNumber(b *testing.B, name string, fallback int) int {
	b.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv(name), strconv.Itoa(fallback)))
	if err != nil || n < 1 {
		b.Fatalf("%s: expected a positive integer", name)
	}
	return n
}

// loadedStores loads the data into every kind of store that there is.
func loadedStores(b *testing.B, programs string) map[string]string {
	b.Helper()
	sources := benchSources(b)
	stores := map[string]string{"sqlite": "sqlite:" + filepath.Join(b.TempDir(), "bench.db")}
	if server := os.Getenv("EGRID_TEST_POSTGRES"); server != "" {
		name := fmt.Sprintf("bench_%d", time.Now().UnixNano())
		psql(b, server, "CREATE DATABASE "+name)
		b.Cleanup(func() { psql(b, server, "DROP DATABASE "+name+" WITH (FORCE)") })
		u, err := url.Parse(server)
		if err != nil {
			b.Fatal(err)
		}
		u.Path = "/" + name
		stores["postgres"] = u.String()
		runProgram(b, programs, 0, "egrid", "migrate", "--store", u.String())
	}
	for _, store := range stores {
		// Status 3: EPA's folder has files that are held, as it should be.
		runProgram(b, programs, 3, "egrid", append([]string{"load", "--json", "--store", store}, sources...)...)
	}
	return stores
}

// benchSources are files to load, with the flags to load them by.
func benchSources(b *testing.B) []string {
	b.Helper()
	root := filepath.Join("..", "..", "..")
	if real := os.Getenv("EGRID_DATA"); real != "" {
		return []string{"--mapping", filepath.Join(root, "examples", "etl.json"), real}
	}
	paths, err := egridtest.NewSample(&egridtest.SampleOptions{Plants: 12000}).WriteFolder(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	return paths
}

func psql(b *testing.B, server, command string) {
	b.Helper()
	// Not ended with the benchmark, which cleans up by it.
	if out, err := exec.Command("psql", "-qtAX", "-v", "ON_ERROR_STOP=1", server, "-c", command).CombinedOutput(); err != nil {
		b.Fatalf("psql: %v: %s", err, out)
	}
}

// runProgram runs a program to its end, which is status 0 or the given one.
func runProgram(b *testing.B, programs string, status int, name string, args ...string) {
	b.Helper()
	command := exec.CommandContext(b.Context(), filepath.Join(programs, name), args...)
	out, err := command.CombinedOutput()
	if err != nil && command.ProcessState.ExitCode() != status {
		b.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

func (w *workload) run(b *testing.B) {
	address, pid := startAPI(b, w.programs, w.store, filepath.Join(b.TempDir(), "api.log"))
	for b.Loop() {
		w.measure(b, address, pid)
	}
}

func (w *workload) measure(b *testing.B, address string, pid int) {
	b.Helper()
	r := &loadRun{address: address, plants: plantIDs(b, address), think: w.think, clients: make([]*loadClient, w.clients)}
	start := residentMemory(b, pid)
	r.drive(b.Context(), time.Duration(w.warmUp)*time.Second)
	cold := r.collect(b)
	before, warm := scrapeMetrics(b, address), residentMemory(b, pid)
	r.drive(b.Context(), time.Duration(w.seconds)*time.Second)
	r.hangUp()
	end, metrics := residentMemory(b, pid), scrapeMetrics(b, address)
	all := r.collect(b)
	b.ReportMetric(milliseconds(quantile(cold.times, 0.99)), "cold-p99-ms")
	b.ReportMetric(milliseconds(quantile(cold.times, 1)), "cold-max-ms")
	b.ReportMetric(float64(len(all.times))/float64(w.seconds), "req/s")
	b.ReportMetric(milliseconds(quantile(all.times, 0.5)), "p50-ms")
	b.ReportMetric(milliseconds(quantile(all.times, 0.99)), "p99-ms")
	b.ReportMetric(milliseconds(quantile(all.times, 1)), "max-ms")
	b.ReportMetric(float64(cold.failed+all.failed), "errors")
	b.ReportMetric(100*float64(all.unchanged)/float64(len(all.times)), "%304")
	b.ReportMetric(float64(start)/(1<<20), "start-MB")
	b.ReportMetric(float64(warm)/(1<<20), "warm-MB")
	b.ReportMetric(float64(end)/(1<<20), "end-MB")
	b.ReportMetric(float64(peak(b, pid))/(1<<20), "peak-MB")
	hits, asked, queries := 0.0, 0.0, 0.0
	for name, n := range metrics {
		n -= before[name]
		switch {
		case strings.HasPrefix(name, "egrid_cache_requests_total"):
			asked += n
			if strings.Contains(name, `"hit"`) {
				hits += n
			}
		case strings.HasPrefix(name, "egrid_store_query_duration_seconds_count") && !strings.Contains(name, `"catalog"`):
			queries += n
		}
	}
	b.ReportMetric(100*hits/asked, "%query-hits")
	b.ReportMetric(100*queries/float64(len(all.times)), "queries/100req")
	b.ReportMetric(0, "ns/op") // it is as long as it is told to be
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// startAPI starts the service with the defaults, its log in a file, and returns
// its address.
func startAPI(b *testing.B, programs, store, log string) (address string, pid int) {
	b.Helper()
	out, err := os.Create(log)
	if err != nil {
		b.Fatal(err)
	}
	defer out.Close()
	args := []string{"--store", store, "--addr", "127.0.0.1:0"}
	if profiles := os.Getenv("EGRID_BENCH_PPROF"); profiles != "" {
		args = append(args, "--pprof-addr", profiles)
	}
	command := exec.Command(filepath.Join(programs, "api"), args...)
	command.Stderr = out
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		if err := command.Wait(); err != nil {
			b.Errorf("api: %v", err)
		}
	})
	listening := regexp.MustCompile(`"url":"http://([^"]+)"`)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(log)
		if err != nil {
			b.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			if found := listening.FindSubmatch(line); found != nil && bytes.Contains(line, []byte(`"listening"`)) {
				return string(found[1]), command.Process.Pid
			}
		}
	}
	b.Fatal("api does not listen")
	return "", 0
}

// residentMemory is what a process has now, in bytes.
func residentMemory(b *testing.B, pid int) int64 {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Error(err)
		return 0
	}
	pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	if err != nil {
		b.Error(err)
	}
	return pages * int64(os.Getpagesize())
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

func plainGet(b *testing.B, address, path string) []byte {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s, %v: %.300s", path, resp.Status, err, text)
	}
	return text
}

// plantIDs are the ids of all plants, the largest first.
func plantIDs(b *testing.B, address string) []string {
	b.Helper()
	records, err := csv.NewReader(bytes.NewReader(plainGet(b, address, "/plants/search?format=csv&columns=plant_name&sort=-net_generation_mwh"))).ReadAll()
	if err != nil || len(records) < 1000 {
		b.Fatalf("%d plants, %v", len(records)-1, err)
	}
	ids := make([]string, 0, len(records)-1)
	for _, record := range records[1:] {
		ids = append(ids, url.PathEscape(record[0]))
	}
	return ids
}

// scrapeMetrics are the values of /metrics by name and labels.
func scrapeMetrics(b *testing.B, address string) map[string]float64 {
	b.Helper()
	values := map[string]float64{}
	for line := range strings.Lines(string(plainGet(b, address, "/metrics"))) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		if x, err := strconv.ParseFloat(text, 64); err == nil {
			values[name] = x
		}
	}
	return values
}

// loadRun is clients that go on where they stopped.
type loadRun struct {
	address string
	plants  []string
	think   time.Duration
	clients []*loadClient
}

// drive has the clients ask for some time. Each ends with the turn at hand.
func (l *loadRun) drive(ctx context.Context, d time.Duration) {
	ctx, stop := context.WithTimeout(ctx, d)
	defer stop()
	var wg sync.WaitGroup
	for i, c := range l.clients {
		if c == nil {
			c = &loadClient{r: rand.New(rand.NewPCG(uint64(i), 1)), run: l, browser: i%2 == 0, etags: map[string]string{}}
			l.clients[i] = c
		}
		wg.Go(func() { c.live(ctx) })
	}
	wg.Wait()
}

func (l *loadRun) hangUp() {
	for _, c := range l.clients {
		c.hangUp()
	}
}

// tally is what clients met.
type tally struct {
	times     []time.Duration // of all requests, from the first byte sent to the last received
	unchanged int             // answers 304
	failed    int
}

// collect takes from the clients what they met since it was called last.
func (l *loadRun) collect(b *testing.B) (all tally) {
	b.Helper()
	for _, c := range l.clients {
		all.times = append(all.times, c.times...)
		all.unchanged += c.unchanged
		all.failed += c.failed
		if c.failed > 0 && all.failed < 10 {
			b.Log(c.example)
		}
		c.tally = tally{times: c.times[:0]}
	}
	if len(all.times) == 0 {
		b.Fatal("nothing was answered")
	}
	slices.Sort(all.times)
	return all
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)-1))]
}

// loadClient is one keep-alive connection. Half of them are browsers: they take
// gzip, and ask again for what they have by its ETag. It reads answers by hand,
// because it shares the processors with the server.
type loadClient struct {
	r       *rand.Rand
	run     *loadRun
	browser bool
	etags   map[string]string

	conn net.Conn
	in   *bufio.Reader
	out  []byte

	tally
	example string // of a failure
}

func (c *loadClient) live(ctx context.Context) {
	for {
		if c.run.think > 0 {
			select {
			case <-ctx.Done():
			case <-time.After(time.Duration(c.r.ExpFloat64() * float64(c.run.think))):
			}
		}
		if ctx.Err() != nil {
			return
		}
		if err := c.turn(ctx); err != nil {
			c.failed++
			c.example = err.Error()
			c.hangUp()
		}
	}
}

func (c *loadClient) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// turn asks in the proportions of cachetest.Mix, by URL; of those who ask for
// generators one in eight takes them as CSV, and one in 25 of these all of them.
func (c *loadClient) turn(ctx context.Context) error {
	switch n := c.r.IntN(100); {
	case n < 30:
		if c.r.IntN(2) == 0 {
			return c.get(ctx, "/plants/top?state="+c.state())
		}
		return c.get(ctx, "/plants/top")
	case n < 50:
		id := c.run.plants[c.zipf(len(c.run.plants))]
		return errors.Join(c.get(ctx, "/plants/"+id), c.get(ctx, "/plants/"+id+"/generators"))
	case n < 70:
		switch c.zipf(4) {
		case 0:
			return c.get(ctx, "/regions/SRL/"+c.of("CAMX", "RFCE", "ERCT", "NWPP", "SRSO", "RFCW", "NEWE", "NYUP", "MROW", "AZNM", "SRVC", "FRCC"))
		case 1:
			return c.get(ctx, "/regions/ST/"+c.state())
		case 2:
			return c.get(ctx, "/regions/US/US")
		}
		return c.get(ctx, "/regions/BA/"+c.of("CISO", "PJM", "MISO", "ERCO", "SWPP", "NYIS", "ISNE", "BPAT", "SOCO", "DUK"))
	case n < 80:
		return c.get(ctx, c.of("/plants/chart/by-state", "/plants/chart/by-fuel", "/plants/statistics", "/plants/states", "/plants/years", "/plants/chart/by-year"))
	case n < 90:
		path := "/plants/search?limit=20&q=" + c.of("energy", "wind", "solar", "creek", "river", "north", "sample", "station", "center", "lake",
			"hill", "county", "power", "farm", "hydro", "landfill", "mill", "island", "valley", "south", "east", "west", "city", "canyon")
		if c.r.IntN(4) > 0 {
			return c.get(ctx, path)
		}
		body, err := c.read(ctx, path)
		if _, next, more := bytes.Cut(body, []byte(`"next":"`)); err == nil && more {
			next, _, _ = bytes.Cut(next, []byte(`"`))
			return c.get(ctx, string(next))
		}
		return err
	case n < 98:
		where := "fuel=" + c.of("NG", "SUN", "WND", "WAT", "DFO", "BIT", "LFG", "SUB", "NUC", "WDS")
		if n < 94 {
			return c.get(ctx, "/levels/GEN/groups?by=state&measures=count,sum(net_generation_mwh)&"+where)
		}
		if c.r.IntN(4) > 0 {
			return c.get(ctx, "/levels/GEN/rows?"+where+"&state="+c.state())
		}
		if c.r.IntN(25) > 0 {
			return c.get(ctx, "/levels/GEN/rows?format=csv&state="+c.state())
		}
		return c.get(ctx, "/levels/GEN/rows?format=csv")
	}
	return c.get(ctx, fmt.Sprintf("/levels/PLNT/rows?sort=nameplate_capacity_mw&min_nameplate_capacity_mw=%v", c.r.Float64()*500))
}

// zipf chooses one of n by Zipf's law with exponent 1.1.
func (c *loadClient) zipf(n int) int { return int(rand.NewZipf(c.r, 1.1, 1, uint64(n-1)).Uint64()) }

func (c *loadClient) of(words ...string) string { return words[c.zipf(len(words))] }

func (c *loadClient) state() string {
	return c.of("TX", "CA", "PA", "FL", "OH", "NY", "IL", "AL", "NC", "GA", "WA", "VA", "IN", "AZ", "LA", "MI", "MO", "SC", "OK", "TN",
		"KY", "IA", "NJ", "CO", "WV", "KS", "OR", "MS", "AR", "MN", "WI", "ND", "NE", "UT", "NV", "WY", "MD", "NM", "CT", "MT", "MA", "NH", "SD", "ID", "ME")
}

func (c *loadClient) get(ctx context.Context, path string) error {
	_, err := c.ask(ctx, path, io.Discard, c.browser)
	return err
}

// read returns the body as text.
func (c *loadClient) read(ctx context.Context, path string) ([]byte, error) {
	var body bytes.Buffer
	zipped, err := c.ask(ctx, path, &body, false)
	if err != nil || !zipped {
		return body.Bytes(), err
	}
	z, err := gzip.NewReader(&body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// ask makes one request and takes its time. The answer must be complete, and
// status 200, or 304 to a client that has it.
func (c *loadClient) ask(ctx context.Context, path string, body io.Writer, revalidate bool) (zipped bool, err error) {
	if c.conn == nil {
		var dialer net.Dialer
		if c.conn, err = dialer.DialContext(context.WithoutCancel(ctx), "tcp", c.run.address); err != nil {
			return false, err
		}
		c.in = bufio.NewReader(c.conn)
	}
	c.out = append(c.out[:0], "GET "...)
	c.out = append(append(c.out, path...), " HTTP/1.1\r\nHost: bench\r\n"...)
	if c.browser {
		c.out = append(c.out, "Accept-Encoding: gzip\r\n"...)
	}
	etag := ""
	if revalidate {
		if etag = c.etags[path]; etag != "" {
			c.out = append(append(append(c.out, "If-None-Match: "...), etag...), "\r\n"...)
		}
	}
	c.out = append(c.out, "\r\n"...)
	began := time.Now()
	_ = c.conn.SetDeadline(began.Add(30 * time.Second))
	if _, err := c.conn.Write(c.out); err != nil {
		return false, err
	}
	head, err := c.head()
	if err == nil {
		err = c.body(head, body)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	c.times = append(c.times, time.Since(began))
	switch {
	case head.status == http.StatusNotModified && etag != "":
		c.unchanged++
	case head.status != http.StatusOK:
		return false, fmt.Errorf("%s: status %d", path, head.status)
	case revalidate && head.etag != "":
		c.etags[path] = head.etag
	}
	return head.zipped, nil
}

// loadHead is what a client must know of an answer's header.
type loadHead struct {
	status  int
	length  int64
	chunked bool
	zipped  bool
	etag    string
}

func (c *loadClient) head() (h loadHead, err error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return h, cmp.Or(err, errors.New("no status"))
	}
	if h.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return h, err
	}
	for {
		if line, err = c.in.ReadSlice('\n'); err != nil || len(line) <= 2 {
			return h, err
		}
		name, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		switch string(name) {
		case "Content-Length":
			if h.length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return h, err
			}
		case "Transfer-Encoding":
			h.chunked = true
		case "Content-Encoding":
			h.zipped = true
		case "Etag":
			h.etag = string(value)
		}
	}
}

// body reads the body to its end. A streamed one ends with its trailer, which
// an answer that was broken off lacks.
func (c *loadClient) body(h loadHead, to io.Writer) error {
	switch {
	case h.status == http.StatusNotModified:
		return nil
	case !h.chunked:
		_, err := io.CopyN(to, c.in, h.length)
		return err
	}
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 64)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		if _, err := io.CopyN(to, c.in, n); err != nil {
			return err
		}
		if _, err := c.in.Discard(2); err != nil {
			return err
		}
	}
	counted := false
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		counted = counted || bytes.HasPrefix(line, []byte("X-Row-Count: "))
	}
	if !counted {
		return errors.New("no trailer X-Row-Count")
	}
	return nil
}
