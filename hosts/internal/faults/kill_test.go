package faults_test

import (
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/testenv"
	"github.com/egrid-analytics/egrid-go/queue"
)

// TestFaultNone loads without any.
func TestFaultNone(t *testing.T) {
	p := newPlatform(t, large)
	p.consume(3)
	load := p.etl()
	p.midway(load)
	load.ends(t)
	p.wantNew()
}

func TestFaultConsumerKilled(t *testing.T) {
	p := newPlatform(t, large)
	p.consume(3)
	load := p.etl()
	p.midway(load)
	p.consumers[0].kill(t)
	p.consumers = p.consumers[1:]
	load.ends(t)
	p.wantNew()
}

func TestFaultETLKilled(t *testing.T) {
	p := newPlatform(t, large)
	p.consume(3)
	load := p.etl()
	p.midway(load)
	load.kill(t)
	p.etl().ends(t)
	p.wantNew()
}

func TestFaultBrokerRestarted(t *testing.T) {
	testenv.Server(t, "EGRID_TEST_AMQP_RESTART")
	p := newPlatform(t, large)
	p.consume(3)
	load := p.etl()
	p.midway(load)
	restart(t, "EGRID_TEST_AMQP_RESTART")
	load.ends(t)
	if load.says("connection lost") == 0 {
		t.Error("the load lost no connection: another broker was restarted")
	}
	p.wantNew()
}

// TestFaultDatabaseCrashed ends the server without a shutdown.
func TestFaultDatabaseCrashed(t *testing.T) {
	testenv.Server(t, "EGRID_TEST_POSTGRES_RESTART")
	p := newPlatform(t, large)
	p.consume(3)
	load := p.etl()
	p.midway(load)
	p.reader.harmless.Store(true)
	const since = "SELECT pg_postmaster_start_time()"
	before := mustSQL(t, p.admin, since)
	restart(t, "EGRID_TEST_POSTGRES_RESTART")
	if mustSQL(t, p.admin, since) == before {
		t.Fatal("another server was restarted")
	}
	load.ends(t)
	p.wantNew()
}

// TestFaultPermission takes from the database's role what loading needs, and
// gives it back when consumers have noticed.
func TestFaultPermission(t *testing.T) {
	p := newPlatform(t, large, "--retry-base", "300ms")
	p.consume(3)
	load := p.etl()
	p.midway(load)
	mustSQL(t, p.admin, "REVOKE INSERT ON ALL TABLES IN SCHEMA egrid FROM "+role)
	eventually(t, "messages are retried", func() bool { return p.delivered(queue.Retry) >= 20 })
	p.unfinished()
	mustSQL(t, p.admin, "GRANT INSERT ON ALL TABLES IN SCHEMA egrid TO "+role)
	load.ends(t)
	p.wantNew()
}

// TestFaultShutdown tells services to stop in the middle of a load: first a
// consumer, then the load itself.
func TestFaultShutdown(t *testing.T) {
	p := newPlatform(t, large)
	p.consume(3)
	load := p.etl()
	p.midway(load)
	p.consumers[0].stop(t)
	p.consumers = p.consumers[1:]
	load.stop(t)
	p.unfinished()
	p.etl().ends(t)
	p.wantNew()
}
