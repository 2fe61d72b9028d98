// Package schedule reads cron expressions for an etl.Scheduler.
//
//	s, err := schedule.Parse("TZ=Europe/Berlin 30 6 * * 1-5")
//	etl.NewScheduler(pipeline, s, nil).Run(ctx)
//
// Start with [Parse].
//
// # Guarantees
//
// A schedule is safe for concurrent use. Its times are of whole seconds.
//
// When clocks change: a schedule whose hour begins with * (as 0 * * * *, or
// @hourly) and @every go on in even steps. Any other one means times of day: one
// that comes twice has its run when it comes first, and one that is left out has it
// at the moment in which the clock is put forward. So @daily has one run on every
// day, also where midnight is left out.
//
// # Errors
//
// [egrid.ErrInvalid] for what is no schedule, and for one that never comes.
//
// # See also
//
// Package etl.
package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/netresearch/go-cron"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Schedule says when to run next: an etl.Schedule.
type Schedule struct {
	rule cron.Schedule
	zone *time.Location
	// wall says that the rule is of times of day, and is asked in them.
	wall bool
}

const forms = "write five fields as in cron(5), @hourly, @daily, @weekly, @monthly, @yearly or @every 15m, with TZ=Europe/Berlin before it for another time zone than that of the host"

// Parse reads a cron expression of five fields (minute, hour, day of the month,
// month, day of the week), a descriptor such as @daily, or @every and a duration of
// a second or more. TZ= or CRON_TZ= and the name of a time zone may come before it;
// else it is in the time zone of the host. The error wraps [egrid.ErrInvalid].
func Parse(text string) (*Schedule, error) {
	s, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: schedule %q: %w; %s", egrid.ErrInvalid, text, err, forms)
	}
	return s, nil
}

// distant is how far a schedule is looked into to see that it comes at all: 29
// February may be eight years away.
const distant = 9 * 366 * 24 * time.Hour

func parse(text string) (*Schedule, error) {
	s := &Schedule{zone: time.Local}
	text = strings.TrimSpace(text)
	if prefix, name, ok := strings.Cut(text, "="); ok && (prefix == "TZ" || prefix == "CRON_TZ") {
		name, rest, ok := strings.Cut(name, " ")
		if !ok || name == "" {
			return nil, fmt.Errorf("a time zone and an expression have to follow %s=", prefix)
		}
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, fmt.Errorf("there is no time zone %q: %w", name, err)
		}
		s.zone, text = zone, strings.TrimSpace(rest)
	}
	parser, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	if err != nil {
		return nil, err
	}
	rule, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(text)
	even := strings.HasPrefix(text, "@every ") || text == "@hourly" || len(fields) == 5 && strings.HasPrefix(fields[1], "*")
	s.rule, s.wall = rule, !even
	now := time.Now()
	if next := s.Next(now); next.IsZero() || next.Sub(now) > distant {
		return nil, errors.New("there is no such day")
	}
	return s, nil
}

// Next returns the first time after a moment; zero when there is none.
func (s *Schedule) Next(after time.Time) time.Time {
	if !s.wall {
		return s.rule.Next(after.In(s.zone))
	}
	// The rule is asked in a zone whose clock never changes, which shows what the
	// clock of the schedule's zone shows.
	for at := clock(after.In(s.zone)); ; {
		if at = s.rule.Next(at); at.IsZero() {
			return at
		}
		if t := s.moment(at); t.After(after) {
			return t
		}
	}
}

// clock is what a clock shows, as a time of UTC.
func clock(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// moment is when the clock of the zone first shows what at is as a time of UTC, or
// passes over it.
func (s *Schedule) moment(at time.Time) time.Time {
	const day = 24 * time.Hour
	offset := func(t time.Time) time.Duration {
		_, seconds := t.In(s.zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	before, behind := offset(at.Add(-day)), offset(at.Add(day))
	first, last := at.Add(-max(before, behind)).In(s.zone), at.Add(-min(before, behind)).In(s.zone)
	for _, t := range []time.Time{first, last} {
		if clock(t).Equal(at) {
			return t
		}
	}
	_, end := first.ZoneBounds() // first is before the clock is put forward
	return end
}
