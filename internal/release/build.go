package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// packed goes into every archive beside the program.
var packed = []string{"LICENSE", "README.md", "CHANGELOG.md"}

// checksums is the file of the SHA-256 of all others, as sha256sum -c reads it.
const checksums = "SHA256SUMS"

// build makes an archive with its SBOM for every target, and the checksums.
func (r *release) build(ctx context.Context, wanted []string) error {
	if err := os.MkdirAll(r.out, 0o750); err != nil {
		return err
	}
	var made []string
	for _, target := range wanted {
		names, err := r.target(ctx, target)
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		made = append(made, names...)
	}
	slices.Sort(made)
	var sums strings.Builder
	for _, name := range made {
		sum, err := sumOf(filepath.Join(r.out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, name)
	}
	fmt.Print(sums.String())
	return os.WriteFile(filepath.Join(r.out, checksums), []byte(sums.String()), 0o600)
}

// target makes the files of one system.
func (r *release) target(ctx context.Context, target string) ([]string, error) {
	binary := filepath.Join(filepath.Dir(r.tree), strings.ReplaceAll(target, "/", "-"), programName(target))
	if err := r.compile(ctx, r.tree, target, binary); err != nil {
		return nil, err
	}
	stem := r.stem(target)
	bill, err := sbom(binary, r.version, r.time)
	if err != nil {
		return nil, err
	}
	archive := stem + ".tar.gz"
	write := writeTar
	if strings.HasPrefix(target, "windows/") {
		archive, write = stem+".zip", writeZip
	}
	members := []member{{programName(target), binary, 0o755}}
	for _, name := range packed {
		members = append(members, member{name, filepath.Join(r.tree, name), 0o644})
	}
	var b bytes.Buffer
	if err := write(&b, stem, time.Unix(r.time, 0).UTC(), members); err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{archive: b.Bytes(), stem + ".cdx.json": bill} {
		if err := os.WriteFile(filepath.Join(r.out, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	return []string{archive, stem + ".cdx.json"}, nil
}

func (r *release) stem(target string) string {
	return "egrid_" + strings.TrimPrefix(r.version, "v") + "_" + strings.ReplaceAll(target, "/", "_")
}

func programName(target string) string {
	if strings.HasPrefix(target, "windows/") {
		return "egrid.exe"
	}
	return "egrid"
}

// compile builds the command of a tree. The version and the commit are what Go reads of
// the tree's tag; no path of this machine is in it.
func (*release) compile(ctx context.Context, tree, target, binary string) error {
	system, architecture, _ := strings.Cut(target, "/")
	env := []string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS=" + system, "GOARCH=" + architecture}
	_, err := command(ctx, tree, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", binary, "./hosts/egrid")
	return err
}

// member is a file of an archive.
type member struct {
	name, path string
	mode       int64
}

// writeTar writes what tar xzf reads: equal members make equal bytes.
func writeTar(w io.Writer, folder string, at time.Time, members []member) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, m := range members {
		text, err := os.ReadFile(m.path)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: folder + "/" + m.name, Mode: m.mode, Size: int64(len(text)), ModTime: at, Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(text); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func writeZip(w io.Writer, folder string, at time.Time, members []member) error {
	z := zip.NewWriter(w)
	for _, m := range members {
		text, err := os.ReadFile(m.path)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: folder + "/" + m.name, Method: zip.Deflate, Modified: at}
		h.SetMode(os.FileMode(m.mode))
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := f.Write(text); err != nil {
			return err
		}
	}
	return z.Close()
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // G304: what was made above
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
