package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	queueRows   = 200_000
	queueBucket = "egrid-bench"
)

// deployment is a database, a broker, a bucket and two consumers.
type deployment struct {
	*bench
	store, server, broker, endpoint string
	keys                            *url.Userinfo
	sheet                           string
	rounds                          int
}

// openQueue wants the servers that internal/scripts/with-services.sh starts.
func openQueue(ctx context.Context, b *bench) (ours, theirs side, err error) {
	d := &deployment{bench: b, server: os.Getenv("EGRID_TEST_POSTGRES")}
	var broker, bucket *url.URL
	store, err := url.Parse(d.server)
	if err == nil {
		broker, err = url.Parse(os.Getenv("EGRID_TEST_AMQP"))
	}
	if err == nil {
		bucket, err = url.Parse(os.Getenv("EGRID_TEST_S3"))
	}
	if err != nil || store.Host == "" || broker.Host == "" || bucket.Host == "" {
		return nil, nil, errors.New("it needs the servers that internal/scripts/with-services.sh starts")
	}
	if d.sheet, _, err = b.long(queueRows); err != nil {
		return nil, nil, err
	}
	database := fmt.Sprintf("bench_%d", time.Now().UnixNano())
	if _, err := d.psql(ctx, d.server, "CREATE DATABASE "+database); err != nil {
		return nil, nil, err
	}
	b.later(func() {
		_, _ = d.psql(context.WithoutCancel(ctx), d.server, "DROP DATABASE "+database+" WITH (FORCE)") // the server goes, too
	})
	store.Path, broker.Path = "/"+database, "/hosts"
	d.store, d.broker = store.String(), broker.String()
	d.keys, bucket.User = bucket.User, nil
	d.endpoint = bucket.String()
	if _, _, err := b.command(ctx, nil, filepath.Join(b.tools, "egrid"), "migrate", "--store", d.store); err != nil {
		return nil, nil, err
	}
	if err := d.curl(ctx, "-X", "PUT", d.endpoint+"/"+queueBucket); err != nil {
		return nil, nil, err
	}
	for range 2 {
		c := &program{Cmd: exec.CommandContext(ctx, filepath.Join(b.tools, "consumer"), "database", "--store", d.store, "--queue", d.broker, "--addr", "127.0.0.1:0")} //nolint:gosec // G204: the programs are named here
		if err := c.Start(); err != nil {
			return nil, nil, err
		}
		b.later(c.stop)
	}
	return d.load, d.copy, nil
}

// load puts the sheet into the bucket, and takes the time of the service etl.
func (d *deployment) load(ctx context.Context) (figure, error) {
	d.rounds++
	text, err := os.ReadFile(d.sheet)
	if err == nil { // blank lines make other bytes of the same rows
		err = os.WriteFile(d.sheet+".put", append(text, bytes.Repeat([]byte("\n"), d.rounds)...), 0o600) //nolint:gosec // G703: the path is the caller's own
	}
	if err == nil {
		err = d.curl(ctx, "-T", d.sheet+".put", d.endpoint+"/"+queueBucket+"/GEN23.csv")
	}
	if err == nil {
		_, err = d.psql(ctx, d.store, "CHECKPOINT")
	}
	if err != nil {
		return figure{}, err
	}
	secret, _ := d.keys.Password()
	env := []string{"EGRID_S3_ENDPOINT=" + d.endpoint, "EGRID_S3_ACCESS_KEY=" + d.keys.Username(), "EGRID_S3_SECRET_KEY=" + secret}
	f, out, err := d.command(ctx, env, filepath.Join(d.tools, "etl"), "--store", d.store, "--queue", d.broker, "--addr", "127.0.0.1:0",
		"--schedule", "once", "--publish", "replace", "--rejects", d.folder, "s3://"+queueBucket+"/GEN23.csv")
	if err == nil {
		err = complete(out, queueRows)
	}
	return perSecond(queueRows, f, err)
}

// copy has psql copy the sheet into a table like the published one. The row number
// takes the place of the sheet's sequence, which has no index.
func (d *deployment) copy(ctx context.Context) (figure, error) {
	partition, err := d.psql(ctx, d.store, "SELECT format('egrid.gen_%s_%s', data_year, number) FROM egrid.sheets WHERE status = 'published'")
	if err == nil {
		_, err = d.psql(ctx, d.store, "DROP TABLE IF EXISTS copied", "CREATE TABLE copied (LIKE "+partition+" INCLUDING INDEXES)",
			"ALTER TABLE copied DROP COLUMN snapshot, DROP COLUMN release, DROP COLUMN extra, DROP COLUMN sequence", "CHECKPOINT")
	}
	if err != nil {
		return figure{}, err
	}
	f, _, err := d.command(ctx, nil, "psql", "-qtAX", "-v", "ON_ERROR_STOP=1", d.store, "-c", `\copy copied (row_number, data_year, state, plant_name, oris_plant_code, generator_id, boiler_count, status, prime_mover, fuel, nameplate_capacity_mw, capacity_factor, net_generation_mwh, net_generation_ozone_season_mwh, net_generation_source, year_online, year_retired) FROM '`+d.sheet+`' (FORMAT csv, HEADER true)`)
	if err != nil {
		return f, err
	}
	n, err := d.psql(ctx, d.store, "SELECT count(*) FROM copied")
	if err == nil && n != strconv.Itoa(queueRows) {
		err = fmt.Errorf("psql copied %s rows", n)
	}
	return perSecond(queueRows, f, err)
}

// psql runs commands, each in a transaction of its own.
func (d *deployment) psql(ctx context.Context, store string, commands ...string) (string, error) {
	args := []string{"-qtAX", "-v", "ON_ERROR_STOP=1", store}
	for _, c := range commands {
		args = append(args, "-c", c)
	}
	_, out, err := d.command(ctx, nil, "psql", args...)
	return strings.TrimSpace(out), err
}

func (d *deployment) curl(ctx context.Context, args ...string) error {
	secret, _ := d.keys.Password()
	_, _, err := d.command(ctx, nil, "curl", append([]string{"-sS", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", d.keys.Username() + ":" + secret}, args...)...)
	return err
}
