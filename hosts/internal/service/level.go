package service

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/auth"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// Level is the level of a log, which may be changed while the program runs. It is safe for
// concurrent use.
type Level struct {
	level slog.LevelVar

	mu     sync.Mutex
	back   *time.Timer // nil unless the level is changed for a time
	until  time.Time
	former slog.Level // what it goes back to
}

// NewLevel returns a level of info.
func NewLevel() *Level { return &Level{} }

// Var is what handlers of logs ask.
func (l *Level) Var() *slog.LevelVar { return &l.level }

// Set changes the level: for a time, after which it is again what it was before, or for good
// where the time is 0. It takes the place of changes before.
func (l *Level) Set(level slog.Level, during time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.back != nil {
		l.back.Stop()
	} else {
		l.former = l.level.Level()
	}
	l.back, l.until = nil, time.Time{}
	l.level.Set(level)
	if during <= 0 {
		return
	}
	l.until = time.Now().Add(during)
	var timer *time.Timer
	timer = time.AfterFunc(during, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.back != timer { // another change came in between
			return
		}
		l.back, l.until = nil, time.Time{}
		l.level.Set(l.former)
	})
	l.back = timer
}

// levelState is the answer.
type levelState struct {
	Level string     `json:"level"`
	Until *time.Time `json:"until,omitempty"` // when it is Then again
	Then  string     `json:"then,omitempty"`
}

func (l *Level) state() levelState {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := levelState{Level: levelName(l.level.Level())}
	if l.back != nil {
		until := l.until.UTC()
		s.Until, s.Then = &until, levelName(l.former)
	}
	return s
}

func levelName(l slog.Level) string { return strings.ToLower(l.String()) }

// maxLevelTime is how long a change may hold that ends by itself.
const maxLevelTime = 7 * 24 * time.Hour

// levelOf reads the parameters level and for.
func levelOf(r *http.Request) (level slog.Level, during time.Duration, err error) {
	q := r.URL.Query()
	for name := range q {
		if name != "level" && name != "for" {
			return 0, 0, fmt.Errorf("there is no parameter %q; there are level and for", name)
		}
	}
	name := q.Get("level")
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, name) {
		return 0, 0, fmt.Errorf("level is %q; give debug, info, warn or error", name)
	}
	_ = level.UnmarshalText([]byte(name)) // one of the four
	if text := q.Get("for"); text != "" {
		if during, err = time.ParseDuration(text); err != nil || during <= 0 || during > maxLevelTime {
			return 0, 0, fmt.Errorf("for is %q; give a time as 10m or 2h, %s at most", text, maxLevelTime)
		}
	}
	return level, during, nil
}

// Mount serves GET and PUT /log-level to those who have scope admin; to nobody where by is nil.
func (l *Level) Mount(mux *http.ServeMux, by middleware.Authenticator, log *slog.Logger) {
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodPut:
			w.Header().Set("Allow", "GET, PUT")
			wire.NewProblem(r, http.StatusMethodNotAllowed, "GET tells the level, PUT sets it").Write(w)
			return
		case !middleware.Allow(w, r, middleware.ScopeAdmin):
			return
		case r.Method == http.MethodPut:
			level, during, err := levelOf(r)
			if err != nil {
				wire.NewProblem(r, http.StatusBadRequest, err.Error()).Write(w)
				return
			}
			tell := func() {
				log.WarnContext(r.Context(), "log level changed", "level", levelName(level), "for", during.String(), "subject", middleware.IdentityOf(r.Context()).Subject)
			}
			if level > l.level.Level() { // at which it might not be told
				tell()
				l.Set(level, during)
			} else {
				l.Set(level, during)
				tell()
			}
		}
		w.Header().Set("Content-Type", wire.TypeJSON)
		_ = json.NewEncoder(w).Encode(l.state()) // the client may be gone
	}))
	h = middleware.Admit(h, false, func(string) bool { return true }, log)
	mux.Handle("/log-level", middleware.Identify(h, by, ""))
}

// MountLevel serves the level of the service's log.
func (p *Process) MountLevel(mux *http.ServeMux, by middleware.Authenticator) {
	p.Level.Mount(mux, by, p.Log)
}

// Keys are the flags of API keys.
type Keys struct {
	APIKeysFile string `help:"File with the SHA-256 of API keys: a line for each, of name, scopes and hash. The lines may also be in EGRID_API_KEYS." type:"path" placeholder:"FILE"`
}

func (k *Keys) read() ([]auth.APIKey, error) {
	list, err := secretOf("the API keys", k.APIKeysFile, apiKeysVariable)
	if err != nil {
		return nil, err
	}
	return auth.ReadAPIKeys(strings.NewReader(list))
}

// MountLevel serves the level of a service's log to those who have a key with scope admin.
func (k *Keys) MountLevel(p *Process, mux *http.ServeMux) error {
	keys, err := k.read()
	if err != nil {
		return err
	}
	var by middleware.Authenticator
	if len(keys) > 0 {
		who, err := auth.New(&auth.Options{APIKeys: keys, Logger: p.Log})
		if err != nil {
			return fmt.Errorf("%w: %w", egrid.ErrInvalid, err)
		}
		by = who.Authenticate
	}
	p.MountLevel(mux, by)
	return nil
}
