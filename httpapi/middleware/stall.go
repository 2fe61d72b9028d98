package middleware

import (
	"net/http"
	"time"
)

// stallGuard breaks an answer off of which the client takes nothing for some
// time, and leaves those alone that take long.
type stallGuard struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	end     time.Time // when any answer ends; zero for never
	writes  bool      // a deadline counts at a write alone, as in HTTP/1: there is no need to lift it
	hurried time.Time
}

// LimitStalls breaks an answer off of which the client takes nothing for some
// time, and whatever takes longer than the whole; 0 is no bound. It sets the
// deadlines of the connection: apply it outside of what else may write.
func LimitStalls(next http.Handler, stall, whole time.Duration) http.Handler {
	if stall <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := &stallGuard{ResponseWriter: w, control: http.NewResponseController(w), stall: stall, writes: r.ProtoMajor == 1}
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
	now := time.Now()
	if g.writes && now.Sub(g.hurried) < g.stall/16 {
		return // what is set will do
	}
	g.hurried = now
	soon := now.Add(g.stall)
	if !g.end.IsZero() && g.end.Before(soon) {
		soon = g.end
	}
	_ = g.control.SetWriteDeadline(soon)
}

func (g *stallGuard) relax() {
	if !g.writes {
		_ = g.control.SetWriteDeadline(g.end)
	}
}

// Unwrap lets [http.ResponseController] reach the connection.
func (g *stallGuard) Unwrap() http.ResponseWriter { return g.ResponseWriter }
