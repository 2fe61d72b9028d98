package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
	"github.com/egrid-analytics/egrid-go/queue"
)

type deadLettersCmd struct {
	List   listDeadCmd   `cmd:"" help:"List them."`
	Show   showDeadCmd   `cmd:"" help:"Show one: what it is, why it was given up, and its headers."`
	Replay replayDeadCmd `cmd:"" help:"Put them back into their queue."`
	Drop   dropDeadCmd   `cmd:"" help:"Forget them."`
}

const deadQueueHelp = "database, notification or error."

// deadLetter is a dead letter as it is printed.
type deadLetter struct {
	Queue     string            `json:"queue"`
	ID        string            `json:"id"`
	Key       string            `json:"key"`
	Content   string            `json:"content"`
	Bytes     int               `json:"bytes"`
	Attempts  int               `json:"attempts"`
	FirstSeen time.Time         `json:"first_seen"`
	Died      time.Time         `json:"died"`
	Reason    string            `json:"reason"`
	Stack     string            `json:"stack,omitempty"`
	Headers   map[string]string `json:"headers"`
}

// withBroker runs f on the broker that the flags name.
func (a *app) withBroker(f func(queue.Broker) error) error {
	if strings.HasPrefix(a.cli.Queue, "mem:") {
		return fmt.Errorf("%w: messages of the queue mem: end with their process; name another one by --queue or EGRID_QUEUE", egrid.ErrInvalid)
	}
	broker, err := service.OpenQueue(a.ctx, a.cli.Queue)
	if err != nil {
		return err
	}
	return errors.Join(f(broker), broker.Close())
}

// deadQueues turns what a user writes into names of queues; all for nothing.
func deadQueues(name string) ([]string, error) {
	all := queue.DefaultTopology().Queues()
	if name == "" {
		return all, nil
	}
	if !strings.HasPrefix(name, queue.Exchange+".") {
		name = queue.Exchange + "." + name
	}
	if !slices.Contains(all, name) {
		return nil, fmt.Errorf("%w: queue %q; want %s", egrid.ErrInvalid, name, deadQueueHelp)
	}
	return []string{name}, nil
}

// letters reads the dead letters of a queue.
func (a *app) letters(b queue.Broker, name string) ([]deadLetter, error) {
	var all []deadLetter
	for l, err := range b.DeadLetters(a.ctx, name) {
		if err != nil {
			return nil, err
		}
		all = append(all, deadLetter{
			Queue: l.Queue, ID: l.Message.ID, Key: l.Message.Key, Content: etl.Describe(l.Message), Bytes: len(l.Message.Body),
			Attempts: l.Attempts, FirstSeen: l.FirstSeen, Died: l.Died, Reason: l.Reason, Stack: l.Stack, Headers: l.Message.Headers,
		})
	}
	return all, nil
}

type listDeadCmd struct {
	Queue string `arg:"" optional:"" name:"queue" help:"database, notification or error. Default: all."`
	JSON  bool   `help:"Print JSON."`
}

func (c *listDeadCmd) Run(a *app) error {
	names, err := deadQueues(c.Queue)
	if err != nil {
		return err
	}
	return a.withBroker(func(b queue.Broker) error {
		all := []deadLetter{}
		for _, name := range names {
			letters, err := a.letters(b, name)
			if err != nil {
				return err
			}
			all = append(all, letters...)
		}
		if c.JSON {
			return printJSON(a, all)
		}
		t := terminal.Table{Header: []string{"queue", "id", "content", "attempts", "died", "reason"}, Right: []bool{false, false, false, true}}
		for i := range all {
			l := &all[i]
			t.Add(strings.TrimPrefix(l.Queue, queue.Exchange+"."), short(l.ID), l.Content, fmt.Sprint(l.Attempts), l.Died.Format("2006-01-02 15:04:05"), oneLine(l.Reason, 100))
		}
		return t.Write(a.stdout)
	})
}

// short is enough of an id to name it by.
func short(id string) string { return id[:min(12, len(id))] }

// oneLine is the beginning of a text, on one line.
func oneLine(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most-1]) + "…"
	}
	return text
}

