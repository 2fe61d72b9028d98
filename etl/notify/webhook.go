package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/internal/trace"
	"github.com/egrid-analytics/egrid-go/queue"
)

// The headers of a webhook, as in the Standard Webhooks specification 1.0.0.
const (
	HeaderID        = "webhook-id"        // of the message: for receivers that must not do it twice
	HeaderTimestamp = "webhook-timestamp" // of the attempt, in Unix seconds
	HeaderSignature = "webhook-signature" // "v1," and base64 of the HMAC-SHA256; several with spaces between
)

// Tolerance is how far the clocks of sender and receiver of a webhook may be
// apart, together with the time that a request is under way.
const Tolerance = 5 * time.Minute

// WebhookOptions tune a webhook. The zero value of every field means its
// default.
type WebhookOptions struct {
	// Secret signs the requests: "whsec_" and base64 of 24 to 64 random bytes,
	// as printed by: echo whsec_$(openssl rand -base64 32). Default none:
	// requests are not signed.
	Secret string
	// Name tells this webhook from others in logs and errors; default the
	// scheme and the host of its address, since the rest is often a secret.
	Name string
	// Client sends the requests; default one of its own. No client follows
	// redirects here.
	Client *http.Client
	// Timeout is for the whole of a request; default 10 seconds.
	Timeout time.Duration
}

// Webhook is the channel that posts notices to an http or https address: the
// JSON of the [etl.Notice] under the headers of Standard Webhooks. The signature
// is over id, timestamp and body with dots between, so that receivers check it
// by [Verify] or by any library of that specification. A user name and password
// in the address go into the Authorization header. The trace of ctx goes along as
// traceparent (W3C Trace Context), unsigned.
//
// A status of 2xx is delivered. No answer, 408, 425, 429 and 5xx are retried as
// the queue's policy says; Retry-After is not read. Every other status is a
// permanent failure, redirects included.
func Webhook(address string, o *WebhookOptions) (Notifier, error) {
	if o == nil {
		o = &WebhookOptions{}
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("%w: webhook: the address is none that begins with http:// or https:// and a host", egrid.ErrInvalid)
	}
	w := &webhook{url: address, name: o.Name, timeout: o.Timeout}
	if o.Secret != "" {
		if w.key, err = decodeSecret(o.Secret); err != nil {
			return nil, err
		}
	}
	if w.name == "" {
		w.name = u.Scheme + "://" + u.Host
	}
	if w.timeout == 0 {
		w.timeout = 10 * time.Second
	}
	if o.Client != nil {
		w.client = *o.Client
	} else if shared, ok := http.DefaultTransport.(*http.Transport); ok {
		w.client.Transport = shared.Clone() // whoever closes the connections of the shared one breaks no request
	}
	w.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w, nil
}

type webhook struct {
	url     string
	name    string
	key     []byte // nil is unsigned
	client  http.Client
	timeout time.Duration
}

func (w *webhook) Name() string { return "webhook " + w.name }

func (w *webhook) Notify(ctx context.Context, id string, n etl.Notice) error {
	body, err := json.Marshal(n)
	if err != nil {
		return queue.Permanent(err)
	}
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return queue.Permanent(withoutURL(err))
	}
	w.setHeaders(req.Header, plainID(id), time.Now(), body)
	trace.FromContext(ctx).SetHeader(req.Header)
	resp, err := w.client.Do(req)
	if err != nil {
		return withoutURL(err)
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
	return judge(resp.StatusCode)
}

func (w *webhook) setHeaders(h http.Header, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "egrid-go")
	h.Set(HeaderID, id)
	h.Set(HeaderTimestamp, timestamp)
	if w.key != nil {
		h.Set(HeaderSignature, "v1,"+base64.StdEncoding.EncodeToString(sign(w.key, id, timestamp, body)))
	}
}

// judge says what a status means. It tells nothing else of the answer, which
// may repeat the address.
func judge(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		return fmt.Errorf("answered with status %d %s", status, http.StatusText(status))
	case status < 400:
		return queue.Permanent(fmt.Errorf("answered with status %d %s; redirects are not followed", status, http.StatusText(status)))
	}
	return queue.Permanent(fmt.Errorf("answered with status %d %s", status, http.StatusText(status)))
}

// withoutURL takes the address out of an error.
func withoutURL(err error) error {
	for {
		var u *url.Error
		if !errors.As(err, &u) {
			return err
		}
		err = u.Err
	}
}

func sign(key []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return mac.Sum(nil)
}

func decodeSecret(secret string) ([]byte, error) {
	coded, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(coded)
	if !ok || err != nil || len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("%w: webhook: want a secret of whsec_ and base64 of 24 to 64 bytes", egrid.ErrInvalid)
	}
	return key, nil
}

// Verify is for the receivers of a webhook: it returns nil when the request
// with these headers and this body, byte by byte, was signed with the secret at
// most [Tolerance] from now. The error wraps [egrid.ErrInvalid]; answer it with
// status 401. Within that time a request can be repeated by whoever saw it: keep
// the ids that came in, if that matters.
func Verify(secret string, h http.Header, body []byte, now time.Time) error {
	key, err := decodeSecret(secret)
	if err != nil {
		return err
	}
	id, timestamp := h.Get(HeaderID), h.Get(HeaderTimestamp)
	if id == "" || strings.Contains(id, ".") {
		return fmt.Errorf("%w: webhook: no %s, or one with a dot", egrid.ErrInvalid, HeaderID)
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: webhook: no %s in seconds", egrid.ErrInvalid, HeaderTimestamp)
	}
	if sent := time.Unix(seconds, 0); sent.Before(now.Add(-Tolerance)) || sent.After(now.Add(Tolerance)) {
		return fmt.Errorf("%w: webhook: it was sent more than %v from now", egrid.ErrInvalid, Tolerance)
	}
	want := sign(key, id, timestamp, body)
	for one := range strings.FieldsSeq(h.Get(HeaderSignature)) {
		coded, ok := strings.CutPrefix(one, "v1,")
		if got, err := base64.StdEncoding.DecodeString(coded); ok && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return fmt.Errorf("%w: webhook: no signature of this secret", egrid.ErrInvalid)
}
