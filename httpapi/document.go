package httpapi

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/middleware"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// writtenDocument is a form of the OpenAPI document, plain and compressed.
type writtenDocument struct {
	plain, zipped []byte
}

// documentOperations serves the OpenAPI document, which is complete by now. It
// is written out when it is first asked for.
func (a *api) documentOperations() {
	document := a.huma.OpenAPI()
	a.document("/openapi.json", "application/openapi+json", document.MarshalJSON)
	a.document("/openapi.yaml", "application/openapi+yaml", document.YAML)
}

func (a *api) document(path, contentType string, write func() ([]byte, error)) {
	written := sync.OnceValue(func() writtenDocument {
		b, err := write()
		if err != nil {
			panic(err) // made of constants
		}
		return writtenDocument{plain: b, zipped: compress(b)}
	})
	a.router.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		middleware.SetRoute(r, path)
		body, h := written().plain, w.Header()
		h.Add("Vary", "Accept-Encoding")
		h.Set("Content-Type", contentType)
		h.Set("Cache-Control", "no-cache")
		if acceptsGzip(r) {
			body = written().zipped
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		h.Set("Etag", contentTag(body))
		if matches(r, h.Get("Etag")) {
			notModified(w)
			return
		}
		_, _ = w.Write(body) // the client may be gone
	}).Methods(http.MethodGet)
}

// documentTypes says how types are described that are not what Go makes of them.
func (a *api) documentTypes() {
	types := a.huma.OpenAPI().Components.Schemas
	types.RegisterTypeAlias(typeOf[huma.ErrorModel](), typeOf[wire.Problem]())
	types.RegisterTypeAlias(typeOf[egrid.Value](), typeOf[any]())
	types.RegisterTypeAlias(typeOf[egrid.Schema](), typeOf[[]any]())
}

// refusals are what the statuses mean, with an example of a detail.
var refusals = map[string]struct{ description, detail string }{
	"400": {"A parameter is unknown, or its value cannot be; errors names each.", "limit: expected number >= 1"},
	"401": {"Credentials are missing, or not accepted.", "credentials with scope read are needed"},
	"403": {"The credentials do not allow it.", "scope write is needed, which these credentials do not have"},
	"404": {"No such plant, region, ZIP code, column, data year, release or snapshot.", `no plant "99999" in data year 2023`},
	"406": {"The answer does not come as what the header Accept names.", "this answer does not come as what the header Accept names, but as json"},
	"409": {"It cannot be done in the state that things are in, or a sheet has several rows for a place.", "run 20250701T120000Z-k3x9qa is under way"},
	"410": {"A snapshot of the cursor or of the permanent address was pruned. What was read is of the data before: begin again with the same request without a cursor and a snapshot.", "snapshot 0f3a5c7e9b1d2f4a6c8e0b2d was published once and is kept no more; the cursor reads it: start again from the first page"},
	"413": {"The body is too long.", "a request body has at most 1048576 bytes"},
	"414": {"The address is too long.", "a URL has at most 16384 bytes"},
	"415": {"The body is not JSON.", "the body is JSON: send it with the header Content-Type: application/json"},
	"429": {"Asked too often; Retry-After says when to go on.", "too many requests"},
	"500": {"Something went wrong here.", "something went wrong here; the log has more under this request id: 7c1e"},
	"503": {"The data cannot be reached at the moment.", "the answer took too long"},
}

// documentRefusals says what each status means for an operation.
func documentRefusals(d *huma.Operation) {
	d.Responses["431"] = &huma.Response{
		Description: "Address and headers together are too long for the server, which says so before the API is asked.",
		Content:     map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	for code, refusal := range refusals {
		response := d.Responses[code]
		if response == nil || response.Content["application/problem+json"] == nil {
			continue
		}
		status, err := strconv.Atoi(code)
		if err != nil {
			panic(err) // a number, above
		}
		response.Description = refusal.description
		response.Content["application/problem+json"].Example = wire.Problem{
			Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: refusal.detail, Instance: exampleTargets[d.OperationID],
		}
	}
}

// documentTags are the groups of operations, in the order of their use.
func documentTags() []*huma.Tag {
	return []*huma.Tag{
		{Name: "plants", Description: "Plants: the PLNT sheet or, where it is not loaded, sums of generators."},
		{Name: "factors", Description: "Emission factors, and what a number follows from."},
		{Name: "levels", Description: "The sheets of the workbook, from units to the United States, and the crosswalk of ZIP codes."},
		{Name: "dictionary", Description: "Every column: its name, EPA's code, unit and meaning."},
		{Name: "store", Description: "What is loaded, and from what."},
		{Name: "runs", Description: "Loads: started, followed, and decided on when they are held."},
		{Name: "health", Description: "Probes."},
	}
}
