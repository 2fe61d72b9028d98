// Command release makes what a release has beside its tag, and checks that a commit is
// fit to be one. It pushes nothing.
//
//	go run ./internal/release build v0.1.0            # all targets, into .bin/dist
//	go run ./internal/release check v0.1.0            # what a maintainer would push
//	go run ./internal/release check v0.1.0 linux/amd64 darwin/arm64
//	go run ./internal/release rehearse linux/amd64    # what of it holds for any commit
//
// All work on a clone of HEAD, tagged there and nowhere else, so what is not committed
// is in no release. Equal commits and Go versions make equal bytes.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// targets are the systems that binaries are made for.
var targets = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

var versionPattern = regexp.MustCompile(`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$`)

const rehearse = "rehearse"

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	if len(args) > 0 && args[0] == rehearse {
		args = append([]string{rehearse, "v0.0.0-rehearsal"}, args[1:]...)
	}
	if len(args) < 2 || args[0] != "build" && args[0] != "check" && args[0] != rehearse {
		return errors.New("usage: release build|check vX.Y.Z [OS/ARCHITECTURE...], or release rehearse [OS/ARCHITECTURE...]")
	}
	version, wanted := args[1], args[2:]
	if !versionPattern.MatchString(version) {
		return fmt.Errorf("%q is no version, such as v0.1.0", version)
	}
	for _, t := range wanted {
		if !slices.Contains(targets, t) {
			return fmt.Errorf("there are no binaries for %s, but for %s", t, strings.Join(targets, ", "))
		}
	}
	if len(wanted) == 0 {
		wanted = targets
	}
	work, err := os.MkdirTemp("", "egrid-release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	r := &release{version: version, root: ".", tree: filepath.Join(work, "tree"), out: filepath.Join(".bin", "dist")}
	if args[0] != "build" {
		r.out = filepath.Join(work, "dist")
	}
	if err := r.clone(ctx, r.tree); err != nil {
		return err
	}
	if args[0] != "build" {
		return r.check(ctx, work, wanted, args[0] == rehearse)
	}
	return r.build(ctx, wanted)
}

// release is a version that is made of a clone of the repository.
type release struct {
	version         string
	root, tree, out string
	commit          string
	time            int64 // of the commit, in seconds
}

// clone copies HEAD, and tags the copy.
func (r *release) clone(ctx context.Context, to string) error {
	if _, err := command(ctx, r.root, nil, "git", "clone", "--quiet", "--no-hardlinks", ".", to); err != nil {
		return err
	}
	if _, err := command(ctx, to, nil, "git", "-c", "user.name=release", "-c", "user.email=release@invalid", "tag", "-f", "-a", "-m", r.version, r.version); err != nil {
		return err
	}
	out, err := command(ctx, to, nil, "git", "log", "-1", "--format=%H %ct")
	if err != nil {
		return err
	}
	_, err = fmt.Sscan(out, &r.commit, &r.time)
	return err
}

// command runs a program and returns its standard output.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: of this program's own
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s%s", filepath.Base(name), strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out), nil
}
