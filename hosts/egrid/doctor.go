package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/storeurl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/doctor"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

type doctorCmd struct {
	Deployment bool          `help:"Examine a deployment of several services: the ten items of docs/operations/checklist.md."`
	Env        string        `env:"-" help:"File of settings, a NAME=VALUE in a line, instead of the environment." type:"path" placeholder:"FILE"`
	Gateway    string        `env:"-" help:"Address that users have." placeholder:"URL"`
	API        []string      `env:"-" help:"Addresses of the services behind it." placeholder:"URL"`
	CA         string        `env:"-" name:"ca" help:"Further authorities of certificates (PEM)." type:"path" placeholder:"FILE"`
	Prometheus string        `env:"-" help:"Address of Prometheus." placeholder:"URL"`
	Backups    string        `env:"-" help:"Folder of the database's backups." type:"path" placeholder:"FOLDER"`
	BackupAge  time.Duration `env:"-" help:"How old the newest backup may be." default:"26h"`
	Manifests  string        `env:"-" help:"Folder of the Kubernetes manifests." type:"path" placeholder:"FOLDER"`
	Restored   string        `env:"-" help:"A store that was restored from a backup." placeholder:"URL"`
	Findings   string        `env:"-" help:"What govulncheck -mode binary -format json printed." type:"path" placeholder:"FILE"`
	Budget     time.Duration `env:"-" help:"Within which 19 of 20 answers come." default:"200ms"`
	Timeout    time.Duration `env:"-" help:"How long one request may take." default:"5s"`
	JSON       bool          `env:"-" help:"Print JSON."`
}

// knownSettings are the settings of all programs and of the deployment, a name in a
// line; make generate writes them.
//
//go:embed settings.txt
var knownSettings string

func (c *doctorCmd) Run(a *app) error {
	var results []doctor.Result
	if c.Deployment {
		settings, err := c.settings()
		if err != nil {
			return err
		}
		d := doctor.Deployment{
			Settings: settings, Known: strings.Fields(knownSettings), Gateway: c.Gateway, API: c.API, CA: c.CA, Prometheus: c.Prometheus, Backups: c.Backups,
			BackupAge: c.BackupAge, Manifests: c.Manifests, Restored: c.Restored, Findings: c.Findings, Budget: c.Budget, Timeout: c.Timeout, Catalog: catalogOf,
		}
		results = d.Examine(a.ctx)
	} else {
		results = c.local(a)
	}
	if c.JSON {
		if err := printJSON(a, results); err != nil {
			return err
		}
	} else if err := a.printResults(results); err != nil {
		return err
	}
	for i := range results {
		if results[i].Status == doctor.Fail {
			return failed
		}
	}
	return nil
}

func (a *app) printResults(results []doctor.Result) error {
	p := terminal.NewPage(a.stdout)
	for _, r := range results {
		p.Text(0, fmt.Sprintf("%s %s: %s", r.Status, r.Item, r.Found))
		if r.Remedy != "" {
			p.Text(2, "-> "+r.Remedy)
		}
	}
	return p.Err()
}

// settings are those of --env, or else of the environment.
func (c *doctorCmd) settings() (map[string]string, error) {
	settings := map[string]string{}
	add := func(line string) {
		name, value, ok := strings.Cut(line, "=")
		if ok && strings.HasPrefix(name, "EGRID_") && value != "" {
			settings[name] = strings.Trim(value, `"'`)
		}
	}
	if c.Env == "" {
		for _, line := range os.Environ() {
			add(line)
		}
		return settings, nil
	}
	text, err := os.ReadFile(c.Env)
	if err != nil {
		return nil, fmt.Errorf("%w: --env: %w", egrid.ErrInvalid, err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		add(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "export ")))
	}
	return settings, nil
}

func catalogOf(ctx context.Context, url string) (egrid.Catalog, error) {
	s, err := service.OpenExisting(ctx, url)
	if err != nil {
		return egrid.Catalog{}, err
	}
	catalog, err := s.Catalog(ctx)
	return catalog, errors.Join(err, s.Close())
}

// local examines the set-up of one computer.
func (c *doctorCmd) local(a *app) []doctor.Result {
	var results []doctor.Result
	add := func(item, status, remedy, format string, args ...any) {
		r := doctor.Result{Item: item, Status: status, Found: withoutKind(fmt.Sprintf(format, args...))}
		if status != doctor.Pass {
			r.Remedy = remedy
		}
		results = append(results, r)
	}
	path, file := storeurl.Path(a.cli.Store)
	catalog, err := catalogOf(a.ctx, a.cli.Store)
	switch {
	case errors.Is(err, egrid.ErrSchema):
		add("store", doctor.Fail, "egrid migrate, or the program of that version", "%v", err)
	case err != nil:
		add("store", doctor.Fail, "mend the address (--store, EGRID_STORE), or make the store with egrid load FILE", "%v", err)
	case catalog.Revision == 0:
		add("store", doctor.Unknown, "egrid load FILE, or egrid fetch YEAR --load", "nothing is published in %s", shown(a.cli.Store))
	default:
		add("store", doctor.Pass, "", "%s, %d snapshots", shown(a.cli.Store), len(catalog.Snapshots))
	}

	if file {
		if err := mayWrite(filepath.Dir(path)); err != nil {
			add("permissions", doctor.Fail, "name a folder of your own by --store, or mend its rights", "%v", err)
		} else if info, err := os.Stat(path); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
			add("permissions", doctor.Fail, "chmod go-w "+path, "others may write to %s", path)
		} else {
			add("permissions", doctor.Pass, "", "%s may be written to", filepath.Dir(path))
		}
	}
	if err := mayWrite(os.TempDir()); err != nil {
		add("temporary files", doctor.Fail, "set TMPDIR to a folder on disk that may be written to: workbooks are unpacked there", "%v", err)
	} else {
		add("temporary files", doctor.Pass, "", "%s", os.TempDir())
	}

	b := service.Version()
	if b.Commit == "unknown" && b.Version == "dev" {
		add("versions", doctor.Unknown, "build it with go build in a clone, or take a release", "%s %s, built from no commit", b.Version, b.Go)
	} else {
		add("versions", doctor.Pass, "", "%s %s %s", b.Version, b.Commit, b.Go)
	}

	switch width := terminal.Columns(a.stdout); {
	case !terminal.Is(a.stdout):
		add("terminal", doctor.Unknown, "run it on a terminal", "the output is no terminal")
	case width > 0 && width < 60:
		add("terminal", doctor.Fail, "widen the window, or use --format csv", "%d columns; tables are made for 80", width)
	default:
		add("terminal", doctor.Pass, "", "%d columns, TERM=%s", width, os.Getenv("TERM"))
	}
	return results
}

// withoutKind is a text without the kind of the error in front, which the status says.
func withoutKind(text string) string {
	for _, kind := range []error{egrid.ErrInvalid, egrid.ErrNotFound} {
		text = strings.TrimPrefix(text, kind.Error()+": ")
	}
	return oneLine(text, 300)
}

// mayWrite makes a file in a folder, or in the next one above that there is, and
// removes it.
func mayWrite(folder string) error {
	for {
		_, err := os.Stat(folder)
		if !errors.Is(err, fs.ErrNotExist) || folder == filepath.Dir(folder) {
			break
		}
		folder = filepath.Dir(folder)
	}
	f, err := os.CreateTemp(folder, ".egrid-doctor-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
