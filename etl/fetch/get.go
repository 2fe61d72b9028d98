package fetch

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Options tune a download. The zero value of every field means its default.
type Options struct {
	// Client sends the requests; default [http.DefaultClient]. Its CheckRedirect
	// is not used.
	Client *http.Client
	// Attempts is how often one call asks the server; default 8.
	Attempts int
	// Backoff is the pause after the first failure; default 1 second. It doubles
	// with each further one, and half of it is random.
	Backoff time.Duration
	// MaxWait is the longest pause, also where the server asks for one; default 2
	// minutes. A server that asks for more ends the download.
	MaxWait time.Duration
	// Idle is how long a transfer may stand still until it counts as broken;
	// default 1 minute.
	Idle time.Duration
	// MaxBytes is the largest file, packed or unpacked; default 512 MiB.
	MaxBytes int64
	// Progress is told how many bytes there are, and of how many; the total is 0
	// while it is not known.
	Progress func(done, total int64)
	// Wait pauses for d or until ctx ends; default by a timer.
	Wait func(ctx context.Context, d time.Duration) error
	// Logger is told of failures that are tried again; default none.
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	if d.Client == nil {
		d.Client = http.DefaultClient
	}
	if d.Attempts <= 0 {
		d.Attempts = 8
	}
	if d.Backoff <= 0 {
		d.Backoff = time.Second
	}
	if d.MaxWait <= 0 {
		d.MaxWait = 2 * time.Minute
	}
	if d.Idle <= 0 {
		d.Idle = time.Minute
	}
	if d.MaxBytes <= 0 {
		d.MaxBytes = 512 << 20
	}
	if d.Progress == nil {
		d.Progress = func(int64, int64) {}
	}
	if d.Wait == nil {
		d.Wait = pause
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// File is a file that was downloaded.
type File struct {
	Path     string   `json:"path"`
	Bytes    int64    `json:"bytes"`
	SHA256   string   `json:"sha256"`
	Verified bool     `json:"verified"` // the catalogue has the SHA-256; otherwise it was recorded only
	Cached   bool     `json:"cached"`   // it was there already
	Load     []string `json:"load"`     // what to load: the file, or what was taken out of the archive
}

// MismatchError says that a file is not the one that the catalogue describes.
type MismatchError struct {
	Edition   Edition
	Quantity  string // number of bytes, or SHA-256
	Want, Got string
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s: the file has another %s than the catalogue: %s, not %s. Either the transfer was tampered with or the publisher replaced the file: see %s; if it was replaced, put the new figure into a catalogue of your own",
		e.Edition, e.Quantity, e.Got, e.Want, e.Edition.page())
}

// Get downloads an edition into the folder dir, which it makes if need be. A file
// that is there already and has the SHA-256 of the catalogue, or else the one
// recorded beside it, is not downloaded again. Files of an archive are put beside
// it. What a call leaves unfinished is continued by the next.
func Get(ctx context.Context, e Edition, dir string, o *Options) (File, error) {
	if e.Address == "" {
		return File{}, fmt.Errorf("%w: no address of %s is known; it is on %s: download it by hand, or give its address in a catalogue of your own", egrid.ErrNotFound, e, e.page())
	}
	u, name, err := e.locate()
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", e, err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return File{}, err
	}
	d := &download{Options: o.withDefaults(), edition: e, url: u, target: filepath.Join(dir, name), sum: sha256.New()}
	f, err := d.existing()
	if err == nil && f.Path == "" {
		f, err = d.run(ctx)
	}
	if err != nil {
		return File{}, err
	}
	f.Verified = e.SHA256 != ""
	if f.Load = []string{f.Path}; e.Files != "" {
		f.Load, err = extract(f.Path, e.Files, d.MaxBytes)
	}
	return f, err
}

// download is one call of Get.
type download struct {
	Options
	edition Edition
	url     *url.URL
	target  string

	part      *os.File  // what has arrived
	sum       hash.Hash // of it
	done      int64     // its length
	total     int64     // 0: not known
	validator string    // what If-Range says; empty: it cannot be continued
}

func (d *download) partName() string  { return d.target + ".part" }
func (d *download) stateName() string { return d.target + ".part.state" }
func (d *download) sumName() string   { return d.target + ".sha256" }

