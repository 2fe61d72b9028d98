package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/store"
)

type regionCmd struct {
	Level string `arg:"" help:"ST, BA, SRL, NRL, US or GGL; or in words, as state."`
	Code  string `arg:"" optional:"" help:"Code or name of the region, e.g. TX, Texas, CAMX. None for the United States."`
	edition
	Columns []string `short:"c" env:"-" help:"Columns to print. Default: all that have a value." placeholder:"COLUMN,..."`
	output
}

// Help implements kong.HelpProvider.
func (c *regionCmd) Help() string {
	return `Examples:

  egrid region ST texas
  egrid region SRL CAMX --year 2023
  egrid region BA CISO --columns net_generation_mwh,co2e_output_rate_lb_per_mwh
  egrid region ST TX --year all --format csv
  egrid region US`
}

func (c *regionCmd) Run(a *app) error {
	level, err := parseLevel(c.Level)
	if err != nil {
		return err
	}
	identifier := regionIdentifier(level)
	if identifier == "" && level != egrid.US {
		return fmt.Errorf("%w: %s is no level of regions; those are ST, BA, SRL, NRL, US and GGL", egrid.ErrInvalid, level)
	}
	if err := c.settle(a.stdout); err != nil {
		return err
	}
	return a.withData(func(db *store.DB) error {
		in := askedOf(a.ctx, db, level, c.edition)
		query := egrid.RowQuery{Level: level, Year: int(c.Year), Release: c.Release, Columns: columnsOf(c.Columns)}
		if level != egrid.US {
			code, err := regionCode(level, identifier, c.Code, in)
			if err != nil {
				return err
			}
			query.Filters = []egrid.Filter{egrid.Where(identifier, egrid.Eq, code)}
		}
		answer, err := db.Stream(a.ctx, query)
		if err != nil {
			return err
		}
		c.records = c.Year != egrid.AllYears
		c.table(c.Columns, &answer, preferred(level), c.Year == egrid.AllYears)
		n, err := a.print(&c.output, level, &answer)
		if err != nil {
			return err
		}
		if n == 0 {
			return a.tellEmpty(query.Filters, "", in)
		}
		a.tell("%s", editionsOf(level, answer.Snapshots))
		return nil
	})
}

// regionIdentifier is the column of the codes of a level of regions.
func regionIdentifier(level egrid.Level) egrid.Column {
	if !slices.Contains([]egrid.Level{egrid.ST, egrid.BA, egrid.SRL, egrid.NRL, egrid.GGL}, level) {
		return ""
	}
	return egrid.Identifier(level, func(egrid.Column) bool { return true })[0]
}

// regionCode finds the code of a region by its code or name, in any letter case.
func regionCode(level egrid.Level, identifier egrid.Column, text string, in asked) (string, error) {
	there, err := in.values(identifier)
	if err != nil {
		return "", err
	}
	if text == "" && len(there) == 0 {
		return "", fmt.Errorf("%w: no rows of %s are published; egrid snapshots lists what is", egrid.ErrNotFound, level)
	}
	if text == "" {
		return "", fmt.Errorf("%w: which %s? name one of %s", egrid.ErrInvalid, level.Title(), strings.Join(there, ", "))
	}
	if i := slices.IndexFunc(there, func(s string) bool { return strings.EqualFold(s, text) }); i >= 0 {
		return there[i], nil
	}
	if code, ok := egrid.RegionCode(level, text); ok {
		return code, nil
	}
	if len(there) == 0 {
		return text, nil
	}
	hint := nearestRegion(level, text, "")
	if meant := egrid.Nearest(text, there); hint == "" && meant != "" {
		hint = "; did you mean " + meant + "?"
	}
	if hint == "" {
		hint = "; there are " + strings.Join(there, ", ")
	}
	return "", fmt.Errorf("%w: no %s %q%s", egrid.ErrNotFound, level.Title(), text, hint)
}
