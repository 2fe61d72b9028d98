package middleware

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/egrid-analytics/egrid-go/httpapi/wire"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Recover turns a panic into a 500 without detail, and logs it with the
// request id. When the answer has begun already, and for
// [http.ErrAbortHandler], it breaks the connection.
func Recover(next http.Handler, log *slog.Logger) http.Handler {
	if log != nil {
		log = trace.Logger(log)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		track, ok := w.(*tracker) // of [Observe]
		if !ok {
			track = &tracker{ResponseWriter: w}
		}
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			if log != nil {
				log.ErrorContext(r.Context(), "panic in a request", "request_id", RequestID(r.Context()),
					"method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			if track.status != 0 {
				panic(http.ErrAbortHandler)
			}
			wire.NewProblem(r, http.StatusInternalServerError, WentWrong(r)).Write(w)
		}()
		next.ServeHTTP(track, r)
	})
}

// WentWrong is what a client is told of an error that is not its own: where the
// log has more.
func WentWrong(r *http.Request) string {
	return "something went wrong here; the log has more under this request id: " + RequestID(r.Context())
}