// existing returns the file of an earlier call, or none.
func (d *download) existing() (File, error) {
	got, n, err := hashFile(d.target)
	if errors.Is(err, os.ErrNotExist) {
		return File{}, nil
	}
	if err != nil {
		return File{}, err
	}
	want := d.edition.SHA256
	if want == "" {
		recorded, err := os.ReadFile(d.sumName())
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return File{}, err
		}
		want, _, _ = strings.Cut(string(recorded), " ")
	}
	if got != want {
		return File{}, fmt.Errorf("%w: %s is there already and is not %s as it was fetched; move it away, or fetch into another folder", egrid.ErrConflict, d.target, d.edition)
	}
	return File{Path: d.target, Bytes: n, SHA256: got, Cached: true}, nil
}

// run downloads the file, and leaves what a later call can continue.
func (d *download) run(ctx context.Context) (File, error) {
	var err error
	if d.part, err = os.OpenFile(d.partName(), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return File{}, err
	}
	defer d.part.Close()
	if err := d.claim(); err != nil {
		return File{}, err
	}
	f, err := d.fill(ctx)
	if err != nil && d.done == 0 {
		err = errors.Join(err, d.release(func() error { return errors.Join(remove(d.stateName()), remove(d.partName())) }))
	}
	return f, err
}

// release closes the part and does the last thing to it: before that where the
// lock is, so that no other call sees it in between.
func (d *download) release(last func() error) error {
	if locks {
		return errors.Join(last(), d.part.Close())
	}
	return errors.Join(d.part.Close(), last())
}

func (d *download) fill(ctx context.Context) (File, error) {
	if err := d.resume(); err != nil {
		return File{}, err
	}
	for attempt := 1; ; attempt++ {
		err := d.try(ctx)
		if err == nil {
			return d.finish()
		}
		if ctx.Err() != nil {
			return File{}, fmt.Errorf("%s: %w; what has arrived is kept, and continued by the next call", d.edition, context.Cause(ctx))
		}
		var again *transientError
		if !errors.As(err, &again) || attempt >= d.Attempts {
			return File{}, fmt.Errorf("%s from %s: %w", d.edition, shown(d.url), err)
		}
		wait := d.Backoff << min(attempt-1, 10)
		if wait = min(wait, d.MaxWait); wait > 1 {
			wait = wait/2 + rand.N(wait/2) //nolint:gosec // G404: a pause is no secret
		}
		if wait = max(wait, again.after); wait > d.MaxWait {
			return File{}, fmt.Errorf("%s from %s: %w, and asks to wait for %s", d.edition, shown(d.url), err, wait)
		}
		d.Logger.WarnContext(ctx, "the download failed and is tried again", "edition", d.edition.String(), "error", err, "wait", wait, "bytes", d.done)
		if err := d.Wait(ctx, wait); err != nil {
			return File{}, fmt.Errorf("%s: %w; what has arrived is kept, and continued by the next call", d.edition, err)
		}
	}
}

// claim makes sure that no other call writes into the part, or has just given it
// its name.
func (d *download) claim() error {
	ours, err := lock(d.part)
	if err != nil {
		return fmt.Errorf("lock %s: %w", d.partName(), err)
	}
	opened, err := d.part.Stat()
	if err != nil {
		return err
	}
	if there, err := os.Stat(d.partName()); !ours || err != nil || !os.SameFile(opened, there) {
		return fmt.Errorf("%w: %s is being downloaded already; try again when that has ended", egrid.ErrConflict, d.target)
	}
	return nil
}

// resume takes up what an earlier call left.
func (d *download) resume() error {
	state, err := os.ReadFile(d.stateName())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	of, validator, _ := strings.Cut(string(state), "\n")
	if of != d.addressID() || validator == "" {
		return d.restart("")
	}
	d.validator = validator
	d.done, err = io.Copy(d.sum, d.part)
	return err
}

// addressID stands for the address, which may hold a secret, in the state.
func (d *download) addressID() string {
	sum := sha256.Sum256([]byte(d.edition.Address))
	return hex.EncodeToString(sum[:])
}

// restart forgets what has arrived.
func (d *download) restart(validator string) error {
	d.sum.Reset()
	d.done, d.total, d.validator = 0, 0, validator
	if err := d.part.Truncate(0); err != nil {
		return err
	}
	if _, err := d.part.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return os.WriteFile(d.stateName(), []byte(d.addressID()+"\n"+validator), 0o600)
}

