// Package middleware holds the handlers around a handler that a service of HTTP
// needs: who asks, how often, for how much, and what is told of it. Each is usable
// alone, in the form
//
//	h = middleware.Recover(h, log)
//	h = middleware.AccessLog(h, log)
//	h = middleware.RequestIDs(h)
//
// where the last one applied is the first to see a request. Package httpapi
// applies all of them; this is for services beside it, and in front of it.
//
// # Order
//
// From the outside: [Traces] and [RequestIDs], whose ids all others log;
// [TrustProxies], so that the client is known; [Observe] or [AccessLog], which
// see every answer of what is within, then [Recover]; [SecurityHeaders] and
// [AllowOrigins], whose headers stand on errors, too; [Identify], then [RateLimit],
// which counts by who was identified and also those whom [Admit] refuses next;
// [LimitURL], [LimitBody] and [Head] last. [LimitStalls] is for servers: outside of
// everything.
//
// Start with what the service lacks: [Identify] and [Admit] for authentication, [RateLimit],
// [AllowOrigins] for CORS, [Observe] for access logs and metrics, [TrustProxies] behind a
// proxy.
//
// # Errors
//
// Who is refused gets application/problem+json (RFC 9457), a [wire.Problem].
// Everything here is safe for concurrent use and starts no goroutine.
package middleware
