package s3source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/etltest"
	"github.com/egrid-analytics/egrid-go/etl/s3source"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

const generators = `YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN
2023,TX,Alpha,1,1,400
2023,TX,"Alpha, of
two lines",1,2,500.5
`

// server is a real server, and a bucket in it of the test's own.
type server struct {
	client  *minio.Client
	options s3source.Options
	bucket  string
}

func newServer(t *testing.T) *server {
	t.Helper()
	u, err := url.Parse(testenv.Server(t, "EGRID_TEST_S3"))
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	s := &server{
		options: s3source.Options{Endpoint: u.Scheme + "://" + u.Host, AccessKey: u.User.Username(), SecretKey: secret},
		bucket:  fmt.Sprintf("egrid-%d", time.Now().UnixNano()),
	}
	s.client, err = minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, ""), Secure: u.Scheme == "https"})
	if err == nil {
		err = s.client.MakeBucket(t.Context(), s.bucket, minio.MakeBucketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.client.RemoveBucketWithOptions(context.Background(), s.bucket, minio.RemoveBucketOptions{ForceDelete: true}); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *server) put(t *testing.T, key, text string) {
	t.Helper()
	if _, err := s.client.PutObject(t.Context(), s.bucket, key, strings.NewReader(text), int64(len(text)), minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}

func (s *server) open(t *testing.T, prefix string) *s3source.Source {
	t.Helper()
	source, err := s3source.Open("s3://"+s.bucket+"/"+prefix, &s.options)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// names are those of the objects of a source, in brackets where they are left out.
func names(t *testing.T, source etl.Source) string {
	t.Helper()
	var all []string
	for o, err := range source.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		name := o.Name
		if o.LeftOut != "" {
			name = "(" + name + ")"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestLoad(t *testing.T) {
	s := newServer(t)
	s.put(t, "2023/GEN23.csv", generators+strings.Repeat("2023,OK,Beta,2,1,7\n", 9000))
	s.put(t, "2023/notes.txt", "x")
	s.put(t, "2023/.git/hidden.csv", "x")
	s.put(t, "other/ST23.csv", "PSTATABB,FIPSST,STNGENAN\nTX,48,5\n")
	for prefix, want := range map[string]string{
		"":               "2023/GEN23.csv (2023/notes.txt) other/ST23.csv",
		"2023/":          "GEN23.csv (notes.txt)",
		"20":             "2023/GEN23.csv (2023/notes.txt)",
		"other/ST23.csv": "ST23.csv",
		"2023/notes.txt": "notes.txt",
		"nothing":        "",
	} {
		if got := names(t, s.open(t, prefix)); got != want {
			t.Errorf("prefix %q lists %q; want %q", prefix, got, want)
		}
	}
	store := memstore.New()
	defer store.Close()
	report, err := etl.New(s.open(t, ""), etl.ToLoader(store), &etl.Options{ChunkBytes: 10000, Workers: 4}).Run(t.Context())
	if err != nil || report.RowsLoaded != 9003 || !report.Complete() {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestRanges(t *testing.T) {
	s := newServer(t)
	s.put(t, "a.csv", "0123456789")
	source := s.open(t, "")
	var object etl.Object
	for o, err := range source.List(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		object = o
	}
	for _, test := range []struct {
		offset, length int64
		want           string
	}{{0, -1, "0123456789"}, {0, 3, "012"}, {7, 3, "789"}, {7, 30, "789"}, {9, -1, "9"}, {10, -1, ""}, {4, 0, ""}} {
		r, err := source.Open(t.Context(), object, test.offset, test.length)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		r.Close()
		if err != nil || string(b) != test.want {
			t.Errorf("%d+%d: %q, %v; want %q", test.offset, test.length, b, err, test.want)
		}
	}
	s.put(t, "a.csv", "9876543210") // replaced by another of the same size
	if _, err := source.Open(t.Context(), object, 0, -1); !errors.Is(err, etl.ErrChanged) {
		t.Errorf("of a replaced object: %v; want ErrChanged", err)
	}
	if err := s.client.RemoveObject(t.Context(), s.bucket, "a.csv", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Open(t.Context(), object, 0, -1); !errors.Is(err, etl.ErrChanged) {
		t.Errorf("of a removed object: %v; want ErrChanged", err)
	}
}

func TestSuite(t *testing.T) {
	etltest.RunSource(t, func(t *testing.T, files map[string]string) (etl.Source, etltest.Replace) {
		s := newServer(t)
		for name, text := range files {
			s.put(t, name, text)
		}
		return s.open(t, ""), s.put
	})
}

func TestErrors(t *testing.T) {
	s := newServer(t)
	wrong := s.options
	wrong.SecretKey = "wrong-secret-of-mine"
	away := s.options
	away.Endpoint = "http://127.0.0.1:1"
	for _, test := range []struct {
		address string
		options s3source.Options
		is      error
		says    string
	}{
		{"s3://no-such-bucket-of-egrid/x", s.options, egrid.ErrNotFound, "no-such-bucket-of-egrid"},
		{"s3://" + s.bucket, wrong, nil, "check the access key"},
		{"s3://" + s.bucket, away, nil, "check the endpoint"},
	} {
		source, err := s3source.Open(test.address, &test.options)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		var failure error
		for _, err := range source.List(ctx) {
			failure = err
		}
		stop()
		if failure == nil || test.is != nil && !errors.Is(failure, test.is) || !strings.Contains(failure.Error(), test.says) || strings.Contains(failure.Error(), test.options.SecretKey) {
			t.Errorf("%s: %v; want %q", test.address, failure, test.says)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, test := range []struct{ address, endpoint string }{
		{"bucket/x", ""}, {"s3://", ""}, {"s3:///x", ""}, {"s3://b", "127.0.0.1:9000"}, {"s3://b", "ftp://host"}, {"s3://b", "http://host/path"},
	} {
		if _, err := s3source.Open(test.address, &s3source.Options{Endpoint: test.endpoint}); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%s at %q: %v; want ErrInvalid", test.address, test.endpoint, err)
		}
	}
}

func ExampleOpen() {
	source, err := s3source.Open("s3://egrid/2023/", &s3source.Options{Endpoint: "http://127.0.0.1:9000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = etl.New(source, nil, nil) // its Scan lists the bucket
	fmt.Println("opened")
	// Output: opened
}

// Answers of stages are written, read again, overwritten and removed.
func TestPutAndRemove(t *testing.T) {
	s := newServer(t)
	source := s.open(t, "")
	address := "s3://" + s.bucket + "/.runs/a+b/plan 1.json"
	for _, text := range []string{"one", "two, and longer", ""} {
		if err := source.Put(t.Context(), address, []byte(text)); err != nil {
			t.Fatal(err)
		}
		for o, err := range s.open(t, ".runs/a+b/plan 1.json").List(t.Context()) {
			if err != nil || o.Location != address {
				t.Fatalf("%+v, %v", o, err)
			}
			body, err := source.Open(t.Context(), o, 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(body)
			if body.Close(); err != nil || string(got) != text {
				t.Errorf("got %q, %v; want %q", got, err, text)
			}
		}
	}
	if got := names(t, s.open(t, "")); got != "" {
		t.Errorf("what is kept is listed as a source: %s", got)
	}
	for range 2 {
		if err := source.Remove(t.Context(), address); err != nil {
			t.Error(err)
		}
	}
	if got := names(t, s.open(t, ".runs/a+b/")); got != "" {
		t.Errorf("%s is left", got)
	}
	for _, address := range []string{"", "s3://", "s3://" + s.bucket, "s3://" + s.bucket + "/folder/", "file.json"} {
		if err := source.Put(t.Context(), address, nil); !errors.Is(err, egrid.ErrInvalid) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if err := source.Put(t.Context(), "s3://no-such-bucket-here/x.json", nil); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), "no-such-bucket-here") {
		t.Errorf("got %v", err)
	}
}