// transientError is a failure that may be gone at the next attempt.
type transientError struct {
	error
	after time.Duration // what the server asks for
}

func (e *transientError) Unwrap() error { return e.error }

func transient(format string, args ...any) error {
	return &transientError{error: fmt.Errorf(format, args...)}
}

var errIdle = errors.New("the transfer stood still")

// try asks the server once, for what is missing.
func (d *download) try(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	idle := time.AfterFunc(d.Idle, func() { cancel(errIdle) })
	defer idle.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.edition.Address, nil)
	if err != nil {
		return fmt.Errorf("%w: the address is no URL", egrid.ErrInvalid)
	}
	req.Header.Set("User-Agent", "egrid-go (+https://github.com/egrid-analytics/egrid-go)") // EPA's servers refuse requests without one
	req.Header.Set("Accept-Encoding", "identity")                                           // ranges are of the file's own bytes
	if d.done > 0 && d.validator != "" {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.done))
		req.Header.Set("If-Range", d.validator)
	}
	client := *d.Client
	client.CheckRedirect = checkRedirect
	res, err := client.Do(req)
	if err != nil {
		return requestError(ctx, err)
	}
	defer res.Body.Close()

	switch {
	case res.StatusCode == http.StatusOK:
		if err := d.restart(validatorOf(res)); err != nil {
			return err
		}
		d.total = max(res.ContentLength, 0)
	case res.StatusCode == http.StatusPartialContent && d.continues(res):
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable && d.complete(res):
		return nil
	case res.StatusCode == http.StatusPartialContent, res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		if err := d.restart(""); err != nil {
			return err
		}
		return transient("the server cannot continue what was begun (%s)", status(res))
	default:
		return refusal(res, d.edition)
	}
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return fmt.Errorf("the server sends the file compressed by %q, unasked", encoding)
	}
	if d.total > d.MaxBytes {
		return fmt.Errorf("the file has %d bytes; at most %d are taken", d.total, d.MaxBytes)
	}
	return d.copy(ctx, res.Body, idle)
}

// copy appends the body to the part.
func (d *download) copy(ctx context.Context, body io.Reader, idle *time.Timer) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := body.Read(buffer)
		idle.Reset(d.Idle)
		if d.done+int64(n) > d.MaxBytes {
			return errors.Join(fmt.Errorf("the file has more than %d bytes", d.MaxBytes), d.restart(""))
		}
		if _, err := d.part.Write(buffer[:n]); err != nil {
			return err
		}
		d.sum.Write(buffer[:n])
		d.done += int64(n)
		d.Progress(d.done, d.total)
		switch {
		case err == io.EOF && d.done < d.total:
			return transient("the transfer ended after %d of %d bytes", d.done, d.total)
		case err == io.EOF:
			return nil
		case err != nil:
			return transient("the transfer broke after %d bytes: %w", d.done, causeOf(ctx, err))
		}
	}
}

// continues says whether a 206 is the rest of what has arrived.
func (d *download) continues(res *http.Response) bool {
	var from, to int64
	var total string
	if _, err := fmt.Sscanf(res.Header.Get("Content-Range"), "bytes %d-%d/%s", &from, &to, &total); err != nil || from != d.done {
		return false
	}
	if v := validatorOf(res); v != "" && v != d.validator {
		return false
	}
	n, _ := strconv.ParseInt(total, 10, 64) // * where it is not known
	if d.total != 0 && n != 0 && n != d.total {
		return false
	}
	d.total = max(n, d.total)
	return true
}

// complete says whether a 416 means that everything has arrived: a server that
// sees another file under the validator ignores the range instead.
func (d *download) complete(res *http.Response) bool {
	total, ok := strings.CutPrefix(res.Header.Get("Content-Range"), "bytes */")
	n, err := strconv.ParseInt(total, 10, 64)
	return ok && err == nil && n == d.done && d.validator != ""
}

// validatorOf is what If-Range may say of a response: a strong ETag, else the
// date of the last change.
func validatorOf(res *http.Response) string {
	if tag := res.Header.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return res.Header.Get("Last-Modified")
}

var errRedirect = errors.New("the server redirects")

