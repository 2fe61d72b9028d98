package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
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
	if broker == nil {
		return fmt.Errorf("%w: no queue is named; give --queue amqp://HOST/VHOST, or EGRID_QUEUE", egrid.ErrInvalid)
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

// letters yields the dead letters of a queue as they are printed.
func (a *app) letters(b queue.DeadLetterBox, name string) iter.Seq2[deadLetter, error] {
	return func(yield func(deadLetter, error) bool) {
		for l, err := range b.DeadLetters(a.ctx, name) {
			if !yield(deadLetter{
				Queue: l.Queue, ID: l.Message.ID, Key: l.Message.Key, Content: etl.Describe(l.Message), Bytes: len(l.Message.Body),
				Attempts: l.Attempts, FirstSeen: l.FirstSeen, Died: l.Died, Reason: l.Reason, Stack: l.Stack, Headers: l.Message.Headers,
			}, err) {
				return
			}
		}
	}
}

// tellPart says on stderr that others kept some dead letters, and makes the exit
// status of it. Any other error it returns.
func (a *app) tellPart(err error) error {
	var partial *queue.PartialError
	if !errors.As(err, &partial) {
		return err
	}
	complain(a.stderr, err)
	return incomplete
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
		var out letterWriter = &letterTable{w: a.stdout}
		if c.JSON {
			out = &letterJSON{w: a.stdout}
		}
		var part error
		for _, name := range names {
			for l, err := range a.letters(b, name) {
				if err == nil {
					err = out.write(&l)
				} else if err = a.tellPart(err); errors.Is(err, incomplete) {
					part, err = err, nil
				}
				if err != nil {
					return errors.Join(err, out.end())
				}
			}
		}
		return errors.Join(out.end(), part)
	})
}

// letterWriter prints dead letters one by one.
type letterWriter interface {
	write(*deadLetter) error
	end() error
}

// letterTable prints a table whose columns have the widths that its first rows
// need.
type letterTable struct {
	w     io.Writer
	table terminal.Table
	rows  int
	began bool
}

// letterRows is how many rows of the table are written at a time.
const letterRows = 50

func (t *letterTable) write(l *deadLetter) error {
	t.table.Add(strings.TrimPrefix(l.Queue, queue.Exchange+"."), short(l.ID), l.Content, fmt.Sprint(l.Attempts), l.Died.Format("2006-01-02 15:04:05"), oneLine(l.Reason, 100))
	if t.rows++; t.rows < letterRows {
		return nil
	}
	return t.flush()
}

func (t *letterTable) flush() error {
	if !t.began {
		t.table.Header = []string{"queue", "id", "content", "attempts", "died", "reason"}
		t.table.Right = []bool{false, false, false, true}
		t.table.Width = terminal.Columns(t.w)
		t.began = true
	}
	t.rows = 0
	return t.table.Flush(t.w)
}

func (t *letterTable) end() error {
	if t.began && t.rows == 0 {
		return nil
	}
	return t.flush()
}

// letterJSON prints one JSON array.
type letterJSON struct {
	w     io.Writer
	began bool
}

func (j *letterJSON) write(l *deadLetter) error {
	var text bytes.Buffer
	if text.WriteByte(','); !j.began {
		text.Reset()
		text.WriteByte('[')
	}
	j.began = true
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(l); err != nil {
		return err
	}
	_, err := j.w.Write(bytes.TrimSpace(text.Bytes()))
	return err
}

func (j *letterJSON) end() error {
	text := "]\n"
	if !j.began {
		text = "[]\n"
	}
	_, err := io.WriteString(j.w, text)
	return err
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

// act does something with what was chosen, and says how many it was. What others
// kept from it is told, too.
func (c *chosen) act(a *app, done string, do func(b queue.DeadLetterBox, name string, ids []string) (int, error)) error {
	names, err := deadQueues(c.Queue)
	if err != nil {
		return err
	}
	if c.All == (len(c.ID) > 0) {
		return fmt.Errorf("%w: give either ids or --all", egrid.ErrInvalid)
	}
	return a.withBroker(func(b queue.Broker) error {
		ids, part := c.ids(a, b, names[0])
		var partial *queue.PartialError
		if part != nil && !errors.As(part, &partial) {
			return part
		}
		n, err := do(b, names[0], ids)
		fmt.Fprintf(a.stdout, "%d %s %s\n", n, done, names[0])
		return a.tellPart(cmp.Or(err, part))
	})
}

// ids finds the whole ids of what was chosen. Beside a *queue.PartialError it
// returns those that it found.
func (c *chosen) ids(a *app, b queue.DeadLetterBox, name string) ([]string, error) {
	var ids []string
	known := map[string]bool{}
	for l, err := range a.letters(b, name) {
		if err != nil && c.All {
			return ids, err
		}
		if err != nil {
			return nil, err
		}
		if !known[l.ID] {
			known[l.ID] = true
			ids = append(ids, l.ID)
		}
	}
	if c.All {
		return ids, nil
	}
	var found []string
	for _, prefix := range c.ID {
		id, err := whole(ids, prefix)
		if err != nil {
			return nil, err
		}
		found = append(found, id)
	}
	return found, nil
}

// whole finds the id that begins so.
func whole(ids []string, prefix string) (string, error) {
	found := ""
	for _, id := range ids {
		switch {
		case id == prefix:
			return prefix, nil
		case !strings.HasPrefix(id, prefix):
		case found != "" && found != id:
			return "", fmt.Errorf("%w: several ids begin with %q", egrid.ErrInvalid, prefix)
		default:
			found = id
		}
	}
	if found == "" {
		return "", fmt.Errorf("%w: no dead letter %q; egrid dead-letters list shows those there are", egrid.ErrNotFound, prefix)
	}
	return found, nil
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
		var letters []deadLetter // those that may be meant
		var ids []string
		for l, err := range a.letters(b, names[0]) {
			if err != nil {
				return a.tellPart(err)
			}
			if strings.HasPrefix(l.ID, c.ID) && !slices.Contains(ids, l.ID) && len(ids) < 2 || l.ID == c.ID {
				letters, ids = append(letters, l), append(ids, l.ID)
			}
		}
		id, err := whole(ids, c.ID)
		if err != nil {
			return err
		}
		letter := letters[slices.Index(ids, id)]
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
			t.Add(name, oneLine(letter.Headers[name], 1000))
		}
		if err := t.Write(a.stdout); err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "\n%s\n%s", terminal.EscapeLines(letter.Reason), terminal.EscapeLines(letter.Stack))
		return err
	})
}

type replayDeadCmd struct{ chosen }

func (c *replayDeadCmd) Run(a *app) error {
	return c.act(a, "put back into", func(b queue.DeadLetterBox, name string, ids []string) (int, error) {
		return b.Replay(a.ctx, name, ids...)
	})
}

type dropDeadCmd struct{ chosen }

func (c *dropDeadCmd) Run(a *app) error {
	return c.act(a, "dropped from", func(b queue.DeadLetterBox, name string, ids []string) (int, error) {
		return b.Drop(a.ctx, name, ids...)
	})
}
