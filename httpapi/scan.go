package httpapi

import (
	"encoding/base64"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// scanOperation answers plans: what makes a scanner of the Go client.
func (a *api) scanOperation() {
	a.register(operation{
		id: "scan", path: "/scan", tag: "store", summary: "Rows or groups in the form in which programs keep them",
		details: "For Go programs, which package httpapi/client spares the details: the answer to a plan, made over /catalog, as encoded batches, each behind its length as a varint, with a length of 0 behind the last. A plan names snapshots, so the answer never changes.",
		params: []parameter{{name: "plan", doc: "Key of the plan, in base64url.",
			schema: huma.Schema{MaxLength: new(maxURLBytes - 1024), Pattern: `^[A-Za-z0-9_-]+$`, PatternDescription: "base64url"}, required: true}},
		stream: a.scan, streams: formatBatches,
	})
}

func (a *api) scan(w http.ResponseWriter, in *request) error {
	key, err := base64.RawURLEncoding.DecodeString(in.text("plan"))
	if err != nil {
		wire.Faulty(in.http, fault("query.plan", nil, "expected base64url")).Write(w)
		return nil
	}
	p, err := driver.ParsePlan(key, in.data.catalog)
	if err != nil {
		return err
	}
	h, etag := w.Header(), contentTag(append([]byte(a.o.Version+"\n"), key...))
	who := "public, "
	if a.o.RequireAuth {
		who = "private, "
	}
	h.Set("Cache-Control", who+"max-age=31536000, immutable")
	h.Set("Etag", etag)
	if matches(in.http, etag) {
		notModified(w)
		return nil
	}
	begun, rows := false, 0
	var buffer []byte
	for b, err := range in.data.db.Scan(in.http.Context(), p) {
		if err == nil && middleware.IsHead(in.http) {
			break
		}
		if err == nil {
			h.Set("Content-Type", wire.TypeBatches)
			begun, rows = true, rows+b.Len()
			buffer = wire.AppendBatch(buffer[:0], b)
			_, err = w.Write(buffer)
		}
		switch {
		case err == nil:
		case begun:
			a.abort(in.http, rows, err)
		default:
			return err
		}
	}
	h.Set("Content-Type", wire.TypeBatches)
	if _, err := w.Write(wire.AppendEnd(buffer[:0])); err != nil {
		a.abort(in.http, rows, err)
	}
	return nil
}