func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > 5 {
		return fmt.Errorf("%w more than 5 times", errRedirect)
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("%w from https to http, where anybody could change the file", errRedirect)
	}
	req.Header.Del("Referer") // it has the query
	return nil
}

// requestError tells failures that last from those of the network.
func requestError(ctx context.Context, err error) error {
	var u *url.Error // quotes the address
	if errors.As(err, &u) {
		err = u.Err
	}
	err = causeOf(ctx, err)
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	if errors.Is(err, errRedirect) || errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &dns) && dns.IsNotFound {
		return err
	}
	return transient("no answer: %w", err)
}

func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// refusal is the error of a status that brings no file.
func refusal(res *http.Response, e Edition) error {
	switch code := res.StatusCode; {
	case code == http.StatusNotFound || code == http.StatusGone:
		return fmt.Errorf("%w: the server has nothing there (%s); publishers move their files: look for it on %s, and give the new address in a catalogue of your own", egrid.ErrNotFound, status(res), e.page())
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code >= 500:
		return &transientError{error: fmt.Errorf("the server answers %s", status(res)), after: retryAfter(res.Header)}
	}
	return fmt.Errorf("the server answers %s", status(res))
}

// status is the status in our words: the server's may hold anything.
func status(res *http.Response) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode)))
}

// retryAfter reads how long the server asks to wait: seconds, or a time, which
// is compared with the server's own clock.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return time.Duration(min(n, 1<<30)) * time.Second
	}
	at, err := http.ParseTime(text)
	now, err2 := http.ParseTime(h.Get("Date"))
	if err != nil || err2 != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}

// finish checks what has arrived, records its SHA-256 and gives it its name.
func (d *download) finish() (File, error) {
	if err := d.check(); err != nil {
		d.done = 0 // nothing of it is kept
		return File{}, err
	}
	if err := d.part.Sync(); err != nil {
		return File{}, err
	}
	f := File{Path: d.target, Bytes: d.done, SHA256: hex.EncodeToString(d.sum.Sum(nil))}
	got, _, err := hashFile(d.partName())
	if err != nil {
		return File{}, err
	}
	if got != f.SHA256 {
		return File{}, fmt.Errorf("%w: %s was written by somebody else meanwhile; fetch again when nothing else does", egrid.ErrConflict, d.partName())
	}
	record := f.SHA256 + "  " + filepath.Base(d.target) + "\n"
	if err := os.WriteFile(d.sumName(), []byte(record), 0o600); err != nil {
		return File{}, err
	}
	return f, d.release(func() error { return errors.Join(remove(d.stateName()), os.Rename(d.partName(), d.target)) })
}

// check says whether what has arrived is a workbook, and the one of the catalogue.
func (d *download) check() error {
	head := make([]byte, 512)
	n, err := d.part.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return err
	}
	head = head[:n]
	if kind := http.DetectContentType(head); strings.HasPrefix(kind, "text/html") || strings.HasPrefix(kind, "text/xml") {
		return fmt.Errorf("%w: %s: the address answers a web page, not a workbook; see %s, and give the new address in a catalogue of your own", egrid.ErrNotFound, d.edition, d.edition.page())
	}
	switch extension := strings.ToLower(filepath.Ext(d.target)); {
	case extension == ".xls" && !bytes.HasPrefix(head, []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")):
		return fmt.Errorf("%s: what the address answers is no .xls workbook", d.edition)
	case extension == ".xlsx" || extension == ".zip":
		if _, err := zip.NewReader(d.part, d.done); err != nil { // its directory stands at the end
			return fmt.Errorf("%s: what the address answers is no whole %s file: %w", d.edition, extension, err)
		}
	}
	if want := d.edition.Bytes; want != 0 && want != d.done {
		return &MismatchError{Edition: d.edition, Quantity: "number of bytes", Want: strconv.FormatInt(want, 10), Got: strconv.FormatInt(d.done, 10)}
	}
	if want, got := d.edition.SHA256, hex.EncodeToString(d.sum.Sum(nil)); want != "" && want != got {
		return &MismatchError{Edition: d.edition, Quantity: "SHA-256", Want: want, Got: got}
	}
	return nil
}

func remove(name string) error {
	if err := os.Remove(name); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func hashFile(name string) (sum string, n int64, err error) {
	f, err := os.Open(name) //nolint:gosec // G304: the caller chooses the folder
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), n, err
}
