package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// step is a part of a check.
type step struct {
	name string
	do   func(context.Context) error
}

// check does what a maintainer would do before the push of a tag, and says what is
// wrong, all of it. A rehearsal leaves out what is of the version alone.
func (r *release) check(ctx context.Context, work string, wanted []string, rehearsal bool) error {
	steps := []step{
		{"everything is committed", r.committed},
		{"the version is new, and follows those before", r.isNew},
		{"the changelog has a section of the version", r.changelog},
	}
	if rehearsal {
		steps = nil
	}
	steps = append(steps, []step{
		{"go.mod is as a user can take it", r.goMod},
		{"the module is one that a proxy takes", r.moduleZip},
		{"binaries, checksums and SBOMs are made", func(ctx context.Context) error { return r.build(ctx, wanted) }},
		{"the checksums are those of the files", r.sums},
		{"the program of this system tells version and commit", func(ctx context.Context) error { return r.tells(ctx, work, wanted) }},
		{"another folder makes the same bytes", func(ctx context.Context) error { return r.again(ctx, work, wanted) }},
	}...)
	var faults []error
	for _, step := range steps {
		err := step.do(ctx)
		mark := "ok  "
		if err != nil {
			mark = "NOT "
			faults = append(faults, fmt.Errorf("%s: %w", step.name, err))
		}
		fmt.Println(mark, step.name)
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	if rehearsal {
		return nil
	}
	fmt.Printf("\nFit to be %s. A maintainer pushes:\n\n  git tag -a %[1]s -m %[1]s %s\n  git push origin %[1]s\n", r.version, r.commit)
	return nil
}

func (r *release) committed(ctx context.Context) error {
	out, err := command(ctx, r.root, nil, "git", "status", "--porcelain")
	if err == nil && out != "" {
		err = fmt.Errorf("these files are not in the release:\n%s", out)
	}
	return err
}

func (r *release) isNew(ctx context.Context) error {
	out, err := command(ctx, r.root, nil, "git", "tag", "--list", "v*")
	if err != nil {
		return err
	}
	for tag := range strings.FieldsSeq(out) {
		if compareVersions(tag, r.version) >= 0 {
			return fmt.Errorf("there is %s already; a tag is never moved, a mistake is retracted in go.mod", tag)
		}
	}
	return nil
}

// compareVersions orders versions by their numbers; one with a suffix is before that
// without.
func compareVersions(a, b string) int {
	var x, y [3]int
	aBase, aSuffix, _ := strings.Cut(a, "-")
	bBase, bSuffix, _ := strings.Cut(b, "-")
	_, _ = fmt.Sscanf(aBase, "v%d.%d.%d", &x[0], &x[1], &x[2]) // zeros for what is no version
	_, _ = fmt.Sscanf(bBase, "v%d.%d.%d", &y[0], &y[1], &y[2])
	for i := range x {
		if x[i] != y[i] {
			return x[i] - y[i]
		}
	}
	switch {
	case aSuffix == bSuffix:
		return 0
	case aSuffix == "":
		return 1
	case bSuffix == "":
		return -1
	}
	return strings.Compare(aSuffix, bSuffix)
}

// changelog wants a section of the version with at least one entry under Added, Changed
// or Fixed, and what it links to.
func (r *release) changelog(context.Context) error {
	text, err := os.ReadFile(filepath.Join(r.tree, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	return changelogHas(string(text), r.version)
}

func changelogHas(text, version string) error {
	head := "## [" + strings.TrimPrefix(version, "v") + "]"
	_, section, ok := strings.Cut(text, "\n"+head)
	if !ok {
		return fmt.Errorf("CHANGELOG.md has no section %s: rename Unreleased, and begin a new one", head)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	for _, kind := range []string{"Added", "Changed", "Fixed"} {
		if _, entries, ok := strings.Cut(section, "\n### "+kind+"\n"); ok && strings.HasPrefix(strings.TrimSpace(entries), "- ") {
			return nil
		}
	}
	return fmt.Errorf("section %s of CHANGELOG.md has no entry under Added, Changed or Fixed", head)
}

// goMod wants no replace, no exclude and no retraction of this version: a user's build
// takes none of the first two, and nobody takes a version that retracts itself.
func (r *release) goMod(ctx context.Context) error {
	out, err := command(ctx, r.tree, nil, "go", "mod", "edit", "-json")
	if err != nil {
		return err
	}
	var mod struct {
		Module           struct{ Path string }
		Replace, Exclude []json.RawMessage
		Retract          []struct{ Low, High string }
	}
	if err := json.Unmarshal([]byte(out), &mod); err != nil {
		return err
	}
	if len(mod.Replace) > 0 || len(mod.Exclude) > 0 {
		return errors.New("go.mod replaces or excludes modules, which has no effect for those who require this one")
	}
	for _, v := range mod.Retract {
		if compareVersions(v.Low, r.version) <= 0 && compareVersions(r.version, v.High) <= 0 {
			return fmt.Errorf("go.mod retracts %s", r.version)
		}
	}
	if !strings.HasPrefix(r.version, "v0.") && !strings.HasPrefix(r.version, "v1.") {
		if major, _, _ := strings.Cut(r.version, "."); !strings.HasSuffix(mod.Module.Path, "/"+major) {
			return fmt.Errorf("the module's path has to end in /%s", major)
		}
	}
	_, err = command(ctx, r.tree, nil, "go", "mod", "verify")
	return err
}

// moduleZip wants what golang.org/ref/mod says of the files of a module: a licence, no
// links, no two names that differ in case alone, 500 MiB at most.
func (r *release) moduleZip(context.Context) error {
	const most = 500 << 20
	var size int64
	names := map[string]string{}
	err := filepath.WalkDir(r.tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(r.tree, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if rel == ".git" || rel != "." && nested == nil {
				return filepath.SkipDir
			}
			return nil
		}
		if other, ok := names[strings.ToLower(rel)]; ok {
			return fmt.Errorf("%s and %s are one file on some systems", other, rel)
		}
		names[strings.ToLower(rel)] = rel
		info, err := d.Info()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file: it is left out of the module", rel)
		}
		size += info.Size()
		return nil
	})
	switch {
	case err != nil:
		return err
	case names["license"] == "":
		return errors.New("there is no LICENSE: pkg.go.dev shows no documentation without one")
	case size > most:
		return fmt.Errorf("the module has %d bytes; %d are allowed", size, most)
	}
	return nil
}

func (r *release) sums(context.Context) error {
	text, err := os.ReadFile(filepath.Join(r.out, checksums))
	if err != nil {
		return err
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		want, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		got, err := sumOf(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s has another sum", name)
		}
		n++
	}
	if n == 0 {
		return errors.New("there are none")
	}
	return nil
}

// tells runs the program where it can be run, and reads of the others what they would
// tell.
func (r *release) tells(ctx context.Context, work string, wanted []string) error {
	for _, target := range wanted {
		binary := filepath.Join(work, strings.ReplaceAll(target, "/", "-"), programName(target))
		info, err := buildinfo.ReadFile(binary)
		if err != nil {
			return err
		}
		if info.Main.Version != r.version {
			return fmt.Errorf("the program for %s has version %s", target, info.Main.Version)
		}
		if target != runtime.GOOS+"/"+runtime.GOARCH {
			continue
		}
		out, err := command(ctx, work, nil, binary, "version", "--json")
		if err != nil {
			return err
		}
		var told struct{ Version, Commit string }
		if err := json.Unmarshal([]byte(out), &told); err != nil {
			return err
		}
		if told.Version != r.version || told.Commit != r.commit {
			return fmt.Errorf("it tells %s of commit %s", told.Version, told.Commit)
		}
	}
	return nil
}

// again makes the first target once more in another folder.
func (r *release) again(ctx context.Context, work string, wanted []string) error {
	other := filepath.Join(work, "elsewhere", "other-tree")
	if err := r.clone(ctx, other); err != nil {
		return err
	}
	binary := filepath.Join(work, "elsewhere", programName(wanted[0]))
	if err := r.compile(ctx, other, wanted[0], binary); err != nil {
		return err
	}
	one, err := os.ReadFile(filepath.Join(work, strings.ReplaceAll(wanted[0], "/", "-"), programName(wanted[0]))) //nolint:gosec // G304: made above
	if err != nil {
		return err
	}
	two, err := os.ReadFile(binary) //nolint:gosec // G304: made above
	if err != nil {
		return err
	}
	if !bytes.Equal(one, two) {
		return fmt.Errorf("%s differs", wanted[0])
	}
	for _, path := range []string{work, r.tree, other} {
		if bytes.Contains(one, []byte(path)) {
			return fmt.Errorf("the program has the path %s in it", path)
		}
	}
	return nil
}
