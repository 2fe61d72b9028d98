package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/notify"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// A request whose signature was computed by openssl dgst -sha256 -mac HMAC.
const (
	secret     = "whsec_ZWdyaWQtZ28gdGVzdCBzZWNyZXQsIDMyIGJ5dGVzLi4="
	signedBody = `{"kind":"failure","time":"2024-01-30T12:00:00Z","title":"Ünïcode"}`
	signedAt   = 1706616000
	signature  = "v1,vXeOy0tUbOw2FbfIlnTu8wNRU0JZvGKmfKX4C8N95gA="
)

func signedHeader() http.Header {
	h := http.Header{}
	h.Set("webhook-id", "msg_1")
	h.Set("webhook-timestamp", strconv.Itoa(signedAt))
	h.Set("webhook-signature", signature)
	return h
}

func TestVerify(t *testing.T) {
	t.Parallel()
	set := func(name, value string) http.Header {
		h := signedHeader()
		h.Set(name, value)
		return h
	}
	const other = "whsec_b3RoZXIgc2VjcmV0LCBhbHNvIDMyIGJ5dGVzIGxvbmc="
	for _, test := range []struct {
		name   string
		secret string
		header http.Header
		body   string
		after  time.Duration
		ok     bool
	}{
		{"as it was sent", secret, signedHeader(), signedBody, 0, true},
		{"after 5 minutes", secret, signedHeader(), signedBody, 5 * time.Minute, true},
		{"by a clock that is behind", secret, signedHeader(), signedBody, -5 * time.Minute, true},
		{"one signature of several", secret, set("webhook-signature", "v1a,xyz v1,AAAA "+signature), signedBody, 0, true},
		{"too late", secret, signedHeader(), signedBody, 5*time.Minute + time.Second, false},
		{"too early", secret, signedHeader(), signedBody, -5*time.Minute - time.Second, false},
		{"another body", secret, signedHeader(), signedBody + " ", 0, false},
		{"another id", secret, set("webhook-id", "msg_2"), signedBody, 0, false},
		{"an id with a dot", secret, set("webhook-id", "msg_1."), signedBody, 0, false},
		{"no id", secret, set("webhook-id", ""), signedBody, 0, false},
		{"another time", secret, set("webhook-timestamp", strconv.Itoa(signedAt+1)), signedBody, 0, false},
		{"a time in words", secret, set("webhook-timestamp", "now"), signedBody, 0, false},
		{"a time beyond all times", secret, set("webhook-timestamp", "9223372036854775807"), signedBody, 0, false},
		{"no signature", secret, set("webhook-signature", ""), signedBody, 0, false},
		{"a signature of another version", secret, set("webhook-signature", strings.Replace(signature, "v1", "v2", 1)), signedBody, 0, false},
		{"a signature cut short", secret, set("webhook-signature", "v1,"), signedBody, 0, false},
		{"another secret", other, signedHeader(), signedBody, 0, false},
		{"no secret", "", signedHeader(), signedBody, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := notify.Verify(test.secret, test.header, []byte(test.body), time.Unix(signedAt, 0).Add(test.after))
			if test.ok && err != nil || !test.ok && !errors.Is(err, egrid.ErrInvalid) {
				t.Error(err)
			}
		})
	}
}

// Where a dot were allowed in an id, what was signed as the begin of a body could
// be shown as the time.
func TestVerifyShifted(t *testing.T) {
	t.Parallel()
	h := signedHeader()
	h.Set("webhook-signature", "v1,opnOE6uDR0GOiikfgaNPoQsTam0agY0SWjZnsx+KaHA=")
	now := time.Unix(signedAt, 0)
	if err := notify.Verify(secret, h, []byte("1706616000.x"), now); err != nil {
		t.Error(err)
	}
	h.Set("webhook-id", "msg_1.1706616000")
	if err := notify.Verify(secret, h, []byte("x"), now); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("%v; want ErrInvalid", err)
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("msg_1", strconv.Itoa(signedAt), signature, []byte(signedBody))
	f.Add("msg_1", "+"+strconv.Itoa(signedAt), signature, []byte(signedBody))
	f.Add("msg_1", "0"+strconv.Itoa(signedAt), signature, []byte(signedBody))
	f.Add("msg_1", strconv.Itoa(signedAt)+" ", "v1,AAAA "+signature, []byte(signedBody))
	f.Add("msg_1", strconv.Itoa(signedAt+1), signature, []byte(signedBody))
	f.Fuzz(func(t *testing.T, id, timestamp, sig string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp}, "Webhook-Signature": {sig}}
		signed := id == "msg_1" && timestamp == strconv.Itoa(signedAt) && string(body) == signedBody
		err := notify.Verify(secret, h, body, time.Unix(signedAt, 0))
		if err == nil && !(signed && strings.Contains(sig, signature)) || err != nil && signed && sig == signature {
			t.Errorf("%q %q %q %q: %v", id, timestamp, sig, body, err)
		}
	})
}

