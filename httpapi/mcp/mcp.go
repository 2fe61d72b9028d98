package mcp

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Options configures a server. The zero value of every field means its default.
type Options struct {
	Version string       // of the service, told to clients; default "dev"
	Logger  *slog.Logger // takes panics and complaints of the protocol; default none
}

const instructions = "Figures of EPA's eGRID: what power plants of the United States generate and emit, and emission factors of electricity. " +
	"Begin with catalogue, which says what data years and releases are loaded. Figures have a data year, a release and a unit (meta.units); null is missing, and not 0. " +
	"Figures of different releases do not add up. Quote a figure with its unit, and with the citation or the permanent link of its answer."

// New returns a server with the tools over an API, as [httpapi.New] makes it. The
// caller connects it, and may add tools of its own.
//
// [httpapi.New]: https://pkg.go.dev/github.com/egrid-analytics/egrid-go/httpapi#New
func New(api http.Handler, o *Options) *sdk.Server {
	if o == nil {
		o = &Options{}
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	server := sdk.NewServer(&sdk.Implementation{Name: "egrid", Title: "eGRID", Version: cmp.Or(o.Version, "dev")},
		&sdk.ServerOptions{Instructions: instructions, Logger: log, Capabilities: &sdk.ServerCapabilities{Tools: &sdk.ToolCapabilities{}}})
	asked := &asked{api: api, log: log}
	for _, t := range tools() {
		server.AddTool(t.declare(), func(ctx context.Context, r *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return asked.call(ctx, &t, r.Params.Arguments), nil
		})
	}
	return server
}

// Serve answers one client, on a reader and a writer such as standard input and
// output, until the reader ends or ctx does. It returns what went wrong otherwise.
func Serve(ctx context.Context, server *sdk.Server, in io.Reader, out io.Writer) error {
	err := server.Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(in), Writer: unclosed{out}})
	if errors.Is(err, io.EOF) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// unclosed is a writer that its owner closes.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// Handler answers the streamable HTTP transport over an API with the default
// options: what httpapi.Options.MCP takes.
func Handler(api http.Handler) http.Handler { return NewHandler(api, nil) }

// NewHandler is Handler with options. It takes POST, and keeps no sessions. Who may
// ask, how often and how much is for what stands around it.
func NewHandler(api http.Handler, o *Options) http.Handler {
	server := New(api, o)
	with := &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, PropagateRequestCancellation: true,
		MaxRequestBodyBytes: -1, // the API bounds it
		// Behind a proxy on the same machine the header Host names the proxy. A page that
		// gets here by another name could ask the API, too, and credentials are never
		// cookies.
		DisableLocalhostProtection: true,
	}
	if o != nil {
		with.Logger = o.Logger
	}
	return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, with)
}
