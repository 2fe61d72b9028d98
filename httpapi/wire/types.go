package wire

import (
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/driver"
)

// ColumnInfo is a column as the dictionary defines it at a level.
type ColumnInfo struct {
	Name        egrid.Column  `json:"name"`
	Level       egrid.Level   `json:"level"`
	Code        string        `json:"code" doc:"EPA's code."`
	Unit        *string       `json:"unit"`
	Type        egrid.Type    `json:"type" enum:"text,integer,number,flag"`
	Description string        `json:"description"`
	Rule        *string       `json:"rule" doc:"How a region gets it from its plants."`
	Editions    []string      `json:"editions" doc:"Data years in which the code is known to occur."`
	Aliases     []egrid.Alias `json:"aliases" doc:"Other headers under which it occurs."`
}

// SnapshotInfo is what is, or was, published for a level, data year and release,
// or is held.
type SnapshotInfo struct {
	ID        egrid.SnapshotID `json:"id" doc:"Names the content, for the parameter snapshot."`
	Stage     egrid.StageID    `json:"stage" doc:"Names the load: by it a held one is published or discarded."`
	Level     egrid.Level      `json:"level"`
	Year      int              `json:"year"`
	Release   string           `json:"release"`
	Authority string           `json:"authority" doc:"Who published the edition."`
	Units     string           `json:"units" enum:"us,metric" doc:"Of the file; the figures here are in those of the dictionary."`
	GWP       *string          `json:"gwp" doc:"The global warming potentials that the CO2e of the data year and release follows from, as the parameter gwp of /factors names them: found on its published US sheet or, where there is none, on that of the states. Null where neither is published, or none fits."`
	Rows      int64            `json:"rows"`
	Rejected  int64            `json:"rejected" doc:"Records that could not be read."`
	Status    egrid.Status     `json:"status" enum:"published,held,superseded"`
	Reason    *string          `json:"reason" doc:"Why it is held."`
	Sources   []egrid.Source   `json:"sources"`
	LoadedAt  time.Time        `json:"loaded_at"`
	Revision  int64            `json:"revision" doc:"The revision that published it; 0 while held."`
}

// PathInfo is a path of the API.
type PathInfo struct {
	Path    string `json:"path" doc:"Below the address of the API; parts in braces stand for values."`
	Summary string `json:"summary"`
}

// LevelInfo is a level, and what is published of it.
type LevelInfo struct {
	Level    egrid.Level   `json:"level"`
	Title    string        `json:"title" doc:"What a row is, in words."`
	Editions []EditionInfo `json:"editions" doc:"What is published, the newest last; empty for nothing."`
	Path     string        `json:"path" doc:"Where its rows are."`
	Regions  *string       `json:"regions" doc:"Where its regions are; null for a level without."`
}

// EditionInfo is a data year and release that is published of a level.
type EditionInfo struct {
	Year    int    `json:"year"`
	Release string `json:"release" doc:"Empty for the unmarked one, which parameters call none."`
	Rows    int64  `json:"rows"`
}

// RegionInfo is a region by its code.
type RegionInfo struct {
	Level egrid.Level `json:"level"`
	Code  string      `json:"code"`
	Name  *string     `json:"name" doc:"null where neither the sheet nor the dictionary has one."`
	Path  string      `json:"path" doc:"Where its figures are."`
}

// Region is a row of a region, sorted out.
type Region struct {
	Level       egrid.Level            `json:"level"`
	Code        string                 `json:"code"`
	Name        *string                `json:"name"`
	Totals      map[string]*Number     `json:"totals" doc:"Sums over the region's plants, by column."`
	Rates       map[string]*Number     `json:"rates" doc:"Emission rates, by column."`
	ResourceMix map[string]*Number     `json:"resource_mix" doc:"Shares of the net generation, 0-1, by fuel."`
	Other       map[string]egrid.Value `json:"other" doc:"The remaining columns."`
}

