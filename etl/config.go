package etl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/sheet"
)

// Config is an etl.json: how to read files whose headers are nobody's codes.
type Config struct {
	Inputs []Input `json:"inputs"`
}

// Input is what the configuration says of the files that it matches. What a
// file tells itself need not be given.
type Input struct {
	Match   string      `json:"match"` // pattern for the file's name, as of path.Match; with a slash, for its whole name in the source
	Level   egrid.Level `json:"level,omitempty"`
	Year    int         `json:"year,omitempty"`
	Release string      `json:"release,omitempty"`
	sheet.Mapping
}

// ReadConfig reads an etl.json. A key that is unknown is an error, as is a
// pattern, a level, a year or a release that cannot be. The error wraps
// [egrid.ErrInvalid].
func ReadConfig(r io.Reader) (Config, error) {
	var c Config
	text, err := io.ReadAll(r)
	if err != nil {
		return c, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("%w: mapping file, line %d: %w", egrid.ErrInvalid, 1+bytes.Count(text[:dec.InputOffset()], []byte{'\n'}), err)
	}
	for i, input := range c.Inputs {
		if err := input.check(); err != nil {
			return c, fmt.Errorf("mapping file, input %d (%s): %w", i+1, input.Match, err)
		}
	}
	return c, nil
}

func (in Input) check() error {
	if _, err := path.Match(in.Match, ""); err != nil || in.Match == "" {
		return fmt.Errorf("%w: match %q is no pattern", egrid.ErrInvalid, in.Match)
	}
	if in.Level != "" {
		if _, err := egrid.ParseLevel(string(in.Level)); err != nil {
			return err
		}
	}
	if in.Year != 0 {
		if err := egrid.CheckYear(in.Year); err != nil {
			return err
		}
	}
	_, err := egrid.ParseRelease(in.Release)
	return err
}

// For returns the first input that matches the object's name.
func (c Config) For(name string) (Input, bool) {
	for _, in := range c.Inputs {
		for _, candidate := range []string{path.Base(name), name} {
			if ok, _ := path.Match(in.Match, candidate); ok { // patterns were checked
				return in, true
			}
		}
	}
	return Input{}, false
}
