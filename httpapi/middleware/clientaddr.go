package middleware

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

type clientAddrKey struct{}

// ClientAddr returns the address of the client: the one that [TrustProxies]
// found, else the other end of the connection. It is not valid when the request
// came by no network.
func ClientAddr(r *http.Request) netip.Addr {
	if addr, ok := r.Context().Value(clientAddrKey{}).(netip.Addr); ok {
		return addr
	}
	return peer(r)
}

func peer(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap().WithZone("")
}

// TrustProxies finds out who the client of a request is that came through
// proxies: their addresses, which are those of the prefixes, are believed in what
// they say of the address before them, and nobody else is. The client is the last
// address of X-Forwarded-For or Forwarded that is not one of a proxy. Where both
// headers are there and disagree, one of them is the client's invention, and
// where an entry is no address nothing before it is believed: then the client is
// the last proxy that is known. Without prefixes it returns next as it is.
func TrustProxies(next http.Handler, proxies []netip.Prefix) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	t := trust(slices.Clone(proxies))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addr := t.client(r)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), clientAddrKey{}, addr)))
	})
}

// trust is the addresses of proxies.
type trust []netip.Prefix

func (t trust) has(addr netip.Addr) bool {
	return slices.ContainsFunc(t, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func (t trust) client(r *http.Request) netip.Addr {
	nearest := peer(r)
	if !t.has(nearest) {
		return nearest
	}
	forwardedFor, forwarded := r.Header.Values("X-Forwarded-For"), r.Header.Values("Forwarded")
	switch {
	case len(forwarded) == 0:
		return t.last(nearest, forwardedFor, plainNode)
	case len(forwardedFor) == 0:
		return t.last(nearest, forwarded, forwardedNode)
	}
	one, other := t.last(nearest, forwardedFor, plainNode), t.last(nearest, forwarded, forwardedNode)
	if one != other {
		return nearest
	}
	return one
}

// maxHops bounds how many proxies a request is followed through.
const maxHops = 32

// last goes back from the nearest proxy to the first address that is not one.
func (t trust) last(nearest netip.Addr, lines []string, node func(string) string) netip.Addr {
	hops := strings.Split(strings.Join(lines, ","), ",")
	for i := len(hops) - 1; i >= max(0, len(hops)-maxHops); i-- {
		addr, ok := nodeAddr(node(hops[i]))
		if !ok {
			return nearest
		}
		nearest = addr
		if !t.has(addr) {
			return addr
		}
	}
	return nearest
}

// plainNode is a hop of X-Forwarded-For.
func plainNode(hop string) string { return strings.TrimSpace(hop) }

// forwardedNode is who a hop of Forwarded is for (RFC 7239).
func forwardedNode(hop string) string {
	for pair := range strings.SplitSeq(hop, ";") {
		if name, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && strings.EqualFold(name, "for") {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// nodeAddr reads an address that may have a port, and brackets where it is of
// version 6.
func nodeAddr(node string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(node, "["), "]"))
	if err != nil {
		var at netip.AddrPort
		at, err = netip.ParseAddrPort(node)
		addr = at.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}
