package faults_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/queue"
)

// TestFaultRandomKills loads one edition over the other, again and again, and
// in every load kills one of the services at a moment left to chance. It is
// started again at once.
func TestFaultRandomKills(t *testing.T) {
	t.Logf("-seed %d", *seedFlag)
	chance := rand.New(rand.NewPCG(*seedFlag, 0))
	p := newPlatform(t, small, "--retry-base", "50ms")
	p.reader.halt()
	p.reader = watch(t.Context(), store.New(p.pg), p.editions, false, 200*time.Millisecond)
	p.consume(3)
	editions := []edition{p.editions.new, p.editions.old}
	var usual time.Duration
	const unharmed = 4
	for i := range unharmed {
		began := time.Now()
		p.etl(editions[i%2].dir).ends(t)
		usual += time.Since(began) / unharmed
		p.wantEdition(editions[i%2])
	}
	began := time.Now()
	killed := map[string]int{}
	loads, comparing := 0, time.Duration(0)
	for ; killed["consumer"]+killed["etl"] < *killsFlag; loads++ {
		e := editions[loads%2]
		load := p.etl(e.dir)
		victim, after := chance.IntN(4), time.Duration(chance.Int64N(int64(usual)))
		select {
		case <-time.After(after):
		case <-load.exited:
		}
		switch {
		case !load.running():
			killed["nothing, because the load was done"]++
		case victim < len(p.consumers):
			p.consumers[victim].kill(t)
			p.consumers[victim] = p.databaseConsumer()
			killed["consumer"]++
		default:
			load.kill(t)
			load = p.etl(e.dir)
			killed["etl"]++
		}
		load.ends(t)
		loaded := time.Now()
		p.wantEdition(e)
		comparing += time.Since(loaded)
		if t.Failed() {
			t.Fatalf("in load %d, with a kill of %d after %v", loads, victim, after)
		}
	}
	t.Logf("a load takes %v; %d loads in %v, and %v of it to compare; killed: %v",
		usual, loads, time.Since(began).Round(time.Second), comparing.Round(time.Second), killed)
	p.wantDone()
	p.reader.end(t)
}

// wantEdition compares every row of what is published now.
func (p *platform) wantEdition(e edition) {
	p.t.Helper()
	for _, level := range levels() {
		got, err := rows(p.t.Context(), store.New(p.pg), level)
		if err != nil {
			p.t.Fatal(err)
		}
		if want := e.sheets[level]; got != want {
			p.t.Errorf("%s: %s", level, difference(got, want))
		}
	}
	if letters := p.depth(queue.QueueDatabase).Dead; letters > 0 {
		l := p.deadLetters(queue.QueueDatabase)[0]
		p.t.Errorf("%d dead letters, the first of %d attempts: %s: %s", letters, l.Attempts, l.Message.Key, l.Reason)
	}
}
