#!/usr/bin/env bash
# Cron libraries leave out a daily run, or make it twice, on the days when clocks change.
#
# Tool:  github.com/robfig/cron/v3 v3.0.1 and github.com/netresearch/go-cron v0.9.1, its successor.
# Guess: "once a day" is one run on every day; a time zone without an expression is an error.
# Seen:  New York, 30 2 * * *, on 2026-03-08 (no half past two): robfig none; netresearch 03:30
#        New York, 30 1 * * *, on 2026-11-01 (half past one twice): both two runs
#        Sao Paulo, @daily, on 2018-11-04 (no midnight): both none
#        "TZ=": robfig panics; netresearch returns an error
# Why:   a nightly load of new editions in such a zone is left out once a year, in silence, or made twice. Name a
#        time of day that no change touches, or UTC, or ask the rule in wall-clock time and place the result
#        yourself, as package etl/schedule does.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'EOF'
module finding

go 1.25.0

require (
	github.com/netresearch/go-cron v0.9.1
	github.com/robfig/cron/v3 v3.0.1
)
EOF
cat >main.go <<'EOF'
package main

import (
	"fmt"
	"time"
	_ "time/tzdata"

	netresearch "github.com/netresearch/go-cron"
	robfig "github.com/robfig/cron/v3"
)

type rule interface{ Next(time.Time) time.Time }

func main() {
	for _, library := range []struct {
		name  string
		parse func(string) (rule, error)
	}{
		{"robfig v3.0.1", func(s string) (rule, error) { return robfig.ParseStandard(s) }},
		{"netresearch v0.9.1", func(s string) (rule, error) { return netresearch.ParseStandard(s) }},
	} {
		for _, c := range []struct{ zone, rule, day string }{
			{"America/New_York", "30 2 * * *", "2026-03-08"}, {"America/New_York", "30 1 * * *", "2026-11-01"}, {"America/Sao_Paulo", "@daily", "2018-11-04"},
		} {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				panic(err)
			}
			r, err := library.parse("TZ=" + c.zone + " " + c.rule)
			if err != nil {
				panic(err)
			}
			day, _ := time.ParseInLocation(time.DateOnly, c.day, zone)
			at, runs := day.Add(-12*time.Hour), ""
			for at = r.Next(at); at.Before(day.Add(36 * time.Hour)); at = r.Next(at) {
				if local := at.In(zone); local.Format(time.DateOnly) == c.day {
					runs += local.Format(" 15:04 MST")
				}
			}
			fmt.Printf("%s | %s %s | %s |%s\n", library.name, c.zone, c.rule, c.day, runs)
		}
		func() {
			defer func() {
				if recover() != nil {
					fmt.Printf("%s | TZ= | panic\n", library.name)
				}
			}()
			if _, err := library.parse("TZ="); err != nil {
				fmt.Printf("%s | TZ= | error\n", library.name)
			}
		}()
	}
}
EOF
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
echo "library | schedule | day | runs"
cat seen
expect() {
	grep -qxF -- "$1" seen || { echo "CHANGED: no line \"$1\" any more" >&2; exit 1; }
}
expect 'robfig v3.0.1 | America/New_York 30 2 * * * | 2026-03-08 |'
expect 'netresearch v0.9.1 | America/New_York 30 2 * * * | 2026-03-08 | 03:30 EDT'
expect 'robfig v3.0.1 | America/New_York 30 1 * * * | 2026-11-01 | 01:30 EDT 01:30 EST'
expect 'netresearch v0.9.1 | America/New_York 30 1 * * * | 2026-11-01 | 01:30 EDT 01:30 EST'
expect 'robfig v3.0.1 | America/Sao_Paulo @daily | 2018-11-04 |'
expect 'netresearch v0.9.1 | America/Sao_Paulo @daily | 2018-11-04 |'
expect 'robfig v3.0.1 | TZ= | panic'
expect 'netresearch v0.9.1 | TZ= | error'
