package storeurl

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// kinds is what an address may be, for errors.
const kinds = "mem:, sqlite:PATH, a PATH and postgres://HOST/DATABASE"

// Path returns the file that an address names: PATH of sqlite:PATH, or a plain PATH.
// It is false for addresses of other kinds.
func Path(address string) (path string, ok bool) {
	scheme, rest := split(address)
	return rest, scheme == "sqlite"
}

// Check tells what is wrong with an address before anything is opened. The error
// wraps [egrid.ErrInvalid], and quotes nothing: what was meant as a password may be
// anywhere.
func Check(address string) error {
	scheme, rest := split(address)
	switch scheme {
	case "mem":
		return nil
	case "sqlite":
		if rest == "" {
			return fmt.Errorf("%w: the store names no file; give sqlite:PATH", egrid.ErrInvalid)
		}
		return nil
	case "postgres", "postgresql":
		return checkPostgres(address)
	}
	if scheme = strings.ToLower(scheme); strings.HasPrefix(scheme, "postgres") || scheme == "pg" || scheme == "host" {
		return fmt.Errorf("%w: the store's URL begins otherwise than it has to; write postgres://USER:PASSWORD@HOST/DATABASE", egrid.ErrInvalid)
	}
	return fmt.Errorf("%w: the store's URL is none of %s", egrid.ErrInvalid, kinds)
}

// split takes the scheme off an address: mem, sqlite, which plain paths have, too,
// or whatever another begins with. A setting of libpq (host=... password=...) has the
// scheme host.
func split(address string) (scheme, rest string) {
	scheme, rest, found := strings.Cut(address, ":")
	if found && (scheme == "mem" || scheme == "sqlite") {
		return scheme, rest
	}
	if before, _, is := strings.Cut(address, "://"); is {
		return before, ""
	}
	// Of a path nothing but a drive (C:) stands before a colon.
	settings := strings.Contains(address, "=") && (strings.Contains(address, "host") || strings.Contains(address, "password") || strings.Contains(address, "dbname"))
	if settings || found && strings.Contains(rest, "@") {
		return "host", ""
	}
	if found && len(scheme) > 1 && !strings.ContainsAny(scheme, `/\.`) {
		return scheme, rest
	}
	return "sqlite", address
}

// checkPostgres finds characters that end a password too early.
func checkPostgres(address string) error {
	const remedy = "in names and password write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25"
	for _, one := range eachHost(address) {
		u, err := url.Parse(one)
		if err != nil {
			return fmt.Errorf("%w: the address of the store cannot be read; %s", egrid.ErrInvalid, remedy)
		}
		if u.User == nil && strings.Contains(address, "@") {
			return fmt.Errorf("%w: the address of the store has an @ behind the host; %s", egrid.ErrInvalid, remedy)
		}
	}
	return nil
}

// eachHost returns an address for each of the hosts that one names, as a:1,b:2,
// which no URL has.
func eachHost(address string) []string {
	scheme, rest, _ := strings.Cut(address, "://")
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	at := strings.LastIndexByte(authority, '@') + 1
	var all []string
	for host := range strings.SplitSeq(authority[at:], ",") {
		all = append(all, scheme+"://"+authority[:at]+host+tail)
	}
	return all
}