// ZIPSubregion is a subregion that serves a ZIP code.
type ZIPSubregion struct {
	ZIP         string       `json:"zip" doc:"Five digits."`
	State       *string      `json:"state" doc:"Postal abbreviation; null where the crosswalk names none for the ZIP code, or several."`
	Subregion   string       `json:"subregion"`
	Predominant bool         `json:"predominant" doc:"It serves most of the ZIP code. None is marked where the crosswalk does not tell which of several does."`
	Utilities   []ZIPUtility `json:"utilities" doc:"Through which it does, the predominant one first; empty where the crosswalk names none."`
}

// ZIPUtility is a utility that serves a ZIP code.
type ZIPUtility struct {
	ID          *string `json:"id" doc:"EIA's number, or what an older crosswalk has for it."`
	Name        *string `json:"name"`
	Predominant bool    `json:"predominant" doc:"It serves most of the ZIP code."`
}

// Chart is a diagram's data.
type Chart struct {
	Type   string   `json:"type"`
	Title  string   `json:"title"`
	Unit   string   `json:"unit" doc:"Unit of y."`
	XLabel string   `json:"x_label"`
	YLabel string   `json:"y_label"`
	Series []Series `json:"series"`
}

// Series is a line, or a set of bars.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is one value of a series.
type Point struct {
	X egrid.Value `json:"x" doc:"A data year, or the name of what y belongs to; null for what has no name."`
	Y *Number     `json:"y" doc:"null where nothing is known."`

	Basis   egrid.Level `json:"basis" doc:"Level of the sheet that y is from; empty where no sheet of the data year has what is filtered by."`
	Release string      `json:"release" doc:"Release of that sheet, empty for the unmarked one."`
}

// Statistics sums up what is loaded.
type Statistics struct {
	Levels        []LevelStatistics `json:"levels"`
	Plants        *int64            `json:"plants" doc:"Plants of the data year; null when neither its PLNT nor its GEN sheet is published."`
	PlantsBasis   egrid.Level       `json:"plants_basis,omitempty" enum:"PLNT,GEN" doc:"Level of the sheet that they are counted in."`
	PlantsRelease *string           `json:"plants_release,omitempty" doc:"Release of that sheet, empty for the unmarked one."`
	Generators    *int64            `json:"generators" doc:"Generators of the data year; null when no GEN sheet of it is published."`
	NetGeneration *Number           `json:"net_generation_mwh" doc:"Net generation of the data year, by the sheet that meta.basis names. Unit: MWh."`
	FirstYear     *int              `json:"first_year" doc:"null when nothing is published."`
	LastYear      *int              `json:"last_year"`
	LastLoad      *time.Time        `json:"last_load" doc:"When data were published last."`
}

// LevelStatistics sums up one level.
type LevelStatistics struct {
	Level egrid.Level `json:"level"`
	Rows  int64       `json:"rows" doc:"Rows of all data years, each in its newest release."`
	Years []int       `json:"years"`
}

// FailureInfo is what went wrong of one kind on the way of data into the store.
type FailureInfo struct {
	Kind      string        `json:"kind"`
	Count     int64         `json:"count"`
	FirstSeen time.Time     `json:"first_seen"`
	LastSeen  time.Time     `json:"last_seen"`
	Latest    LatestFailure `json:"latest"`
}

// LatestFailure is the failure that was seen last.
type LatestFailure struct {
	ID      string    `json:"id" doc:"Names the occurrence."`
	Where   string    `json:"where" doc:"Queue and message, object, or program."`
	Message string    `json:"message" doc:"What went wrong, shortened."`
	Time    time.Time `json:"time"`
}

// PublishOrder says how held loads are published.
type PublishOrder struct {
	Policy driver.Policy `json:"policy,omitempty"`
}

// Health is the answer of the probes.
type Health struct {
	Status string        `json:"status" enum:"ok,unavailable"`
	Checks []CheckResult `json:"checks"`
}

// CheckResult is the state of one dependency. Why it does not work is in the
// log, and in the answer where it may be told.
type CheckResult struct {
	Name    string `json:"name"`
	Status  string `json:"status" enum:"ok,degraded,unavailable" doc:"degraded: it is away, and the service works without it."`
	Latency Number `json:"latency_seconds"`
	Reason  string `json:"reason,omitempty" doc:"Why it does not work, where that may be told."`
}
