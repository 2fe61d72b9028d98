package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/httpapi/wire"
)

// A permanent address names the snapshots that the answer is made of. Snapshots
// are named by their content and stay when others are published, so the answer
// never changes, and may be kept for ever. It is gone when one of them was pruned.

const snapshotName = "snapshot"

func snapshotParam() parameter {
	return parameter{name: snapshotName, list: true, doc: "Ids of the snapshots to answer from and no others, as in links.permanent: the answer never changes, and meta.revision is 0. 410 when one was pruned, 404 when one is not known here, or not yet.",
		schema: huma.Schema{Pattern: `^[0-9a-f]{24}$`, PatternDescription: "24 hexadecimal digits, as in links.permanent"}}
}

// ofPlants are the levels that plants are read from, and their shares of states.
func ofPlants(*request) []egrid.Level { return []egrid.Level{egrid.PLNT, egrid.GEN, egrid.ST} }

// ofTotals are the levels that totals are read from.
func ofTotals(*request) []egrid.Level {
	return []egrid.Level{egrid.PLNT, egrid.GEN, egrid.US, egrid.ST, egrid.SRL, egrid.NRL, egrid.BA}
}

// ofLevel is the level that the path names.
func ofLevel(in *request) []egrid.Level { return []egrid.Level{egrid.Level(in.text("level"))} }

// pin makes the snapshots that a request names all that it is answered from.
func (in *request) pin(op *operation) error {
	names := in.values[snapshotName]
	if len(names) == 0 {
		return nil
	}
	var ids []egrid.SnapshotID
	for _, name := range names {
		if id := egrid.SnapshotID(name); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	pinned, err := read(in.http.Context(), in.data.db.At(ids...))
	if err != nil {
		return err
	}
	levels := op.pins(in)
	for i := range pinned.catalog.Snapshots {
		s := &pinned.catalog.Snapshots[i]
		if !slices.Contains(levels, s.Level) {
			return fmt.Errorf("%w: snapshot %s is of level %s, and this answer is made of %v", egrid.ErrInvalid, s.ID, s.Level, levels)
		}
		if i > 0 {
			if p := &pinned.catalog.Snapshots[i-1]; p.Level == s.Level && p.Year == s.Year && p.Release == s.Release {
				return fmt.Errorf("%w: snapshots %s and %s are both of level %s, data year %d and one release; name one of them", egrid.ErrInvalid, p.ID, s.ID, s.Level, s.Year)
			}
		}
	}
	in.data, in.pinned = pinned, strings.Join(names, ",")
	return nil
}

// permanent makes the address at which an answer stays as it is: empty when it
// has none.
func (op *operation) permanent(in *request, snapshots []egrid.Snapshot) string {
	switch {
	case op.pair && in.pinned == "":
		return in.pairAddress()
	case !op.pair && (op.pins == nil || len(snapshots) == 0):
		return ""
	case in.pinned != "":
		return wire.RequestURI(in.http)
	}
	var ids []string
	for i := range snapshots {
		if id := string(snapshots[i].ID); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return withQuery(in.http, snapshotName, strings.Join(ids, ","))
}

// keepFor says how long an answer may be kept: for ever at a permanent address,
// else until somebody asks whether it is still true.
func (op *operation) keepFor(ever bool) string {
	who, how := "", "no-cache"
	if ever {
		who, how = "public, ", "max-age=31536000, immutable"
	}
	if op.private {
		who = "private, "
	}
	return who + how
}

// withQuery is the address of a request with another value of a parameter.
func withQuery(r *http.Request, name, value string) string {
	query := r.URL.Query()
	query.Set(name, value)
	path, _, _ := strings.Cut(wire.RequestURI(r), "?")
	return path + "?" + query.Encode()
}
