package s3source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/notification"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/s3source"
	"github.com/egrid-analytics/egrid-go/internal/testenv"
)

func ExampleReadEvents() {
	events, err := s3source.ReadEvents([]byte(`{"Records": [{"eventName": "s3:ObjectCreated:Put",
		"s3": {"bucket": {"name": "egrid"}, "object": {"key": "2023/GEN23+%28v2%29.csv", "size": 7}}}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range events {
		fmt.Println(e.Key, e.In("s3://egrid/2023/"))
	}
	// Output: 2023/GEN23 (v2).csv true
}

func TestReadEvents(t *testing.T) {
	t.Parallel()
	record := func(name, bucket, key string) string {
		return fmt.Sprintf(`{"eventName":%q,"s3":{"bucket":{"name":%q},"object":{"key":%q,"size":5}}}`, name, bucket, key)
	}
	records := func(all ...string) string { return `{"Records":[` + strings.Join(all, ",") + `]}` }
	for name, test := range map[string]struct{ text, want string }{
		"put":                {records(record("s3:ObjectCreated:Put", "b", "a.csv")), "[{s3:ObjectCreated:Put b a.csv 5}]"},
		"Amazon's name":      {records(record("ObjectCreated:CompleteMultipartUpload", "b", "a.csv")), "[{s3:ObjectCreated:CompleteMultipartUpload b a.csv 5}]"},
		"encoded":            {records(record("ObjectCreated:Put", "b", "d/a+b%2Bc%25+%C3%A9%2F%E9%9B%BB.csv")), "[{s3:ObjectCreated:Put b d/a b+c% é/電.csv 5}]"},
		"others among them":  {records(record("s3:ObjectRemoved:Delete", "b", "x"), record("s3:ObjectCreated:Copy", "b", "y"), record("s3:ObjectAccessed:Get", "b", "z")), "[{s3:ObjectCreated:Copy b y 5}]"},
		"removed":            {records(record("s3:ObjectRemoved:Delete", "b", "x")), "[]"},
		"none":               {records(), "[]"},
		"test event":         {`{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}`, "[]"},
		"EventBridge":        {`{"source":"aws.s3","detail-type":"Object Created","detail":{"bucket":{"name":"b"},"object":{"key":"a+b %20.csv","size":5},"reason":"PutObject"}}`, "[{s3:ObjectCreated:PutObject b a+b %20.csv 5}]"},
		"EventBridge, other": {`{"source":"aws.s3","detail-type":"Object Deleted","detail":{"bucket":{"name":"b"},"object":{"key":"a"}}}`, "[]"},
		"no JSON":            {"<xml/>", ""},
		"nothing":            {"", ""},
		"something else":     {`{"hello":"world"}`, ""},
		"a list":             {`[]`, ""},
		"badly encoded":      {records(record("ObjectCreated:Put", "b", "a%ZZ")), ""},
		"no key":             {records(record("ObjectCreated:Put", "b", "")), ""},
		"no bucket":          {records(record("ObjectCreated:Put", "", "a")), ""},
		"EventBridge no key": {`{"source":"aws.s3","detail-type":"Object Created","detail":{}}`, ""},
	} {
		events, err := s3source.ReadEvents([]byte(test.text))
		got := fmt.Sprint(events)
		if test.want == "" {
			if !errors.Is(err, egrid.ErrInvalid) {
				t.Errorf("%s: %v, %v; want ErrInvalid", name, got, err)
			}
		} else if err != nil || got != test.want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, test.want)
		}
	}
	e := s3source.Event{Bucket: "b", Key: "2023/GEN.csv"}
	for address, want := range map[string]bool{
		"s3://b": true, "s3://b/": true, "s3://b/2023/": true, "s3://b/2023/GEN.csv": true, "s3://b/20": true, "s3://b/2022/": false, "s3://bb/": false,
		"2023/": false, "": false, "https://b/2023": false,
	} {
		if got := e.In(address); got != want {
			t.Errorf("in %q: %t", address, got)
		}
	}
}

// inbox takes what the server sends to its webhook.
type inbox struct {
	mu       sync.Mutex
	messages [][]byte
	tokens   []string
	ask      func()
}

func (i *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tokens = append(i.tokens, r.Header.Get("Authorization"))
	if r.Method == http.MethodPost && len(body) > 0 {
		i.messages = append(i.messages, body)
		if i.ask != nil {
			i.ask()
		}
	}
}

func (i *inbox) events(t *testing.T, bucket string) (all []s3source.Event) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, m := range i.messages {
		events, err := s3source.ReadEvents(m)
		if err != nil {
			t.Fatalf("%v: %s", err, m)
		}
		for _, e := range events {
			if e.In("s3://" + bucket) {
				all = append(all, e)
			}
		}
	}
	return all
}

// TestNotifications puts objects into a real bucket in every way that there is, and
// reads what the server tells; then a scheduler makes one run of them.
func TestNotifications(t *testing.T) {
	s := newServer(t)
	hook, err := url.Parse(testenv.Server(t, "EGRID_TEST_S3_WEBHOOK"))
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", hook.Host)
	if err != nil {
		t.Fatal(err)
	}
	var box inbox
	web := httptest.NewUnstartedServer(&box)
	_ = web.Listener.Close()
	web.Listener = listener
	web.Start()
	defer web.Close()

	target := notification.NewConfig(notification.NewArn("minio", "sqs", "", "EGRID", "webhook"))
	target.AddEvents(notification.ObjectCreatedAll)
	var config notification.Configuration
	config.AddQueue(target)
	if err := s.client.SetBucketNotification(t.Context(), s.bucket, config); err != nil {
		t.Fatal(err)
	}

	// The run: of all objects that are there when nothing more has come for a while.
	store := memstore.New()
	ended := make(chan etl.Report, 10)
	scheduler := etl.NewScheduler(etl.New(s.open(t, ""), etl.ToLoader(store), &etl.Options{Runs: etl.NewRuns(store.Driver(), nil)}), yearly{}, &etl.SchedulerOptions{
		Schedules: store, Quiet: 2 * time.Second, Done: func(_ context.Context, r etl.Report, err error) {
			if err != nil {
				t.Error(err)
			}
			ended <- r
		},
	})
	if err := store.Attend(t.Context(), "default", driver.ScheduleState{Due: time.Now()}); err != nil { // it waits for notifications alone
		t.Fatal(err)
	}
	box.ask = func() {
		if err := scheduler.Ask(context.Background()); err != nil {
			t.Error(err)
		}
	}
	want := map[string]string{}
	for i, key := range []string{"GEN23.csv", "a b/GEN 23.csv", "a+b/GEN+22.csv", "é電/GEN23 — ä.csv", "100%/%41?&=#'.csv", "x;y,z@(1)!*~.csv"} {
		s.put(t, key, fmt.Sprintf("YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,%d,1,400\n", i+1))
		want[key] = "s3:ObjectCreated:Put"
	}
	const large = "large+ file/GEN23 ü.csv"
	part := strings.Repeat("# filler that is no record of any sheet, and only makes the object large\n", 80_000)
	text := "YEAR,PSTATABB,PNAME,ORISPL,GENID,GENNTAN\n2023,TX,Alpha,99,1,400\n" + part
	info, err := s.client.PutObject(t.Context(), s.bucket, large, bytes.NewReader([]byte(text)), int64(len(text)), minio.PutObjectOptions{PartSize: 5 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(info.ETag, "-") {
		t.Fatalf("%d bytes were not put in parts: ETag %s", len(text), info.ETag)
	}
	want[large] = "s3:ObjectCreated:CompleteMultipartUpload"

	waiting, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for len(box.events(t, s.bucket)) < len(want) && waiting.Err() == nil {
		select {
		case <-waiting.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	got := map[string]string{}
	for _, e := range box.events(t, s.bucket) {
		got[e.Key] = e.Name
		if e.Size <= 0 {
			t.Errorf("%+v has no size", e)
		}
	}
	for key, name := range want {
		if got[key] != name {
			t.Errorf("%q: told as %q; want %q", key, got[key], name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("told of %q; want %q", got, want)
	}
	for _, token := range box.tokens {
		if token != "Bearer "+hook.User.Username() {
			t.Errorf("sent with the header Authorization: %q", token)
		}
	}
	// It begins when all are told, so that the machine's speed is of no interest.
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { defer close(stopped); scheduler.Run(ctx) }()
	select {
	case r := <-ended:
		if len(r.Files) != len(want) {
			t.Errorf("the run has %d files; want %d", len(r.Files), len(want))
		}
	case <-time.After(time.Minute):
		t.Fatal("no run")
	}
	stop()
	<-stopped
	if len(ended) > 0 {
		t.Errorf("%d more runs", len(ended))
	}
	runs, err := store.SavedRuns(t.Context(), 10)
	if err != nil || len(runs) != 1 || runs[0].Trigger != driver.ByNotification {
		t.Errorf("runs %+v, %v", runs, err)
	}
}

// yearly is a schedule that leaves the test alone.
type yearly struct{}

func (yearly) Next(t time.Time) time.Time { return t.AddDate(1, 0, 0) }
