package service

import (
	"time"

	"github.com/egrid-analytics/egrid-go/etl"
)

// Limits are the flags of what one run may take on.
type Limits struct {
	MaxFiles  int           `help:"Files of one run at most; 0 is any number." default:"0" placeholder:"N"`
	MaxBytes  int64         `help:"Bytes of the files of one run at most, as they are packed; 0 is any number." default:"0" placeholder:"N"`
	MaxSheets int           `help:"Sheets of one run at most; 0 is any number." default:"0" placeholder:"N"`
	MaxTime   time.Duration `help:"How long a run may take; 0 is any time." default:"0s"`
}

// Of are the limits of a pipeline.
func (l Limits) Of() etl.Limits {
	return etl.Limits{Files: l.MaxFiles, Bytes: l.MaxBytes, Sheets: l.MaxSheets, Time: l.MaxTime}
}
