// Command consumer handles the messages of one queue: database writes what the
// etl service sends, notification tells people, error keeps a table of what
// went wrong and replays what can be cured.
//
//	consumer database --queue amqp://egrid@broker/egrid --store postgres://egrid@db/egrid
//	consumer notification --queue amqp://egrid@broker/egrid --webhook https://example.org/hook
//	consumer error --queue amqp://egrid@broker/egrid --store postgres://egrid@db/egrid
//
// # Guarantees
//
// Any number of each may run at once. One that is killed loses nothing: its
// messages go to another one. On SIGTERM it takes no more, and finishes what it
// has, 30 seconds at most.
//
// # Errors
//
// Exit status 0: told to stop; 1: failed; 2: wrong usage. A message that cannot
// be handled is tried again, and becomes a dead letter in the end.
//
// # See also
//
// Command etl, the packages queue and etl/notify, and egrid dead-letters.
package main

import (
	"errors"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/driver"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/notify"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/queue"
)

type cli struct {
	service.Logging
	service.Serving
	service.Keys
	Queue       string        `help:"Where the messages are." required:"" placeholder:"URL"`
	Addr        string        `help:"Address of health and metrics; port 0 is a free one, which the log tells." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	Workers     int           `help:"Messages handled at once. Default: the processors."`
	MaxAttempts int           `help:"How often a message is delivered before it becomes a dead letter." default:"8"`
	RetryBase   time.Duration `help:"Pause after the first failure; each further one is three times as long, five minutes at most." default:"1s"`

	Database     databaseCmd     `cmd:"" help:"Write chunks into the store, and publish them."`
	Notification notificationCmd `cmd:"" help:"Tell people: by the log, and by what the flags name."`
	Error        errorCmd        `cmd:"" help:"Record what went wrong, replay what can be cured, and tell of the rest."`
}

func main() { service.Main("consumer", "A consumer of one queue.", &cli{}) }

// consume runs a consumer until it is told to stop.
func (c *cli) consume(p *service.Process, b queue.Broker, name string, handle queue.Handler, store *driver.Store) error {
	p.Metrics.WatchQueues(b, name)
	p.Metrics.WatchBlocked(b)
	checks := []httpapi.ReadinessCheck{service.QueueCheck(b, name), service.PublishCheck(b)}
	if store != nil {
		checks = append(checks, service.StoreCheck(store.Scanner))
	}
	o := queue.ConsumeOptions{Workers: c.Workers, Retry: queue.RetryPolicy{MaxAttempts: c.MaxAttempts, Base: c.RetryBase}}
	mux := p.Probes(checks...)
	err := c.MountLevel(p, mux)
	if err == nil {
		err = p.Together(p.Serve(c.Addr, mux, c.Serving), p.Consume(b, name, handle, o))
	}
	if store != nil {
		err = errors.Join(err, store.Close())
	}
	return errors.Join(err, b.Close())
}

// open opens what consumers of the store need.
func (c *cli) open(p *service.Process, url string) (queue.Broker, *driver.Store, error) {
	broker, err := p.OpenQueue(c.Queue)
	if err != nil {
		return nil, nil, err
	}
	store, err := p.OpenStore(url, "")
	if err != nil {
		return nil, nil, errors.Join(err, broker.Close())
	}
	return broker, &store, nil
}

type databaseCmd struct {
	Store string `help:"Where to write." required:"" placeholder:"URL"`
}

func (d *databaseCmd) Run(p *service.Process, c *cli) error {
	broker, store, err := c.open(p, d.Store)
	if err != nil {
		return err
	}
	return c.consume(p, broker, queue.QueueDatabase, etl.DatabaseHandler(store), store)
}

type errorCmd struct {
	Store string        `help:"Where the table of errors is." required:"" placeholder:"URL"`
	Quiet time.Duration `help:"How long nobody is told again of failures of the same kind." default:"10m"`
}

func (e *errorCmd) Run(p *service.Process, c *cli) error {
	broker, store, err := c.open(p, e.Store)
	if err != nil {
		return err
	}
	o := &etl.ErrorOptions{Quiet: e.Quiet, Logger: p.Log, Observe: func(f driver.Failure) { p.Metrics.Failed(f.Kind) }}
	return c.consume(p, broker, queue.QueueError, etl.ErrorHandler(store, broker, o), store)
}

type notificationCmd struct {
	Webhook       []string `help:"Address that notices are posted to." placeholder:"URL"`
	WebhookSecret string   `help:"Signs what is posted: whsec_ and base64. Best given by EGRID_WEBHOOK_SECRET."`
	SMTP          string   `help:"Server that sends mail." placeholder:"HOST:PORT"`
	SMTPFrom      string   `help:"Sender of mail." placeholder:"ADDRESS"`
	SMTPTo        []string `help:"Recipients of mail." placeholder:"ADDRESS"`
	SMTPUser      string   `help:"User name at the server." placeholder:"NAME"`
	SMTPPassword  string   `help:"Password at the server. Best given by EGRID_SMTP_PASSWORD."`
}

func (n *notificationCmd) Run(p *service.Process, c *cli) error {
	channels, err := n.channels(p)
	if err != nil {
		return err
	}
	broker, err := p.OpenQueue(c.Queue)
	if err != nil {
		return err
	}
	return c.consume(p, broker, queue.QueueNotification, notify.Handler(channels...), nil)
}

func (n *notificationCmd) channels(p *service.Process) ([]notify.Notifier, error) {
	channels := []notify.Notifier{notify.Log(p.Log)}
	for _, address := range n.Webhook {
		hook, err := notify.Webhook(address, &notify.WebhookOptions{Secret: n.WebhookSecret})
		if err != nil {
			return nil, err
		}
		channels = append(channels, hook)
	}
	if n.SMTP == "" {
		return channels, nil
	}
	mail, err := notify.SMTP(n.SMTP, &notify.SMTPOptions{From: n.SMTPFrom, To: n.SMTPTo, Username: n.SMTPUser, Password: n.SMTPPassword})
	return append(channels, mail), err
}
