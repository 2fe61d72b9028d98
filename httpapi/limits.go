package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What New allows of a URL. Cursors are of 8 KiB at most.
const (
	maxURLBytes      = 16 << 10
	maxURLParameters = 100
)

// LimitURL refuses URLs of more than some bytes, by 414, and those with more than
// some query parameters, by 400.
func LimitURL(next http.Handler, bytes, parameters int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var p = problem(r, http.StatusRequestURITooLong, fmt.Sprintf("a URL has at most %d bytes", bytes))
		switch {
		case len(requestURI(r)) > bytes:
		case strings.Count(r.URL.RawQuery, "&") >= parameters:
			p = faulty(r, fault("query", nil, fmt.Sprintf("at most %d parameters are read", parameters)))
		default:
			next.ServeHTTP(w, r)
			return
		}
		p.Instance = "" // it would send everything back
		writeProblem(w, p)
	})
}

// secretParameters are names under which credentials stand in URLs by mistake:
// there is no such parameter here.
var secretParameters = map[string]bool{
	"access_token": true, "token": true, "id_token": true, "jwt": true, "api_key": true, "apikey": true, "api-key": true, "x-api-key": true,
	"key": true, "secret": true, "client_secret": true, "password": true, "authorization": true,
}

// maxLoggedQuery bounds what a log line has of a query.
const maxLoggedQuery = 2048

// loggable is a query string without what may be a credential.
func loggable(query string) string {
	if strings.IndexByte(query, '=') >= 0 {
		query = hideSecrets(query)
	}
	if len(query) > maxLoggedQuery {
		query = query[:maxLoggedQuery] + "..."
	}
	return query
}

func hideSecrets(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		name, _, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil || secretParameters[strings.ToLower(plain)] {
			pairs[i] = name + "=-"
		}
	}
	return strings.Join(pairs, "&")
}

// stallGuard breaks an answer off of which the client takes nothing for some
// time, and leaves those alone that take long.
type stallGuard struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	end     time.Time // when any answer ends; zero for never
}

// limitStalls guards the answers of next.
func limitStalls(next http.Handler, stall, whole time.Duration) http.Handler {
	if stall <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := &stallGuard{ResponseWriter: w, control: http.NewResponseController(w), stall: stall}
		if whole > 0 {
			g.end = time.Now().Add(whole)
		}
		next.ServeHTTP(g, r)
		g.hurry() // what is left is written behind the handler
	})
}

// Write gives the client some time to take what is written.
func (g *stallGuard) Write(b []byte) (int, error) {
	g.hurry()
	n, err := g.ResponseWriter.Write(b)
	g.relax()
	return n, err
}

// FlushError does the same with what waits to be sent.
func (g *stallGuard) FlushError() error {
	g.hurry()
	err := g.control.Flush()
	g.relax()
	return err
}

// hurry and relax ignore that a writer knows no deadlines: then it has no
// connection either.
func (g *stallGuard) hurry() {
	soon := time.Now().Add(g.stall)
	if !g.end.IsZero() && g.end.Before(soon) {
		soon = g.end
	}
	_ = g.control.SetWriteDeadline(soon)
}

func (g *stallGuard) relax() { _ = g.control.SetWriteDeadline(g.end) }

// Unwrap lets [http.ResponseController] reach the connection.
func (g *stallGuard) Unwrap() http.ResponseWriter { return g.ResponseWriter }
