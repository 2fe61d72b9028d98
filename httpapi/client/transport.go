package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// maxURLBytes is how long a URL may be behind its host: what servers take.
const maxURLBytes = 16 << 10

// answer is a response, read and closed.
type answer struct {
	path   string
	status int
	header http.Header
	body   []byte
}

// decode reads the body's JSON, numbers as they stand.
func (a *answer) decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return errForeign(a.path, err.Error())
	}
	return nil
}

func mediaType(h http.Header) string {
	t, _, _ := mime.ParseMediaType(h.Get("Content-Type")) // empty for what is none
	return t
}

// stayWithHost refuses redirects that would carry credentials elsewhere.
func stayWithHost(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Host != first.Host || r.URL.Scheme != first.Scheme && r.URL.Scheme != "https" {
		return fmt.Errorf("the server redirects to another host, %s; give its address in place of this one", r.URL.Host)
	}
	if len(via) >= 10 {
		return errors.New("the server redirects in circles")
	}
	return nil
}

// question is what a client sends.
type question struct {
	method string
	target string // the whole URL
	header http.Header
	body   []byte
}

// get asks until there is an answer or no hope. path is escaped.
func (c *Client) get(ctx context.Context, path string, v url.Values, header http.Header) (*answer, error) {
	q, err := c.question(path, v, header)
	if err != nil {
		return nil, err
	}
	return c.ask(ctx, q)
}

// question makes a GET. path is escaped.
func (c *Client) question(path string, v url.Values, header http.Header) (question, error) {
	target := c.base.JoinPath(path)
	target.RawQuery = v.Encode()
	if n := len(target.RequestURI()); n > maxURLBytes {
		return question{}, fmt.Errorf("%w: the query makes a URL of %d bytes, which has at most %d; ask for less at once", egrid.ErrInvalid, n, maxURLBytes)
	}
	return question{http.MethodGet, target.String(), header, nil}, nil
}

// join makes a path of parts.
func join(parts ...string) string {
	escaped := make([]string, len(parts))
	for i, part := range parts {
		escaped[i] = url.PathEscape(part)
	}
	return strings.Join(escaped, "/")
}

// post gives an order, with a body of JSON. path is escaped.
func (c *Client) post(ctx context.Context, path string, order any) (*answer, error) {
	header := http.Header{"Accept": {wire.TypeJSON}}
	var body []byte
	if order != nil {
		var err error
		if body, err = json.Marshal(order); err != nil {
			return nil, err
		}
		header.Set("Content-Type", wire.TypeJSON)
	}
	return c.ask(ctx, question{http.MethodPost, c.base.JoinPath(path).String(), header, body})
}

func (c *Client) ask(ctx context.Context, q question) (*answer, error) {
	for attempt := 0; ; attempt++ {
		a, err := c.try(ctx, q)
		if err == nil {
			if a.status >= 200 && a.status < 300 || a.status == http.StatusNotModified && q.header.Get("If-None-Match") != "" {
				return a, nil
			}
		}
		wait, again := c.next(attempt, a, err)
		if q.method != http.MethodGet && (err != nil || a.status != http.StatusTooManyRequests) {
			again = false // it may have been done
		}
		if !again || ctx.Err() != nil {
			return nil, failure(ctx, a, err)
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
			return nil, failure(ctx, a, err)
		}
		if err := pause(ctx, wait); err != nil {
			return nil, err
		}
	}
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failure is the error of a request that is given up.
func failure(ctx context.Context, a *answer, err error) error {
	var network *net.OpError
	switch {
	case err == nil:
		return errorOf(a)
	case ctx.Err() == nil && errors.As(err, &network):
		return fmt.Errorf("%w: %w", egrid.ErrUnavailable, err)
	}
	return err
}

// try sends a request once, and reads the answer.
func (c *Client) try(ctx context.Context, q question) (*answer, error) {
	if c.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.o.Timeout)
		defer cancel()
	}
	response, err := c.send(ctx, q)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return c.read(response)
}

func (c *Client) send(ctx context.Context, q question) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, q.method, q.target, bytes.NewReader(q.body))
	if err != nil {
		return nil, permanent{fmt.Errorf("%w: %w", egrid.ErrInvalid, err)}
	}
	r.Header = q.header.Clone()
	r.Header.Set("User-Agent", c.o.UserAgent)
	trace.FromContext(ctx).SetHeader(r.Header)
	token := c.o.Token
	if c.o.TokenSource != nil {
		if token, err = c.o.TokenSource(ctx); err != nil {
			return nil, permanent{err}
		}
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if c.o.APIKey != "" {
		r.Header.Set("X-Api-Key", c.o.APIKey)
	}
	return c.http.Do(r)
}

func (c *Client) read(response *http.Response) (*answer, error) {
	path := response.Request.URL.Path
	body, err := io.ReadAll(io.LimitReader(response.Body, c.o.MaxResponseBytes+1))
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", path, err)
	}
	if int64(len(body)) > c.o.MaxResponseBytes {
		return nil, permanent{fmt.Errorf("the answer of %s has more than %d bytes", path, c.o.MaxResponseBytes)}
	}
	return &answer{path: path, status: response.StatusCode, header: response.Header, body: body}, nil
}

// permanent is an error that another attempt would not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// next decides whether a request is repeated, and when.
func (c *Client) next(attempt int, a *answer, err error) (wait time.Duration, again bool) {
	wait = c.backoff(attempt)
	again = attempt < c.o.Retries
	if err != nil {
		var p permanent
		return wait, again && !errors.As(err, &p)
	}
	switch a.status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return 0, false
	}
	if asked, ok := retryAfter(a.header); ok {
		return max(wait, asked), again && asked <= c.o.MaxBackoff
	}
	return wait, again
}

// backoff is the wait behind the n-th attempt, from 0: between half and all of
// a time that doubles, so that clients which failed together do not come back
// together.
func (c *Client) backoff(n int) time.Duration {
	full := c.o.Backoff << min(n, 20)
	if full <= 0 || full > c.o.MaxBackoff {
		full = c.o.MaxBackoff
	}
	return full/2 + rand.N(full/2+1) //nolint:gosec // jitter is no secret
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, 1e6)) * time.Second, true
	}
	at, err := http.ParseTime(text)
	return max(0, time.Until(at)), err == nil
}
