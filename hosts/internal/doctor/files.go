package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// trial finds credentials that everybody knows: of the trial deployment, and those that
// servers come with.
var trial = regexp.MustCompile(`egrid-trial|//guest:guest@|minioadmin|://postgres:postgres@|:(password|changeme|secret)@`)

func (d *Deployment) settings(context.Context) Result {
	var wrong, needed []string
	known := map[string]bool{}
	for _, name := range d.Known {
		known[name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(d.Settings)) {
		base, file := strings.CutSuffix(name, "_FILE")
		if !strings.HasPrefix(name, "EGRID_") || known[name] || file && known[base] {
			continue
		}
		text := name + " is no setting"
		if meant := egrid.Nearest(name, d.Known); meant != "" {
			text += " (" + meant + "?)"
		}
		wrong = append(wrong, text)
	}
	for _, name := range []string{"EGRID_STORE", "EGRID_QUEUE"} {
		if value, err := d.setting(name); err != nil {
			wrong = append(wrong, err.Error())
		} else if value == "" {
			needed = append(needed, name)
		}
	}
	switch {
	case len(wrong) > 0:
		return fail("docs/reference/settings.md lists the settings; mend or remove these", "%s", strings.Join(wrong, "; "))
	case len(needed) == 2 && len(d.Settings) == 0:
		return unknown("--env FILE, or run it with the environment of the services", "no setting is set")
	case len(needed) > 0:
		return fail("set it, or NAME_FILE with the file that holds it", "%s is not set", strings.Join(needed, " and "))
	}
	if store, _ := d.setting("EGRID_STORE"); !strings.HasPrefix(store, "postgres") {
		return fail("set EGRID_STORE to postgres://...", "the store is no server, and several services cannot share it")
	}
	return pass("%d settings, all of them known", len(d.Settings))
}

// setting is a setting, or what is in the file that it names. Its error quotes nothing.
func (d *Deployment) setting(name string) (string, error) {
	path := d.Settings[name+"_FILE"]
	if path == "" {
		return d.Settings[name], nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // G304: whoever deploys names the file
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(b)), nil
}

// commonCredentials names the settings whose credentials everybody knows.
func (d *Deployment) commonCredentials() []string {
	var names []string
	for name := range d.Settings {
		value, err := d.setting(strings.TrimSuffix(name, "_FILE"))
		if err == nil && strings.HasPrefix(name, "EGRID_") && trial.MatchString(value) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (d *Deployment) backups(context.Context) Result {
	if d.Backups == "" {
		return unknown("--backups FOLDER, where the backups of the database are", "no backups were shown")
	}
	var newest fs.FileInfo
	err := filepath.WalkDir(d.Backups, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		info, err := e.Info()
		if err == nil && (newest == nil || info.ModTime().After(newest.ModTime())) {
			newest = info
		}
		return err
	})
	const remedy = "run pg_dump -Fc or a base backup every day; docs/operations/recovery.md has the commands"
	switch {
	case err != nil:
		return fail("give the folder of the backups", "they cannot be read: %v", err)
	case newest == nil:
		return fail(remedy, "there is no backup in %s", d.Backups)
	case newest.Size() == 0:
		return fail(remedy, "the newest, %s, is empty", newest.Name())
	case time.Since(newest.ModTime()) > d.BackupAge:
		return fail(remedy, "the newest, %s, is of %s", newest.Name(), newest.ModTime().UTC().Format(time.DateTime))
	}
	return pass("%s of %s, %d bytes", newest.Name(), newest.ModTime().UTC().Format(time.DateTime), newest.Size())
}

var (
	scaler  = regexp.MustCompile(`(?m)^kind: HorizontalPodAutoscaler$`)
	target  = regexp.MustCompile(`(?m)^  scaleTargetRef:(?:.*\n)+?\s+name: ["']?([a-z0-9-]+)|scaleTargetRef: \{[^}]*name: ([a-z0-9-]+)`)
	least   = regexp.MustCompile(`(?m)^  minReplicas: (\d+)`)
	largest = regexp.MustCompile(`(?m)^  maxReplicas: (\d+)`)
)

func (d *Deployment) scaling(context.Context) Result {
	if d.Manifests == "" {
		return unknown("--manifests FOLDER, of what is applied to Kubernetes", "no policies were shown")
	}
	var scaled []string
	var wrong error
	err := filepath.WalkDir(d.Manifests, func(path string, e fs.DirEntry, err error) error {
		if ext := filepath.Ext(path); err != nil || e.IsDir() || ext != ".yaml" && ext != ".yml" {
			return err
		}
		b, err := os.ReadFile(path) //nolint:gosec // G122, G304: whoever deploys names the folder
		if err != nil {
			return err
		}
		for _, document := range strings.Split(string(b), "\n---") {
			if !scaler.MatchString(document) {
				continue
			}
			name, low, high := first(target, document), first(least, document), first(largest, document)
			l, _ := strconv.Atoi(low) // 1 unless it is set, and then it is a number
			h, _ := strconv.Atoi(high)
			if name == "" || h <= max(l, 1) {
				wrong = fmt.Errorf("the policy of %q in %s lets nothing grow", name, filepath.Base(path))
			}
			scaled = append(scaled, name)
		}
		return nil
	})
	const remedy = "examples/kubernetes has policies for api and the database consumer"
	if err = errors.Join(err, wrong); err != nil {
		return fail(remedy, "%v", err)
	}
	if len(scaled) == 0 {
		return fail(remedy, "there is no HorizontalPodAutoscaler in %s", d.Manifests)
	}
	slices.Sort(scaled)
	return pass("policies for %s", strings.Join(scaled, ", "))
}

// first is the first group that matched.
func first(r *regexp.Regexp, text string) string {
	for _, m := range r.FindAllStringSubmatch(text, 1) {
		return strings.Join(m[1:], "")
	}
	return ""
}

func (d *Deployment) recovery(ctx context.Context) Result {
	store, err := d.setting("EGRID_STORE")
	if d.Restored == "" || err != nil || store == "" || d.Catalog == nil {
		return unknown("--restored URL, a store that was restored from a backup, with EGRID_STORE set", "nothing was restored")
	}
	const remedy = "restore the newest backup anew, or load the bucket into an empty store; docs/operations/recovery.md"
	live, err := d.Catalog(ctx, store)
	if err != nil {
		return fail("mend the store", "the store cannot be read: %v", err)
	}
	restored, err := d.Catalog(ctx, d.Restored)
	if err != nil {
		return fail(remedy, "the restored store cannot be read: %v", err)
	}
	have := map[egrid.SnapshotID]bool{}
	for _, s := range restored.Snapshots {
		have[s.ID] = true
	}
	var lost []string
	published := 0
	for _, s := range live.Snapshots {
		if s.Status != egrid.Published {
			continue
		}
		published++
		if !have[s.ID] {
			lost = append(lost, fmt.Sprintf("%s %d", s.Level, s.Year))
		}
	}
	switch {
	case published == 0:
		return fail("load something", "nothing is published that could be restored")
	case len(lost) > 0:
		return fail(remedy, "%d of %d published snapshots were not restored: %s", len(lost), published, strings.Join(lost[:min(3, len(lost))], ", "))
	}
	return pass("all %d published snapshots were restored, with the same ids", published)
}

// auditAge is how old the findings of an audit may be.
const auditAge = 7 * 24 * time.Hour

func (d *Deployment) audit(context.Context) Result {
	if d.Findings == "" {
		return unknown("--findings FILE, of govulncheck -mode binary -format json", "no audit was shown")
	}
	const remedy = "govulncheck -mode binary -format json PROGRAM > FILE, and update what it finds"
	f, err := os.Open(d.Findings)
	if err != nil {
		return fail(remedy, "the findings cannot be read: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fail(remedy, "the findings cannot be read: %v", err)
	}
	scanned, called := false, map[string]bool{}
	for decoder := json.NewDecoder(f); ; {
		var message struct {
			Config  *struct{ ScannerName string }
			Finding *struct {
				OSV   string
				Trace []struct{ Function string }
			}
		}
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fail(remedy, "the findings are no output of govulncheck: %v", err)
		}
		scanned = scanned || message.Config != nil
		if f := message.Finding; f != nil && len(f.Trace) > 0 && f.Trace[0].Function != "" {
			called[f.OSV] = true
		}
	}
	switch {
	case !scanned:
		return fail(remedy, "the findings are no output of govulncheck")
	case time.Since(info.ModTime()) > auditAge:
		return fail(remedy, "the audit is of %s; a week is the most", info.ModTime().UTC().Format(time.DateOnly))
	case len(called) > 0:
		return fail(remedy, "vulnerabilities in what is called: %s", strings.Join(slices.Sorted(maps.Keys(called)), ", "))
	}
	return pass("no known vulnerability in what is called, as of %s", info.ModTime().UTC().Format(time.DateOnly))
}
