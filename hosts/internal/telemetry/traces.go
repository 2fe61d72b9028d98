package telemetry

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	oteltrace "go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/internal/trace"
)

// Tracing are the flags of spans that go to a collector.
type Tracing struct {
	OTLP       string  `name:"otlp" help:"Collector of OpenTelemetry that spans are sent to, by OTLP over HTTP. Default: none." env:"EGRID_OTLP,OTEL_EXPORTER_OTLP_ENDPOINT" placeholder:"URL"`
	OTLPSample float64 `name:"otlp-sample" help:"Share of the traces begun here that are sent, from 0 to 1. Those begun elsewhere are as their sender decided." default:"1" placeholder:"SHARE"`
}

// Traces sends spans to a collector. It is a [trace.Recorder].
type Traces struct {
	client   *otlpClient
	provider *sdk.TracerProvider
	tracer   oteltrace.Tracer
	below    uint64 // the traces whose number is below are sampled
}

// sharedVariable is the setting that OpenTelemetry has for the address.
const sharedVariable = "OTEL_EXPORTER_OTLP_ENDPOINT"

// headersVariable holds headers of requests to the collector, which may be secrets:
// name=value, joined by commas.
const headersVariable = "OTEL_EXPORTER_OTLP_HEADERS"

// Open returns what sends the spans of a program to the collector; nil where there is none.
// It does not wait for the collector: spans are sent in the background, those that nobody
// takes are dropped, and the log says so once.
// Attributes of the program are those of
// OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME; headers those of
// OTEL_EXPORTER_OTLP_HEADERS. Errors: [egrid.ErrInvalid] for flags that make no sense.
func (f Tracing) Open(ctx context.Context, program, version string, log *slog.Logger) (*Traces, error) {
	if f.OTLP == "" {
		return nil, nil //nolint:nilnil // no collector is no error
	}
	u, err := url.Parse(f.OTLP)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		if f.OTLP == os.Getenv(sharedVariable) { // which is meant for other programs as well
			log.Warn("spans are not sent: "+sharedVariable+" is not http://HOST:4318", "remedy", "set EGRID_OTLP")
			return nil, nil //nolint:nilnil // as if it were not set
		}
		return nil, fmt.Errorf("%w: the address of the collector (--otlp) is not http://HOST:4318; credentials go into %s", egrid.ErrInvalid, headersVariable)
	}
	if !(f.OTLPSample >= 0 && f.OTLPSample <= 1) {
		return nil, fmt.Errorf("%w: --otlp-sample is %g, and has to be from 0 to 1", egrid.ErrInvalid, f.OTLPSample)
	}
	if !strings.HasSuffix(u.Path, "/v1/traces") {
		u = u.JoinPath("v1", "traces")
	}
	c := &otlpClient{url: u.String(), shown: u.Host, log: log, header: http.Header{}}
	if err := c.addHeaders(os.Getenv(headersVariable)); err != nil {
		return nil, err
	}
	exporter, err := otlptrace.New(ctx, c)
	if err != nil {
		return nil, err
	}
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", program), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("%w: OTEL_RESOURCE_ATTRIBUTES: %w", egrid.ErrInvalid, err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about), sdk.WithSampler(sdk.AlwaysSample()), sdk.WithIDGenerator(given{}))
	return &Traces{client: c, provider: provider, tracer: provider.Tracer("github.com/egrid-analytics/egrid-go"), below: uint64(f.OTLPSample * (1 << 63))}, nil
}

// Sample implements [trace.Recorder] by the number of the trace, as OpenTelemetry does, so
// that programs with the same share choose the same traces.
func (t *Traces) Sample(id trace.TraceID) bool {
	return binary.BigEndian.Uint64(id[8:])>>1 < t.below
}

// given has the ids that a span came with.
type given struct{}

type givenKey struct{}

// NewIDs implements [sdk.IDGenerator].
func (given) NewIDs(ctx context.Context) (oteltrace.TraceID, oteltrace.SpanID) {
	s, _ := ctx.Value(givenKey{}).(trace.Span)
	return oteltrace.TraceID(s.TraceID), oteltrace.SpanID(s.ID)
}

// NewSpanID implements [sdk.IDGenerator].
func (g given) NewSpanID(ctx context.Context, _ oteltrace.TraceID) oteltrace.SpanID {
	_, id := g.NewIDs(ctx)
	return id
}

