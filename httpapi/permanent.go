package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// A permanent address names the snapshot that the answer is made of. Snapshots
// are named by their content, so the answer never changes, and may be kept for
// ever; it is gone when the snapshot is no longer published.

const snapshotName = "snapshot"

func snapshotParam() parameter {
	return parameter{name: snapshotName, doc: "Id of the snapshot to answer from, as in links.permanent: the answer never changes, and meta.revision is 0. 410 when it is no longer published.",
		schema: huma.Schema{Pattern: `^[0-9a-f]{24}$`, PatternDescription: "24 hexadecimal digits, as in links.permanent"}}
}

// ofPlants are the levels that plants are read from.
func ofPlants(*request) []egrid.Level { return []egrid.Level{egrid.PLNT, egrid.GEN} }

// ofLevel is the level that the path names.
func ofLevel(in *request) []egrid.Level { return []egrid.Level{egrid.Level(in.text("level"))} }

// pin makes a request one for the edition of the snapshot that it names.
func (a *api) pin(op *operation, in *request) error {
	id := egrid.StageID(in.text(snapshotName))
	if id == "" {
		return nil
	}
	c, err := a.q.Catalog(in.http.Context())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(c.Snapshots, func(s egrid.Snapshot) bool { return s.ID == id && s.Status == egrid.Published })
	if i < 0 {
		return fmt.Errorf("%w: snapshot %s is not published, or no longer; /snapshots lists those that are", egrid.ErrStale, id)
	}
	s := &c.Snapshots[i]
	if err := in.checkEdition(s, op.pins(in)); err != nil {
		return err
	}
	in.snapshot = id
	in.values["year"] = []string{strconv.Itoa(s.Year)}
	in.values["release"] = []string{releaseName(s.Release)}
	return nil
}

// checkEdition finds a contradiction between a snapshot and the rest of a
// request.
func (in *request) checkEdition(s *egrid.Snapshot, levels []egrid.Level) error {
	if !slices.Contains(levels, s.Level) {
		return fmt.Errorf("%w: snapshot %s is of level %s, and this answer is made of %v", egrid.ErrInvalid, s.ID, s.Level, levels)
	}
	if year := in.text("year"); year != "" && year != strconv.Itoa(s.Year) {
		return fmt.Errorf("%w: snapshot %s is of data year %d, and not of %s", egrid.ErrInvalid, s.ID, s.Year, year)
	}
	wanted, err := egrid.ParseRelease(in.text("release"))
	if err == nil && in.text("release") != "" && wanted != s.Release {
		err = fmt.Errorf("%w: snapshot %s is of release %s, and not of %s", egrid.ErrInvalid, s.ID, releaseName(s.Release), in.text("release"))
	}
	return err
}

func releaseName(release string) string {
	if release == "" {
		return egrid.NoRelease
	}
	return release
}

// checkPinned makes sure that an answer to a permanent address is made of its
// snapshot alone, and marks it as belonging to no revision.
func (in *request) checkPinned(meta *Meta) error {
	if in.snapshot == "" {
		return nil
	}
	if len(meta.snapshots) != 1 || meta.snapshots[0].ID != in.snapshot {
		return fmt.Errorf("%w: this is answered from another snapshot than %s since", egrid.ErrStale, in.snapshot)
	}
	meta.Revision = 0
	return nil
}

// permanent makes the address at which an answer stays as it is: empty when it
// has none. A page behind a cursor has one only if the first page was asked for
// by its own.
func (op *operation) permanent(in *request, meta *Meta) string {
	switch {
	case op.pins == nil || len(meta.snapshots) != 1:
		return ""
	case in.snapshot != "":
		return requestURI(in.http)
	case in.text("cursor") != "" || !slices.Contains(op.pins(in), meta.snapshots[0].Level):
		return ""
	}
	s := &meta.snapshots[0]
	return withQuery(in.http, map[string]string{"year": strconv.Itoa(s.Year), "release": releaseName(s.Release), snapshotName: string(s.ID)})
}

// keepFor says how long an answer may be kept: for ever at a permanent address,
// else until somebody asks whether it is still true.
func (op *operation) keepFor(in *request) string {
	who, how := "", "no-cache"
	if in.snapshot != "" {
		who, how = "public, ", "max-age=31536000, immutable"
	}
	if op.private {
		who = "private, "
	}
	return who + how
}

// withQuery is the address of a request with other values of some parameters.
func withQuery(r *http.Request, values map[string]string) string {
	query := r.URL.Query()
	for name, value := range values {
		query.Set(name, value)
	}
	return requestPath(r) + "?" + query.Encode()
}
