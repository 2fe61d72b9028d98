// Package trace names what belongs together in the logs of several processes,
// by the headers of W3C Trace Context: https://www.w3.org/TR/trace-context/.
//
//	ctx = trace.Start(ctx)                                  // a piece of work begins
//	trace.FromContext(ctx).SetHeader(request.Header)        // the other side knows what it belongs to
//	logger = trace.Logger(logger)                           // and so do records logged with a ctx
//
// A trace is all that comes of one cause, as a request or a load, and has a
// random id. A [Span] is one piece of work within it: a request served, a
// message handled, a run. The packages of this module begin spans by
// themselves: httpapi for each request, queue.Consume for each delivery, etl for
// each run; what they send on, over HTTP and through queues, carries the span
// that it was sent in. The ids are in the logs. A [Recorder] in the ctx of a
// process takes the spans as well: package telemetry of the hosts sends them to a
// collector.
//
// # Guarantees
//
// What [Parse] and [FromHeader] take from strangers is checked to the letter, so
// that ids are ids and nothing else gets into logs, headers and messages. A
// traceparent that is not valid is as good as none, and a tracestate that is not
// valid, or longer than [MaxState], is dropped. Everything here is safe for
// concurrent use.
//
// # Errors
//
// There are none: without a valid trace there is a new one.
//
// # See also
//
// Packages httpapi, queue and etl, which use it.
package trace