// Record implements [trace.Recorder].
func (t *Traces) Record(e trace.Ended) {
	ctx := context.WithValue(context.Background(), givenKey{}, e.Span)
	if e.Parent != (trace.SpanID{}) {
		state, _ := oteltrace.ParseTraceState(e.Span.State) // it was checked
		ctx = oteltrace.ContextWithRemoteSpanContext(ctx, oteltrace.NewSpanContext(oteltrace.SpanContextConfig{
			TraceID: oteltrace.TraceID(e.Span.TraceID), SpanID: oteltrace.SpanID(e.Parent), TraceFlags: oteltrace.FlagsSampled, TraceState: state, Remote: true,
		}))
	}
	attrs := make([]attribute.KeyValue, 0, len(e.Attrs))
	failed := e.Err != nil
	for _, a := range e.Attrs {
		if a.Value.Kind() == slog.KindInt64 {
			attrs = append(attrs, attribute.Int64(a.Key, a.Value.Int64()))
			failed = failed || a.Key == "http.response.status_code" && a.Value.Int64() >= http.StatusInternalServerError
			continue
		}
		attrs = append(attrs, attribute.String(a.Key, strings.ToValidUTF8(a.Value.String(), "?")))
	}
	_, s := t.tracer.Start(ctx, e.Name, oteltrace.WithTimestamp(e.Began), oteltrace.WithSpanKind(kinds[e.Kind]), oteltrace.WithAttributes(attrs...))
	if failed {
		why := ""
		if e.Err != nil {
			why = strings.ToValidUTF8(e.Err.Error(), "?")
		}
		s.SetStatus(codes.Error, why)
	}
	s.End(oteltrace.WithTimestamp(e.Ended))
}

var kinds = map[trace.Kind]oteltrace.SpanKind{
	trace.Internal: oteltrace.SpanKindInternal,
	trace.Server:   oteltrace.SpanKindServer,
	trace.Client:   oteltrace.SpanKindClient,
	trace.Consumer: oteltrace.SpanKindConsumer,
}

// Close sends what is left, for three seconds at most. A nil Traces has nothing.
func (t *Traces) Close() {
	if t == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), closeTimeout)
	defer stop()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.client.taken(err)
	}
}

const (
	closeTimeout  = 3 * time.Second
	exportTimeout = 10 * time.Second
	maxAnswer     = 64 << 10
)

// otlpClient sends spans by OTLP over HTTP, in protobuf. The client that OpenTelemetry
// brings for that links gRPC, which it does not use: docs/decisions.md has the weights.
type otlpClient struct {
	url, shown string
	header     http.Header
	log        *slog.Logger
	away       atomic.Bool
}

// Start and Stop implement [otlptrace.Client]: there is no connection to hold.
func (c *otlpClient) Start(context.Context) error { return nil }

// Stop implements [otlptrace.Client].
func (c *otlpClient) Stop(context.Context) error { return nil }

func (c *otlpClient) addHeaders(list string) error {
	for pair := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || err != nil || name == "" || strings.ContainsAny(name, " \r\n") || strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Errorf("%w: %s is not name=value, joined by commas", egrid.ErrInvalid, headersVariable)
		}
		c.header.Set(name, value)
	}
	return nil
}

// UploadTraces implements [otlptrace.Client]. It returns no error: the log is told once that
// spans are dropped, and once that they are taken again.
func (c *otlpClient) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	c.taken(c.send(ctx, spans))
	return nil
}

func (c *otlpClient) taken(err error) {
	switch was := c.away.Swap(err != nil); {
	case err != nil && !was:
		c.log.Warn("the collector takes no spans, which are dropped until it does", "collector", c.shown, "error", err)
	case err == nil && was:
		c.log.Info("the collector takes spans again", "collector", c.shown)
	}
}

func (c *otlpClient) send(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	ctx, stop := context.WithTimeout(ctx, exportTimeout)
	defer stop()
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans}) // on the wire an ExportTraceServiceRequest is the same
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = c.header.Clone()
	r.Header.Set("Content-Type", "application/x-protobuf")
	answer, err := http.DefaultClient.Do(r)
	var quoting *url.Error
	if errors.As(err, &quoting) {
		err = quoting.Err // without the address, which may hold a token
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // so that the connection can be used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("it answers %s", answer.Status)
	}
	return nil
}
