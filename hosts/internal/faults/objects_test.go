package faults_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	domain "github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/egridtest"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
)

// bucket is a bucket of the test's own.
type bucket struct {
	server *url.URL // with the credentials
	name   string
}

func newBucket(t *testing.T) *bucket {
	t.Helper()
	server, err := url.Parse(testenv.Server(t, "EGRID_TEST_S3"))
	if err != nil {
		t.Fatal(err)
	}
	b := &bucket{server: server, name: fmt.Sprint("faults-", time.Now().UnixNano())}
	if err := b.do(http.MethodPut, "", nil); err != nil {
		t.Fatal(err)
	}
	return b
}

// env tells services where the bucket is, behind a proxy if there is one.
func (b *bucket) env(endpoint string) []string {
	if endpoint == "" {
		endpoint = b.server.Scheme + "://" + b.server.Host
	}
	secret, _ := b.server.User.Password()
	return []string{"EGRID_S3_ENDPOINT=" + endpoint, "EGRID_S3_ACCESS_KEY=" + b.server.User.Username(), "EGRID_S3_SECRET_KEY=" + secret}
}

func (b *bucket) address() string { return "s3://" + b.name + "/" }

// putFolder puts the files of a folder.
func (b *bucket) putFolder(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files in", dir, err)
	}
	for _, f := range files {
		if err := b.putFile(f); err != nil {
			t.Fatal(err)
		}
	}
}

func (b *bucket) putFile(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return b.do(http.MethodPut, filepath.Base(file), text)
}

func (b *bucket) do(method, key string, body []byte) error {
	path := "/" + b.name
	if key != "" {
		path += "/" + key
	}
	req, err := http.NewRequest(method, b.server.Scheme+"://"+b.server.Host+path, strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	b.sign(req, time.Now().UTC())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return nil
}

// sign makes the signature of version 4 of the protocol, for a path without
// anything to escape.
func (b *bucket) sign(req *http.Request, at time.Time) {
	const payload, signed = "UNSIGNED-PAYLOAD", "host;x-amz-content-sha256;x-amz-date"
	date, moment := at.Format("20060102"), at.Format("20060102T150405Z")
	req.Header.Set("X-Amz-Content-Sha256", payload)
	req.Header.Set("X-Amz-Date", moment)
	canonical := strings.Join([]string{req.Method, req.URL.Path, "",
		"host:" + req.URL.Host, "x-amz-content-sha256:" + payload, "x-amz-date:" + moment, "", signed, payload}, "\n")
	hash := sha256.Sum256([]byte(canonical))
	scope := date + "/us-east-1/s3/aws4_request"
	secret, _ := b.server.User.Password()
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	signature := mac(key, strings.Join([]string{"AWS4-HMAC-SHA256", moment, scope, hex.EncodeToString(hash[:])}, "\n"))
	req.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", b.server.User.Username(), scope, signed, signature))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// TestFaultObjectReplaced replaces an object by another when the first of its
// chunks has been read.
func TestFaultObjectReplaced(t *testing.T) {
	p := newPlatform(t, large)
	mixed, err := newEdition("mixed", 3, 700)
	if err != nil {
		t.Fatal(err)
	}
	name := egridtest.NewSample(&egridtest.SampleOptions{Year: year}).Name(domain.GEN)
	b := newBucket(t)
	b.putFolder(t, p.editions.new.dir)
	if err := b.putFile(filepath.Join(mixed.dir, name)); err != nil {
		t.Fatal(err)
	}
	swap := sync.OnceFunc(func() {
		if err := b.putFile(filepath.Join(p.editions.new.dir, name)); err != nil {
			t.Error(err)
		}
	})
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: b.server.Scheme, Host: b.server.Host})
		r.Out.Host = r.In.Host // it is signed
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		forward.ServeHTTP(w, r)
		// Chunks are behind the header; what comes before reads from 0.
		if at := r.Header.Get("Range"); strings.HasSuffix(r.URL.Path, "/"+name) && at != "" && !strings.HasPrefix(at, "bytes=0-") {
			swap()
		}
	}))
	t.Cleanup(proxy.Close)
	direct := p.env
	p.env = append(p.env, b.env(proxy.URL)...)
	p.consume(3)
	p.take(queue.QueueError)
	load := p.etl(b.address())
	load.ends(t)
	var told []string
	for _, m := range p.take(queue.QueueError) {
		in, err := etl.DecodeIncident(m)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, in.Kind+" "+in.Where+": "+in.Message)
	}
	if len(told) != 1 || !strings.Contains(told[0], etl.FailureObject+" "+name) || !strings.Contains(told[0], etl.ErrChanged.Error()) {
		t.Errorf("told %q; want that %s changed", told, name)
	}
	if load.says("not loaded") != 1 {
		t.Errorf("the log does not tell:\n%s", load.tail())
	}
	for _, level := range levels() {
		want := p.editions.new
		if level == domain.GEN {
			want = p.editions.old
		}
		if got, err := rows(t.Context(), store.New(p.pg), level); err != nil || got != want.sheets[level] {
			t.Errorf("%s: %v, %s", level, err, difference(got, want.sheets[level]))
		}
	}
	p.env = append(direct, b.env("")...)
	p.etl(b.address()).ends(t)
	// What was read of the object that is gone is dropped a day later.
	stages := mustSQL(t, p.admin, "SELECT string_agg(level, ' ') FROM egrid.sheets WHERE status = 'staging'")
	if stages != "GEN" {
		t.Errorf("stages %q are left; want that of the object which was replaced", stages)
	}
	mustSQL(t, p.admin, "DELETE FROM egrid.chunks USING egrid.sheets WHERE sheet = number AND status = 'staging'; DELETE FROM egrid.sheets WHERE status = 'staging'")
	p.wantNew()
}

// TestFaultTwoLoads has two etl services take the same bucket at once.
func TestFaultTwoLoads(t *testing.T) {
	p := newPlatform(t, large)
	b := newBucket(t)
	b.putFolder(t, p.editions.new.dir)
	p.env = append(p.env, b.env("")...)
	p.consume(3)
	loads := []*process{p.etl(b.address()), p.etl(b.address())}
	for _, load := range loads {
		load.ends(t)
		if load.status() == string(etl.Failed) || load.says("run failed") > 0 {
			t.Errorf("a run failed:\n%s", load.tail())
		}
	}
	t.Logf("the runs were %s and %s", loads[0].status(), loads[1].status())
	p.wantNew()
}