// receiver is a server that verifies what it gets and answers with the statuses
// in turn, and then with 204.
type receiver struct {
	*httptest.Server
	requests atomic.Int32
	ids      chan string
}

func receive(t testing.TB, statuses ...int) *receiver {
	r := &receiver{ids: make(chan string, 10)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err == nil {
			err = notify.Verify(secret, req.Header, body, time.Now())
		}
		var n etl.Notice
		if err == nil {
			err = json.Unmarshal(body, &n)
		}
		if err != nil || n != someNotice || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v: %s: %v", req.Method, req.Header, body, err)
		}
		r.ids <- req.Header.Get("Webhook-Id")
		status := http.StatusNoContent
		if i := int(r.requests.Add(1)); i <= len(statuses) {
			status = statuses[i-1]
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func webhook(t testing.TB, url string, o *notify.WebhookOptions) notify.Notifier {
	t.Helper()
	n, err := notify.Webhook(url, o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWebhookStatuses(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]queue.Outcome{
		200: queue.Done, 202: queue.Done, 204: queue.Done,
		301: queue.Dead, 302: queue.Dead, 307: queue.Dead, 304: queue.Dead,
		400: queue.Dead, 401: queue.Dead, 403: queue.Dead, 404: queue.Dead, 410: queue.Dead, 413: queue.Dead,
		408: queue.Retry, 425: queue.Retry, 429: queue.Retry, 500: queue.Retry, 502: queue.Retry, 503: queue.Retry, 504: queue.Retry,
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			r := receive(t, status)
			err := webhook(t, r.URL, &notify.WebhookOptions{Secret: secret}).Notify(t.Context(), "id-1", someNotice)
			got := queue.Done
			switch {
			case queue.IsPermanent(err):
				got = queue.Dead
			case err != nil:
				got = queue.Retry
			}
			if got != want || r.requests.Load() != 1 {
				t.Errorf("%s (%v) after %d requests; want %s after one", got, err, r.requests.Load(), want)
			}
		})
	}
}

// Through the queue, failures are retried under the same id.
func TestWebhookThroughQueue(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		statuses []int
		want     queue.Outcome
		attempts int
	}{
		{"500 and 429, then well", []int{500, 429}, queue.Done, 3},
		{"for good", []int{503, 410}, queue.Dead, 2},
		{"never", []int{500, 500, 500, 500}, queue.Dead, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, test.statuses...)
			broker := memqueue.New(nil)
			defer broker.Close()
			m := messageOf(t, someNotice)
			if err := broker.Publish(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			beside := &channel{name: "beside"}
			e := consumeOne(t, broker, notify.Handler(webhook(t, r.URL, &notify.WebhookOptions{Secret: secret}), beside))
			if e.Outcome != test.want || e.Attempt != test.attempts || int(r.requests.Load()) != test.attempts || beside.attempts() != 1 {
				t.Errorf("%+v after %d requests; want %s after %d", e, r.requests.Load(), test.want, test.attempts)
			}
			for range test.attempts {
				if id := <-r.ids; id != m.ID {
					t.Errorf("id %s; want %s", id, m.ID)
				}
			}
		})
	}
}

