// Command custom-consumer tells people of loads in a way of its own: here it writes to
// standard output what a chat would be sent. A message that fails is tried again
// (retries), and becomes a dead letter in the end, which is kept.
//
// The broker is one in memory, and the sheet is held, so that the program shows by itself
// what happens; a service opens queue/rabbitqueue instead, and leaves publishing to
// others.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/queue"
	"github.com/egrid-analytics/egrid-go/queue/memqueue"
)

// chat is what people are told by. It is out of order at first.
type chat struct{ outages int }

func (c *chat) post(text string) error {
	if c.outages > 0 {
		c.outages--
		return errors.New("the chat does not answer")
	}
	fmt.Println("chat:", text)
	return nil
}

// handler makes a queue.Handler of it. What no retry can cure is marked by
// queue.Permanent.
func (c *chat) handler(told func()) queue.Handler {
	return func(_ context.Context, d queue.Delivery) error {
		notice, err := etl.DecodeNotice(d.Message)
		if err != nil {
			return queue.Permanent(err)
		}
		if err := c.post(notice.Title); err != nil {
			fmt.Printf("attempt %d: %v\n", d.Attempt, err)
			return err
		}
		told()
		return nil
	}
}

// sheet is impossible: it has emissions of CO2e below those of CO2.
const sheet = "YEAR,SUBRGN,SRNGENAN,SRCO2AN,SRCO2EQA\n2023,NYCW,5,10,8\n"

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	broker := memqueue.New(nil)
	defer func() { err = errors.Join(err, broker.Close()) }()
	source := etl.Stream("SRL23.csv", strings.NewReader(sheet))
	report, err := etl.New(source, etl.ToLoader(memstore.New()), nil).Run(ctx)
	if err != nil {
		return err
	}
	notices := etl.Notices(report, time.Now())
	for _, notice := range notices {
		message, err := etl.EncodeNotice(notice)
		if err != nil {
			return err
		}
		if err := broker.Publish(ctx, message); err != nil {
			return err
		}
	}

	ctx, stop := context.WithCancel(ctx)
	left := len(notices)
	people := &chat{outages: 1}
	told := func() {
		if left--; left == 0 {
			stop() // a service goes on until it is told to stop
		}
	}
	return queue.Consume(ctx, broker, queue.QueueNotification, people.handler(told), &queue.ConsumeOptions{
		Workers: 1, Retry: queue.RetryPolicy{Base: 10 * time.Millisecond},
	})
}
