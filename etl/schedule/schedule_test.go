package schedule_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/schedule"
)

var _ etl.Schedule = (*schedule.Schedule)(nil)

func ExampleParse() {
	s, err := schedule.Parse("TZ=America/New_York 30 2 * * *")
	if err != nil {
		fmt.Println(err)
		return
	}
	at := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
	for range 3 { // there is no half past two on 8 March
		at = s.Next(at)
		fmt.Println(at)
	}
	// Output:
	// 2026-03-07 02:30:00 -0500 EST
	// 2026-03-08 03:00:00 -0400 EDT
	// 2026-03-09 02:30:00 -0400 EDT
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, from, want string }{
		{"TZ=UTC */15 * * * *", "2026-01-01T00:00:01Z", "01-01T00:15Z 01-01T00:30Z"},
		{"@every 15m", "2026-01-01T00:00:01Z", "01-01T00:15Z 01-01T00:30Z"},
		{"TZ=UTC 0 6 * * 7", "2026-01-01T00:00:00Z", "01-04T06:00Z 01-11T06:00Z"},
		{"TZ=UTC 0 0 29 2 *", "2026-01-01T00:00:00Z", "02-29T00:00Z 02-29T00:00Z"},
		{"  CRON_TZ=Europe/Berlin   @daily ", "2026-03-28T00:00:00Z", "03-28T23:00Z 03-29T22:00Z"},
		// Clocks are put forward: what is left out has its run in that moment, once.
		{"TZ=America/New_York 30 2 * * *", "2026-03-07T12:00:00Z", "03-08T07:00Z 03-09T06:30Z"},
		{"TZ=America/New_York 0,15,30 2 * * *", "2026-03-08T06:30:00Z", "03-08T07:00Z 03-09T06:00Z"},
		{"TZ=America/New_York 0 2,3 * * *", "2026-03-08T06:30:00Z", "03-08T07:00Z 03-09T06:00Z"},
		{"TZ=America/Sao_Paulo @daily", "2018-11-03T12:00:00Z", "11-04T03:00Z 11-05T02:00Z"},
		{"TZ=Africa/Cairo 0 0 * * *", "2026-04-23T12:00:00Z", "04-23T22:00Z 04-24T21:00Z"},
		{"TZ=Australia/Lord_Howe 15 2 * * *", "2026-10-03T12:00:00Z", "10-03T15:30Z 10-04T15:15Z"},
		{"TZ=America/New_York */30 * * * *", "2026-03-08T06:20:00Z", "03-08T06:30Z 03-08T07:00Z 03-08T07:30Z"},
		// Clocks are put back: what comes twice has its run when it comes first.
		{"TZ=America/New_York 30 1 * * *", "2026-11-01T00:00:00Z", "11-01T05:30Z 11-02T06:30Z"},
		{"TZ=America/New_York 30 1 * * *", "2026-11-01T06:10:00Z", "11-02T06:30Z"},
		{"TZ=America/New_York 30 1 * * *", "2026-11-01T06:50:00Z", "11-02T06:30Z"},
		{"TZ=Europe/Berlin 0 2 * * *", "2026-10-24T12:00:00Z", "10-25T00:00Z 10-26T01:00Z"},
		{"TZ=America/New_York */30 * * * *", "2026-11-01T05:00:00Z", "11-01T05:30Z 11-01T06:00Z 11-01T06:30Z 11-01T07:00Z"},
		{"TZ=America/New_York @hourly", "2026-11-01T04:30:00Z", "11-01T05:00Z 11-01T06:00Z 11-01T07:00Z"},
	} {
		s, err := schedule.Parse(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		at, err := time.Parse(time.RFC3339, test.from)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range strings.Fields(test.want) {
			at = s.Next(at)
			got = append(got, at.UTC().Format("01-02T15:04Z07:00"))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s from %s: %s; want %s", test.text, test.from, strings.Join(got, " "), test.want)
		}
	}
}

// Whatever the zone and the time, the next one is later, and a time of day comes once
// on each day.
func TestEveryDay(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "America/St_Johns"} {
		for _, at := range []string{"0 0", "30 0", "15 1", "30 1", "0 2", "30 2", "0 3", "59 23"} {
			s, err := schedule.Parse("TZ=" + zone + " " + at + " * * *")
			if err != nil {
				t.Fatal(err)
			}
			for _, first := range []int{2017, 2023} { // Brazil ended its summer time, and Egypt began it again
				from, end := time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(first+2, 1, 1, 0, 0, 0, 0, time.UTC)
				before, n := from, 0
				for next := s.Next(from); next.Before(end); next = s.Next(next) {
					if gap := next.Sub(before); gap <= 0 || gap > 26*time.Hour {
						t.Fatalf("%s %s: %v after %v", zone, at, next, before)
					}
					before = next
					n++
				}
				if days := int(end.Sub(from) / (24 * time.Hour)); n < days-1 || n > days+1 {
					t.Errorf("%s %s: %d runs in %d days", zone, at, n, days)
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "TZ=", "TZ=UTC", "TZ= * * * * *", "TZ=Nowhere/X * * * * *", "TZ=../../etc/passwd * * * * *", "* * * *", "* * * * * *", "60 * * * *",
		"0 24 * * *", "0 0 31 2 *", "0 0 30 2 *", "@every", "@every 0s", "@every -1m", "@every 100ms", "@every soon", "@reboot", "0 0 * * 8", "*/0 * * * *",
		"x", "0 6 * * * TZ=UTC", "PATH=/bin 0 6 * * *", "0 0 L * *", "\x00",
	} {
		s, err := schedule.Parse(text)
		if !errors.Is(err, egrid.ErrInvalid) || !strings.Contains(err.Error(), "five fields") {
			t.Errorf("%q: %v, %v; want ErrInvalid", text, s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"TZ=Europe/Berlin 30 6 * * 1-5", "@every 15m", "CRON_TZ=UTC @daily", "TZ=", "5-1 */7 1,15 JAN-MAR MON"} {
		f.Add(text, int64(1_772_900_000))
	}
	f.Fuzz(func(t *testing.T, text string, unix int64) {
		s, err := schedule.Parse(text)
		if err != nil {
			return
		}
		from := time.Unix(unix%4_000_000_000, 0)
		for range 3 {
			next := s.Next(from)
			if next.IsZero() {
				return
			}
			if !next.After(from) {
				t.Fatalf("%q: %v is not after %v", text, next, from)
			}
			from = next
		}
	})
}
