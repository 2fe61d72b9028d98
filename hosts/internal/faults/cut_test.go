package faults_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
)

// cutter stands between the consumers and the database, and cuts every
// connection when it has carried a number of bytes that is left to chance.
type cutter struct {
	target string

	mu     sync.Mutex
	chance *rand.Rand
	whole  bool // cuts nothing any more
	cuts   int
	copies int // cuts in the middle of COPY
}

// newCutter returns the cutter, and its address for a store.
func newCutter(t *testing.T, store string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("-seed %d", *seedFlag)
	c := &cutter{target: u.Host, chance: rand.New(rand.NewPCG(*seedFlag, 0))}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { c.serve(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait() // consumers are gone by now
	})
	u.Host = listener.Addr().String()
	return c, u.String()
}

// budget is how many bytes a connection carries to the database.
func (c *cutter) budget() int64 {
	const least, most = 2 << 10, 200 << 10
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.whole {
		return 1 << 40
	}
	return least + c.chance.Int64N(most-least)
}

func (c *cutter) serve(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", c.target)
	if err != nil {
		return
	}
	defer far.Close()
	back := make(chan struct{})
	go func() {
		defer close(back)
		_, _ = io.Copy(near, far)
		_ = near.Close()
	}()
	carried := &protocol{}
	_, err = io.CopyN(io.MultiWriter(far, carried), near, c.budget())
	_ = far.Close()
	_ = near.Close()
	<-back
	if err == nil { // all of the budget is spent
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cuts++
		if carried.copying() {
			c.copies++
		}
	}
}

// protocol keeps the end of what a client of PostgreSQL has sent.
type protocol struct{ tail []byte }

func (p *protocol) Write(b []byte) (int, error) {
	p.tail = append(p.tail, b...)
	p.tail = p.tail[max(0, len(p.tail)-256<<10):]
	return len(b), nil
}

// copying reports whether a COPY began and did not end.
func (p *protocol) copying() bool {
	began, ended := bytes.LastIndex(p.tail, []byte("FROM STDIN")), bytes.LastIndex(p.tail, []byte("c\x00\x00\x00\x04"))
	return began >= 0 && ended < began
}

// TestFaultConnectionsCut cuts connections to the database during a whole
// load.
func TestFaultConnectionsCut(t *testing.T) {
	p := newPlatform(t, large, "--retry-base", "20ms", "--max-attempts", "30")
	direct := p.store
	var c *cutter
	c, p.store = newCutter(t, direct)
	p.consume(3)
	p.store = direct
	load := p.etl()
	p.midway(load)
	load.ends(t)
	c.mu.Lock()
	c.whole = true
	t.Logf("%d connections cut, %d of them in COPY", c.cuts, c.copies)
	if c.cuts < 20 || c.copies < 5 {
		t.Error("too few to show anything")
	}
	c.mu.Unlock()
	p.wantNew()
}
