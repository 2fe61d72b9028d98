package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCompareVersions(t *testing.T) {
	t.Parallel()
	want := []string{"v0.0.9", "v0.1.0-rc.1", "v0.1.0", "v0.2.0", "v0.10.0", "v1.0.0"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, compareVersions)
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for version, ok := range map[string]bool{"v0.1.0": true, "v1.2.3-rc.1": true, "0.1.0": false, "v1": false, "v01.0.0": false, "v0.1.0; rm": false} {
		if versionPattern.MatchString(version) != ok {
			t.Errorf("%q: %t", version, !ok)
		}
	}
}

func TestChangelog(t *testing.T) {
	t.Parallel()
	for text, fault := range map[string]string{
		"# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-12-01\n\n### Added\n\n- this\n": "",
		"# Changelog\n\n## [0.1.0]\n\n### Fixed\n\n- that\n\n## [0.0.1]\n":                   "",
		"# Changelog\n\n## [Unreleased]\n\n### Added\n\n- this\n":                            "no section",
		"# Changelog\n\n## [0.1.0]\n\n### Added\n\n## [0.0.1]\n\n### Added\n\n- this\n":      "no entry",
		"# Changelog\n\n## [0.1.0]\n\n### Miscellany\n\n- this\n":                            "no entry",
	} {
		err := changelogHas(text, "v0.1.0")
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%q: %v; want %q", text, err, fault)
		}
	}
}

// Equal members make equal archives, whenever and by whatever name they lie about.
func TestArchivesAreReproducible(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_700_000_000, 0).UTC()
	for name, write := range map[string]func(*bytes.Buffer, []member) error{
		"tar": func(b *bytes.Buffer, m []member) error { return writeTar(b, "egrid", at, m) },
		"zip": func(b *bytes.Buffer, m []member) error { return writeZip(b, "egrid", at, m) },
	} {
		var made [2]bytes.Buffer
		for i := range made {
			path := filepath.Join(t.TempDir(), "program")
			if err := os.WriteFile(path, []byte("program"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, time.Now(), time.Unix(int64(i)*1000, 0)); err != nil {
				t.Fatal(err)
			}
			if err := write(&made[i], []member{{"egrid", path, 0o755}}); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(made[0].Bytes(), made[1].Bytes()) {
			t.Errorf("%s: other bytes", name)
		}
	}
}

// The bill of this test program names Go's library, and what it does with links.
func TestSBOM(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := sbom(self, "v0.1.0", 1_700_000_000)
	if err != nil {
		t.Fatal(err)
	}
	again, err := sbom(self, "v0.1.0", 1_700_000_000)
	if err != nil || !bytes.Equal(text, again) {
		t.Errorf("another bill of the same program: %v", err)
	}
	var b bill
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	if b.Format != "CycloneDX" || len(b.Parts) == 0 || b.Parts[0].Name != "std" || b.Metadata.Time != "2023-11-14T22:13:20Z" || len(b.Metadata.Component.Hashes) != 1 {
		t.Errorf("%s", text)
	}
}
