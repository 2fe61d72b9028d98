package main

import (
	"io"
	"time"

	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
)

type notifyCmd struct {
	Title string `arg:"" help:"What happened, in one line."`
	Text  string `help:"Details; - for standard input." placeholder:"TEXT"`
	Kind  string `help:"What the notice is about, as run_failed: lower-case letters, digits and underscores." default:"failure"`
	RunID string `name:"run-id" help:"The run that it is about." placeholder:"ID"`
}

func (c *notifyCmd) Run(a *app) error {
	if c.Text == "-" {
		text, err := io.ReadAll(a.stdin)
		if err != nil {
			return err
		}
		c.Text = string(text)
	}
	m, err := etl.EncodeNotice(etl.Notice{Kind: etl.NoticeKind(c.Kind), Time: time.Now().UTC(), RunID: c.RunID, Title: c.Title, Text: c.Text})
	if err != nil {
		return err
	}
	return a.withBroker(func(b queue.Broker) error { return b.Publish(a.ctx, m) })
}

// notify sends how a run ended to the consumers of notifications and errors, as the
// service etl does.
func (a *app) notify(r *etl.Report) error {
	return a.withBroker(func(b queue.Broker) error {
		for _, in := range etl.ObjectIncidents(*r) {
			m, err := etl.EncodeIncident(in)
			if err == nil {
				err = b.Publish(a.ctx, m)
			}
			if err != nil {
				return err
			}
		}
		for _, n := range etl.Notices(*r, time.Now()) {
			m, err := etl.EncodeNotice(n)
			if err == nil {
				err = b.Publish(a.ctx, m)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