func TestWebhookThatHangs(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			w.Header().Set("Content-Length", "10")
			w.WriteHeader(http.StatusOK)
			_ = http.NewResponseController(w).Flush()
		}
		<-release
	}))
	defer server.Close()
	defer close(release)
	start := time.Now()
	err := webhook(t, server.URL, &notify.WebhookOptions{Timeout: 50 * time.Millisecond}).Notify(t.Context(), "id", someNotice)
	if !errors.Is(err, context.DeadlineExceeded) || queue.IsPermanent(err) {
		t.Errorf("timeout: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := webhook(t, server.URL, nil).Notify(ctx, "id", someNotice); !errors.Is(err, context.DeadlineExceeded) || queue.IsPermanent(err) {
		t.Errorf("ctx: %v", err)
	}
	if err := webhook(t, server.URL+"/body", &notify.WebhookOptions{Timeout: time.Second}).Notify(t.Context(), "id", someNotice); err != nil {
		t.Errorf("a status of 200 whose body hangs: %v; want it delivered", err)
	}
	if d := time.Since(start); d > 8*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestWebhookWithoutServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	address := strings.Replace(server.URL, "http://", "http://me:hunter2@", 1) + "/T0/s3cret?token=abc#x"
	n := webhook(t, address, &notify.WebhookOptions{Secret: secret})
	err := n.Notify(t.Context(), "id", someNotice)
	if err == nil || queue.IsPermanent(err) {
		t.Errorf("got %v; want one to retry", err)
	}
	for _, told := range []string{"hunter2", "s3cret", "abc", "ZWdyaW"} {
		if strings.Contains(n.Name()+err.Error(), told) {
			t.Errorf("%s: %v: tells %s", n.Name(), err, told)
		}
	}
	if n.Name() != "webhook "+server.URL {
		t.Errorf("name %q", n.Name())
	}
	if n := webhook(t, address, &notify.WebhookOptions{Name: "chat"}); n.Name() != "webhook chat" {
		t.Errorf("name %q", n.Name())
	}
}

// The address is sent as it was given, and so is an id that is fit to be.
func TestWebhookRequest(t *testing.T) {
	t.Parallel()
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r }))
	defer server.Close()
	client := server.Client()
	n := webhook(t, strings.Replace(server.URL, "://", "://me:hunter2@", 1)+"/T0/s3cret?token=a%20b", &notify.WebhookOptions{Client: client})
	if err := n.Notify(t.Context(), "id\r\nwebhook-signature: v1,x", someNotice); err != nil {
		t.Fatal(err)
	}
	user, password, _ := got.BasicAuth()
	if got.RequestURI != "/T0/s3cret?token=a%20b" || user != "me" || password != "hunter2" {
		t.Errorf("got %s by %s:%s", got.RequestURI, user, password)
	}
	if id := got.Header.Get("Webhook-Id"); len(id) != 64 || got.Header.Get("Webhook-Signature") != "" {
		t.Errorf("got %v; want an id without line ends, and no signature without a secret", got.Header)
	}
	if client.CheckRedirect != nil {
		t.Error("the caller's client was changed")
	}
}

func TestWebhookArguments(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "hooks.example.org", "ftp://example.org", "http://", "https://user:se/cret@example.org", "http://example.org:x\x7f", "https:///path"} {
		if _, err := notify.Webhook(address, nil); !errors.Is(err, egrid.ErrInvalid) || strings.Contains(err.Error(), "se/cret") || strings.Contains(err.Error(), ":se") {
			t.Errorf("%q: %v; want ErrInvalid", address, err)
		}
	}
	for _, s := range []string{"hunter2", "whsec_", "whsec_hunter2", "whsec_c2hvcnQ=", strings.TrimPrefix(secret, "whsec_"), "whsec_" + strings.Repeat("QUFB", 22)} {
		if _, err := notify.Webhook("https://example.org", &notify.WebhookOptions{Secret: s}); !errors.Is(err, egrid.ErrInvalid) || len(s) > 6 && strings.Contains(err.Error(), s) {
			t.Errorf("%q: %v; want ErrInvalid", s, err)
		}
	}
}

// TestWebhookTrace: the trace of a delivery goes along, and one of a message that
// was published in a trace belongs to it.
func TestWebhookTrace(t *testing.T) {
	t.Parallel()
	const id = "0af7651916cd43dd8448eb211c80319c"
	s, _ := trace.Parse("00-"+id+"-b7ad6b7169203331-01", "a=1")
	got := make(chan http.Header, 2)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	defer server.Close()
	hook := webhook(t, server.URL, &notify.WebhookOptions{Secret: secret})
	for _, ctx := range []context.Context{t.Context(), trace.NewContext(t.Context(), s)} {
		if err := hook.Notify(ctx, "id", someNotice); err != nil {
			t.Fatal(err)
		}
	}
	if h := <-got; h.Values("traceparent") != nil {
		t.Errorf("without a trace: %v", h)
	}
	if h := <-got; h.Get("traceparent") != "00-"+id+"-b7ad6b7169203331-01" || h.Get("tracestate") != "a=1" {
		t.Errorf("with a trace: %v", h)
	}
}
