package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const benchBucket = "egrid-bench"

// deployment is a database and a bucket, of the servers that
// internal/scripts/with-services.sh starts.
type deployment struct {
	*bench
	server   string // a database of the server
	store    string // ours
	endpoint string
	s3       []string // environment of programs that read the bucket
	keys     *url.Userinfo
	made     int // databases
}

// deploy makes an empty database and a bucket.
func deploy(ctx context.Context, b *bench) (*deployment, error) {
	d := &deployment{bench: b, server: os.Getenv("EGRID_TEST_POSTGRES")}
	bucket, err := url.Parse(os.Getenv("EGRID_TEST_S3"))
	if err != nil || bucket.Host == "" || d.server == "" {
		return nil, errors.New("it needs the servers that internal/scripts/with-services.sh starts")
	}
	d.keys, bucket.User = bucket.User, nil
	d.endpoint = bucket.String()
	secret, _ := d.keys.Password()
	d.s3 = []string{"EGRID_S3_ENDPOINT=" + d.endpoint, "EGRID_S3_ACCESS_KEY=" + d.keys.Username(), "EGRID_S3_SECRET_KEY=" + secret}
	if d.store, err = d.database(ctx, ""); err != nil {
		return nil, err
	}
	if _, _, err := b.command(ctx, nil, filepath.Join(b.tools, "egrid"), "migrate", "--store", d.store); err != nil {
		return nil, err
	}
	return d, d.curl(ctx, "-X", "PUT", d.endpoint+"/"+benchBucket)
}

// database makes a database, a copy of ours unless that is not there yet, which goes
// with the row.
func (d *deployment) database(ctx context.Context, template string) (string, error) {
	d.made++
	name := fmt.Sprintf("bench_%d_%d", time.Now().UnixNano(), d.made)
	create := "CREATE DATABASE " + name
	if template != "" {
		from, err := url.Parse(template)
		if err != nil {
			return "", err
		}
		create += " TEMPLATE " + strings.TrimPrefix(from.Path, "/")
	}
	if _, err := d.psql(ctx, d.server, create, "CHECKPOINT"); err != nil {
		return "", err
	}
	d.later(func() {
		_, _ = d.psql(context.WithoutCancel(ctx), d.server, "DROP DATABASE "+name+" WITH (FORCE)") // the server goes, too
	})
	store, err := url.Parse(d.server)
	if err != nil {
		return "", err
	}
	store.Path = "/" + name
	return store.String(), nil
}

// upload puts a file into the bucket.
func (d *deployment) upload(ctx context.Context, path, key string) error {
	return d.curl(ctx, "-T", path, d.endpoint+"/"+benchBucket+"/"+key)
}

// pipeline is a deployment with a broker and two consumers.
type pipeline struct {
	*deployment
	broker string
	sheet  string
	rows   int
	rounds int
}

func openQueue(ctx context.Context, b *bench) (ours, theirs side, err error) {
	broker, err := url.Parse(os.Getenv("EGRID_TEST_AMQP"))
	if err != nil || broker.Host == "" {
		return nil, nil, errors.New("it needs the servers that internal/scripts/with-services.sh starts")
	}
	d, err := deploy(ctx, b)
	if err != nil {
		return nil, nil, err
	}
	broker.Path = "/hosts"
	p := &pipeline{deployment: d, broker: broker.String()}
	if p.sheet, p.rows, err = b.long(longRows); err != nil {
		return nil, nil, err
	}
	for range 2 {
		c := &program{Cmd: exec.CommandContext(ctx, filepath.Join(b.tools, "consumer"), "database", "--store", p.store, "--queue", p.broker, "--addr", "127.0.0.1:0")} //nolint:gosec // G204: the programs are named here
		if err := c.Start(); err != nil {
			return nil, nil, err
		}
		b.later(c.stop)
	}
	return p.load, p.copy, nil
}

// load puts the sheet into the bucket, and takes the time of the service etl. What
// was loaded before would not be indexed again, so each turn has another first row.
func (p *pipeline) load(ctx context.Context) (figure, error) {
	p.rounds++
	err := renumber(p.sheet, p.sheet+".put", longRows+p.rounds)
	if err == nil {
		err = p.upload(ctx, p.sheet+".put", "GEN23.csv")
	}
	if err == nil {
		_, err = p.psql(ctx, p.store, "CHECKPOINT")
	}
	if err != nil {
		return figure{}, err
	}
	f, out, err := p.command(ctx, p.s3, filepath.Join(p.tools, "etl"), "--store", p.store, "--queue", p.broker, "--addr", "127.0.0.1:0",
		"--schedule", "once", "--publish", "replace", "--rejects", p.folder, "s3://"+benchBucket+"/GEN23.csv")
	if err == nil {
		err = complete(out, p.rows)
	}
	return perSecond(p.rows, f, err)
}

// renumber copies a sheet, with another number of sequence in the first row.
func renumber(path, to string, sequence int) error {
	from, err := os.Open(path) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return err
	}
	defer from.Close()
	out, err := os.Create(to) //nolint:gosec // G304: the path is the caller's own
	if err != nil {
		return err
	}
	r := bufio.NewReader(from)
	codes, err1 := r.ReadString('\n')
	_, err2 := r.ReadString(',')
	_, err3 := fmt.Fprintf(out, "%s%d,", codes, sequence)
	_, err4 := io.Copy(out, r)
	return errors.Join(err1, err2, err3, err4, out.Close())
}

// copy has psql copy the sheet into a table like the published one. The row number
// takes the place of the sheet's sequence, which has no index.
func (p *pipeline) copy(ctx context.Context) (figure, error) {
	partition, err := p.psql(ctx, p.store, "SELECT format('egrid.gen_%s_%s', data_year, number) FROM egrid.sheets WHERE status = 'published'")
	if err == nil {
		_, err = p.psql(ctx, p.store, "DROP TABLE IF EXISTS copied", "CREATE TABLE copied (LIKE "+partition+" INCLUDING INDEXES)",
			"ALTER TABLE copied DROP COLUMN snapshot, DROP COLUMN release, DROP COLUMN extra, DROP COLUMN sequence", "CHECKPOINT")
	}
	if err != nil {
		return figure{}, err
	}
	f, _, err := p.command(ctx, nil, "psql", "-qtAX", "-v", "ON_ERROR_STOP=1", p.store, "-c", `\copy copied (row_number, data_year, state, plant_name, oris_plant_code, generator_id, boiler_count, status, prime_mover, fuel, nameplate_capacity_mw, capacity_factor, net_generation_mwh, net_generation_ozone_season_mwh, net_generation_source, year_online, year_retired) FROM '`+p.sheet+`' (FORMAT csv, HEADER true)`)
	if err != nil {
		return f, err
	}
	n, err := p.psql(ctx, p.store, "SELECT count(*) FROM copied")
	if err == nil && n != strconv.Itoa(p.rows) {
		err = fmt.Errorf("psql copied %s rows", n)
	}
	return perSecond(p.rows, f, err)
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
