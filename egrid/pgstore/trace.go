package pgstore

import (
	"context"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// tracer makes statements spans, where somebody records spans. Their arguments are left out.
type tracer struct{}

type statementKey struct{}

// TraceQueryStart implements [pgx.QueryTracer].
func (tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	step, end := sqlStep(ctx, q.SQL)
	if step == ctx {
		return ctx
	}
	return context.WithValue(step, statementKey{}, end)
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	if end, ok := ctx.Value(statementKey{}).(func(error)); ok {
		end(q.Err)
	}
}

// maxStatement is how much of a statement is told: one that names numbers of rows may be long.
const maxStatement = 2000

func sqlStep(ctx context.Context, statement string) (context.Context, func(error)) {
	return trace.Step(ctx, "SQL", trace.Client, slog.String("db.system.name", "postgresql"), slog.String("db.query.text", statement[:min(len(statement), maxStatement)]))
}
