package trace_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// A request comes in, another one goes out, and what is logged meanwhile has the
// trace's id.
func Example() {
	in := http.Header{}
	in.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

	sender, _ := trace.FromHeader(in)
	ctx := trace.NewContext(context.Background(), sender.Child())

	out := http.Header{}
	trace.FromContext(ctx).SetHeader(out)
	fmt.Println(out.Get("traceparent")[:36] + "...")

	log := trace.Logger(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == trace.LogSpanID { // which differ each time
			return slog.Attr{}
		}
		return a
	}})))
	log.InfoContext(ctx, "asked")
	// Output:
	// 00-0af7651916cd43dd8448eb211c80319c-...
	// level=INFO msg=asked trace_id=0af7651916cd43dd8448eb211c80319c
}
