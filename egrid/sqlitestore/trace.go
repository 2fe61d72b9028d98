package sqlitestore

import (
	"context"
	"log/slog"

	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// maxStatement is how much of a statement is told.
const maxStatement = 2000

// sqlStep makes a statement a span, where somebody records spans. Its arguments are left out.
func sqlStep(ctx context.Context, statement string) (context.Context, func(error)) {
	return trace.Step(ctx, "SQL", trace.Client, slog.String("db.system.name", "sqlite"), slog.String("db.query.text", statement[:min(len(statement), maxStatement)]))
}
