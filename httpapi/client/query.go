package client

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// values are the parameters of a request.
type values map[string][]string

func (v values) set(name, value string) { v[name] = []string{value} }

// text sets a parameter unless the value is empty.
func (v values) text(name, value string) {
	if value != "" {
		v.set(name, value)
	}
}

func (v values) edition(year int, release string) {
	switch year {
	case 0:
	case egrid.AllYears:
		v.set("year", "all")
	default:
		v.set("year", strconv.Itoa(year))
	}
	v.text("release", release)
}

func (v values) search(words string) { v.text("q", strings.Join(strings.Fields(words), " ")) }

func (v values) list(name string, texts []string) {
	if len(texts) > 0 {
		v.set(name, egrid.JoinList(texts))
	}
}

func (v values) columns(name string, columns []egrid.Column) {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = string(c)
	}
	v.list(name, texts)
}

func (v values) sort(keys []egrid.Sort) {
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = key.String()
	}
	v.text("sort", strings.Join(texts, ","))
}

// filters sets conditions. It refuses those whose text would stand for others:
// a server refuses them too.
func (v values) filters(name string, filters []egrid.Filter) error {
	for _, f := range filters {
		n := len(f.Values)
		switch f.Op {
		case egrid.Missing, egrid.Present:
			if n > 0 {
				return fmt.Errorf("%w: filter %s %s takes no value", egrid.ErrInvalid, f.Column, f.Op)
			}
		case egrid.Lt, egrid.Le, egrid.Gt, egrid.Ge:
			if n != 1 {
				return fmt.Errorf("%w: filter %s %s takes one value", egrid.ErrInvalid, f.Column, f.Op)
			}
		case egrid.Eq, egrid.Ne:
			if n == 0 {
				return fmt.Errorf("%w: filter %s %s takes a value", egrid.ErrInvalid, f.Column, f.Op)
			}
		default:
			return fmt.Errorf("%w: filter operator %q is not one of = != < <= > >= missing present", egrid.ErrInvalid, f.Op)
		}
		if f.Column == "" {
			return fmt.Errorf("%w: a filter names no column", egrid.ErrInvalid)
		}
		v[name] = append(v[name], f.String())
	}
	return nil
}

func (v values) encode() string { return url.Values(v).Encode() }
