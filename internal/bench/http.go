package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func listen(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	return config.Listen(ctx, "tcp", "127.0.0.1:0")
}

// reply is an answer of status 200.
type reply struct {
	header http.Header
	body   []byte
}

func get(ctx context.Context, client *http.Client, url string) (*reply, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil) //nolint:gosec // G704: the address is of a server of ours
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(r) //nolint:gosec // G704: the address is of a server of ours
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.300s", url, resp.Status, body)
	}
	return &reply{resp.Header, body}, err
}

// served loads GEN23 into a store and serves it by a version of the command.
func (b *bench) served(ctx context.Context, egrid, sheet string) (*program, error) {
	store := "sqlite:" + filepath.Join(b.folder, filepath.Base(egrid)+".db")
	if _, _, err := b.command(ctx, nil, egrid, "load", "--publish", "replace", "--store", store, sheet); err != nil {
		return nil, err
	}
	return b.start(ctx, nil, egrid, "serve", "--store", store, "--addr", "127.0.0.1:0")
}

// seconds is how long a turn of requests takes.
func (b *bench) seconds() time.Duration {
	if b.quick {
		return time.Second
	}
	return 4 * time.Second
}

// asking is a side that asks a server for some time, over some connections, for
// what path chooses. The figure is answers per second.
func (b *bench) asking(p *program, connections int, path func(r *rand.Rand) string) side {
	return p.during(func(ctx context.Context) (float64, string, error) {
		end := time.Now().Add(b.seconds())
		began, answers, bytes := time.Now(), 0, 0
		var mu sync.Mutex
		var wg sync.WaitGroup
		var failed error
		for range connections {
			wg.Go(func() {
				client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
				defer client.CloseIdleConnections()
				r := rand.New(rand.NewPCG(rand.Uint64(), 1)) //nolint:gosec // G404: it chooses what to ask
				for time.Now().Before(end) {
					got, err := get(ctx, client, "http://"+p.address+path(r))
					mu.Lock()
					if err != nil {
						failed = errors.Join(failed, err)
						mu.Unlock()
						return
					}
					answers, bytes = answers+1, bytes+len(got.body)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if failed != nil {
			return 0, "", failed
		}
		return float64(answers) / time.Since(began).Seconds(), fmt.Sprintf("%s bytes on average", number(float64(bytes/answers))), nil
	})
}

// besideOld asks the present command and that of the old commit the same.
func (b *bench) besideOld(ctx context.Context, connections int, path func(r *rand.Rand) string) (ours, theirs side, err error) {
	old, err := b.oldEgrid(ctx)
	if err != nil {
		return nil, nil, err
	}
	var sides [2]side
	for i, egrid := range []string{filepath.Join(b.tools, "egrid"), old} {
		p, err := b.served(ctx, egrid, b.data)
		if err != nil {
			return nil, nil, err
		}
		sides[i] = b.asking(p, connections, path)
	}
	return sides[0], sides[1], nil
}

// pageOf is the address of the largest plants with at least a generation that no
// other request has, so that no answer is kept.
func pageOf(limit int, more string) func(r *rand.Rand) string {
	return func(r *rand.Rand) string {
		n := limit
		if n == 0 {
			n = 1 + r.IntN(1000)
		}
		return fmt.Sprintf("/plants/search?sort=-net_generation_mwh,plant_name&limit=%d%s&min_net_generation_mwh=%.9f", n, more, r.Float64())
	}
}

func openPage(ctx context.Context, b *bench) (ours, theirs side, err error) {
	return b.besideOld(ctx, 4, pageOf(20, ""))
}

func openFacets(ctx context.Context, b *bench) (ours, theirs side, err error) {
	return b.besideOld(ctx, 4, pageOf(20, "&facet=fuel,state"))
}

func openLargest(ctx context.Context, b *bench) (ours, theirs side, err error) {
	return b.besideOld(ctx, 4, pageOf(0, ""))
}

func openExport(ctx context.Context, b *bench) (ours, theirs side, err error) {
	return b.besideOld(ctx, 1, func(*rand.Rand) string { return "/levels/GEN/rows?format=ndjson" })
}

// askDuckDB reads the sheet into a table in memory, and asks it for the largest
// plants for some seconds.
const askDuckDB = `
import duckdb, random, sys, time
db = duckdb.connect()
db.execute("CREATE TABLE gen AS SELECT * FROM read_csv(?, header=true)", [sys.argv[1]])
ask = "SELECT ORISPL, min(PNAME) AS name, min(PSTATEABB), count(*), sum(NAMEPCAP), sum(GENNTAN) AS net FROM gen GROUP BY ORISPL HAVING net >= ? ORDER BY net DESC, name LIMIT 10"
began, n = time.time(), 0
while time.time() - began < float(sys.argv[2]):
    assert len(db.execute(ask, [random.random()]).fetchall()) == 10
    n += 1
print(n / (time.time() - began))
`

func openTop10(ctx context.Context, b *bench) (ours, theirs side, err error) {
	python, err := b.python(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := b.served(ctx, filepath.Join(b.tools, "egrid"), b.data)
	if err != nil {
		return nil, nil, err
	}
	sheet, _, err := b.long(26_601) // under one row of names
	theirs = func(ctx context.Context) (figure, error) {
		f, out, err := b.command(ctx, nil, python, "-c", askDuckDB, sheet, fmt.Sprint(b.seconds().Seconds()))
		if err != nil {
			return f, err
		}
		f.value, err = strconv.ParseFloat(strings.TrimSpace(out), 64)
		return f, err
	}
	return b.asking(p, 1, pageOf(10, "")), theirs, err
}

func openKept(ctx context.Context, b *bench) (ours, theirs side, err error) {
	if err := b.installed(ctx, "wrk"); err != nil {
		return nil, nil, err
	}
	p, err := b.served(ctx, filepath.Join(b.tools, "egrid"), b.data)
	if err != nil {
		return nil, nil, err
	}
	url := "http://" + p.address + "/plants/top"
	exe, err := filepath.Abs("/proc/self/exe")
	if err != nil {
		return nil, nil, err
	}
	bare, err := b.start(ctx, nil, exe, "do", "bare", url)
	if err != nil {
		return nil, nil, err
	}
	wrk := func(p *program) side {
		return p.during(func(ctx context.Context) (float64, string, error) {
			_, out, err := b.command(ctx, nil, "wrk", "-t", "1", "-c", "64", "-d", b.seconds().String(), "http://"+p.address+"/plants/top")
			if err != nil {
				return 0, "", err
			}
			_, rest, ok := strings.Cut(out, "Requests/sec:")
			if !ok || strings.Contains(out, "Non-2xx") || strings.Contains(out, "Socket errors") {
				return 0, "", fmt.Errorf("wrk: %s", out)
			}
			x, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return x, "", err
		})
	}
	return wrk(p), wrk(bare), nil
}

// coldPaths are 400 addresses of all kinds.
func coldPaths() []string {
	states := strings.Fields("TX CA PA FL OH NY IL AL NC GA WA VA IN AZ LA MI MO SC OK TN KY IA NJ CO WV KS OR MS AR MN WI ND NE UT NV WY MD NM CT MT MA NH SD ID ME VT RI DE AK HI")
	var paths []string
	for _, s := range states {
		paths = append(paths, "/plants/top?state="+s, "/levels/GEN/rows?state="+s, "/levels/GEN/groups?by=fuel&measures=count,sum(net_generation_mwh)&state="+s, "/plants/search?q=energy&state="+s)
	}
	for i := range 200 {
		paths = append(paths, fmt.Sprintf("/plants/search?limit=20&sort=-net_generation_mwh&min_net_generation_mwh=%d", i*1000))
	}
	return paths
}

// openCold starts the command anew for each turn.
func openCold(ctx context.Context, b *bench) (ours, theirs side, err error) {
	egrid := filepath.Join(b.tools, "egrid")
	store := "sqlite:" + filepath.Join(b.folder, "cold.db")
	_, _, err = b.command(ctx, nil, egrid, "load", "--store", store, b.data)
	return func(ctx context.Context) (figure, error) {
		p, err := b.start(ctx, nil, egrid, "serve", "--store", store, "--addr", "127.0.0.1:0")
		if err != nil {
			return figure{}, err
		}
		defer p.stop()
		return p.during(func(ctx context.Context) (float64, string, error) { return rush(ctx, p.address, coldPaths()) })(ctx)
	}, nil, err
}

// rush opens 1,000 connections at once, asks for one address over each, and
// returns the 99th percentile of the milliseconds from dialling to the last byte.
func rush(ctx context.Context, address string, paths []string) (float64, string, error) {
	const connections = 1000
	times, errs := make([]time.Duration, connections), make([]error, connections)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range connections {
		wg.Go(func() {
			<-begin
			began := time.Now()
			errs[i] = askOnce(ctx, address, paths[i%len(paths)])
			times[i] = time.Since(began)
		})
	}
	close(begin)
	wg.Wait()
	failed := 0
	for _, err := range errs {
		if err != nil {
			failed++
		}
	}
	slices.Sort(times)
	return float64(times[connections*99/100].Microseconds()) / 1000, fmt.Sprintf("%d errors", failed), nil
}

func askOnce(ctx context.Context, address, path string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // all was read
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}