// chosen are the dead letters that a command is about.
type chosen struct {
	Queue string   `arg:"" name:"queue" help:"database, notification or error."`
	ID    []string `arg:"" optional:"" help:"Their ids, or the beginnings of them."`
	All   bool     `help:"All dead letters of the queue."`
}

// ids finds the whole ids of what was chosen.
func (c *chosen) ids(a *app, b queue.Broker) (name string, ids []string, err error) {
	names, err := deadQueues(c.Queue)
	if err != nil {
		return "", nil, err
	}
	name = names[0]
	if c.All == (len(c.ID) > 0) {
		return name, nil, fmt.Errorf("%w: give either ids or --all", egrid.ErrInvalid)
	}
	letters, err := a.letters(b, name)
	if err != nil {
		return name, nil, err
	}
	found := map[string]bool{}
	for i := range letters {
		if c.All {
			found[letters[i].ID] = true
		}
	}
	for _, prefix := range c.ID {
		id, err := whole(letters, prefix)
		if err != nil {
			return name, nil, err
		}
		found[id] = true
	}
	return name, slices.Sorted(maps.Keys(found)), nil
}

// whole finds the id that begins so. Several dead letters may have the same.
func whole(letters []deadLetter, prefix string) (string, error) {
	id := ""
	for i := range letters {
		switch l := &letters[i]; {
		case l.ID == prefix:
			return prefix, nil
		case !strings.HasPrefix(l.ID, prefix) || l.ID == id:
		case id != "":
			return "", fmt.Errorf("%w: several ids begin with %q", egrid.ErrInvalid, prefix)
		default:
			id = l.ID
		}
	}
	if id == "" {
		return "", fmt.Errorf("%w: no dead letter %q; egrid dead-letters list shows those there are", egrid.ErrNotFound, prefix)
	}
	return id, nil
}

type showDeadCmd struct {
	Queue string `arg:"" name:"queue" help:"database, notification or error."`
	ID    string `arg:"" help:"Its id, or the beginning of it."`
	JSON  bool   `help:"Print JSON."`
}

func (c *showDeadCmd) Run(a *app) error {
	names, err := deadQueues(c.Queue)
	if err != nil {
		return err
	}
	return a.withBroker(func(b queue.Broker) error {
		letters, err := a.letters(b, names[0])
		if err != nil {
			return err
		}
		id, err := whole(letters, c.ID)
		if err != nil {
			return err
		}
		letter := letters[slices.IndexFunc(letters, func(l deadLetter) bool { return l.ID == id })]
		if c.JSON {
			return printJSON(a, letter)
		}
		t := terminal.Table{Header: []string{"queue", letter.Queue}}
		t.Add("id", letter.ID)
		t.Add("key", letter.Key)
		t.Add("content", letter.Content)
		t.Add("bytes", fmt.Sprint(letter.Bytes))
		t.Add("attempts", fmt.Sprint(letter.Attempts))
		t.Add("first seen", letter.FirstSeen.Format(time.RFC3339))
		t.Add("died", letter.Died.Format(time.RFC3339))
		for _, name := range slices.Sorted(maps.Keys(letter.Headers)) {
			t.Add(name, letter.Headers[name])
		}
		if err := t.Write(a.stdout); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "\n%s\n%s", letter.Reason, letter.Stack)
		return err
	})
}

type replayDeadCmd struct{ chosen }

func (c *replayDeadCmd) Run(a *app) error {
	return a.withBroker(func(b queue.Broker) error {
		name, ids, err := c.ids(a, b)
		if err != nil {
			return err
		}
		n, err := b.Replay(a.ctx, name, ids...)
		fmt.Fprintf(a.stdout, "%d put back into %s\n", n, name)
		return err
	})
}

type dropDeadCmd struct{ chosen }

func (c *dropDeadCmd) Run(a *app) error {
	return a.withBroker(func(b queue.Broker) error {
		name, ids, err := c.ids(a, b)
		if err != nil {
			return err
		}
		n, err := b.Drop(a.ctx, name, ids...)
		fmt.Fprintf(a.stdout, "%d dropped from %s\n", n, name)
		return err
	})
}
