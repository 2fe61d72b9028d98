package service

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/s3source"
	"github.com/egrid-analytics/egrid-go/etl/schedule"
)

// Scheduling are the flags of when a service runs by itself.
type Scheduling struct {
	Schedule        string        `help:"When to look for something new: five fields as in cron(5), @daily, @every 15m, with TZ=Europe/Berlin before it for a time zone; or once." default:"@every 1m" placeholder:"WHEN"`
	ScheduleName    string        `help:"Name of the schedule. Of several services with one name and one PostgreSQL store, one makes the runs. Default: the sources, and the host where they are files." placeholder:"NAME"`
	Jitter          time.Duration `help:"Delay each run of the schedule by a time up to this." default:"0s"`
	NotifyTokenFile string        `help:"File with the token that a bucket sends with its notifications. The token itself may be in EGRID_NOTIFY_TOKEN. Default: none, and no notifications." type:"path" placeholder:"FILE"`
}

// Once is the schedule of a single run.
const Once = "once"

// never is a schedule without a second run.
type never struct{}

func (never) Next(time.Time) time.Time { return time.Time{} }

// Parse reads the schedule.
func (s *Scheduling) Parse() (etl.Schedule, error) {
	if s.Schedule == Once {
		return never{}, nil
	}
	parsed, err := schedule.Parse(s.Schedule)
	if err != nil {
		return nil, fmt.Errorf("%w; or write %s", err, Once)
	}
	return parsed, nil
}

// Name is that of the schedule of sources. Files are those of a host: another
// host has others under the same path.
func (s *Scheduling) Name(sources []string) string {
	if s.ScheduleName != "" {
		return s.ScheduleName
	}
	var names []string
	local := false
	for _, name := range sources {
		if !strings.Contains(name, "://") {
			local = true
			if path, err := filepath.Abs(name); err == nil {
				name = path
			}
		}
		names = append(names, name)
	}
	if host, err := os.Hostname(); local && err == nil {
		names = append(names, "on "+host)
	}
	return strings.Join(names, " ")
}

// Token reads the token of notifications; empty where there is none.
func (s *Scheduling) Token() (string, error) {
	token, err := secretOf("the token of notifications", s.NotifyTokenFile, notifyVariable)
	if err == nil && token != "" && len(token) < minToken {
		err = fmt.Errorf("%w: the token of notifications has less than %d characters; make one by openssl rand -hex 32", egrid.ErrInvalid, minToken)
	}
	return token, err
}

const (
	minToken         = 16
	maxNotification  = 1 << 20
	notificationPath = "/notifications"
)

// MountNotifications takes a bucket's notifications at /notifications, from whoever
// sends the token: as MinIO does that has it as auth_token. One that is about an
// object of the sources asks for a run. An empty token mounts nothing.
func (p *Process) MountNotifications(mux *http.ServeMux, ask func(context.Context) error, sources []string, token string) {
	if token == "" {
		return
	}
	want := sha256.Sum256([]byte(token))
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, got, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		sum := sha256.Sum256([]byte(strings.TrimSpace(got)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="egrid notifications"`)
			http.Error(w, "the token of notifications is missing or another one: send it as Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxNotification))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "a notification has 1 MiB at most", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "the notification broke off", http.StatusBadRequest)
			return
		}
		events, err := s3source.ReadEvents(body)
		if err != nil {
			p.Log.WarnContext(r.Context(), "a notification was refused", "error", err)
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		ours := 0
		for _, e := range events {
			for _, source := range sources {
				if e.In(source) {
					ours++
					p.Log.InfoContext(r.Context(), "a bucket told of an object", "event", e.Name, "bucket", e.Bucket, "key", e.Key, "bytes", e.Size)
					break
				}
			}
		}
		if ours > 0 {
			if err := ask(r.Context()); err != nil { // the sender tries again
				p.Log.ErrorContext(r.Context(), "a notification was not written down", "error", err)
				http.Error(w, "the notification could not be written down; send it again", http.StatusServiceUnavailable)
				return
			}
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintf(w, "%d of %d objects are of the sources\n", ours, len(events))
	})
	mux.Handle("POST "+notificationPath, p.Observe(h))
}
