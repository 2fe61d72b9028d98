package repocheck_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	example  = regexp.MustCompile(`(?m)^#?(EGRID_[A-Z0-9_]+)=(.*)$`)
	variable = regexp.MustCompile(`\bEGRID_[A-Z0-9_]*[A-Z0-9]\b`)
)

// settings are the names of .env.example, each with whether it is a secret: the
// reference says so.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	reference := read(t, "docs/reference/settings.md")
	found := map[string]bool{}
	for _, m := range example.FindAllStringSubmatch(read(t, ".env.example"), -1) {
		if _, twice := found[m[1]]; twice {
			t.Errorf("%s is in .env.example twice", m[1])
		}
		found[m[1]] = strings.Contains(reference, "`"+m[1]+"`, secret")
		if found[m[1]] && m[2] != "" {
			t.Errorf("%s is a secret, and .env.example gives it a value", m[1])
		}
		if !strings.Contains(reference, "`"+m[1]+"`") {
			t.Errorf("%s is in .env.example and not in docs/reference/settings.md", m[1])
		}
	}
	if len(found) < 60 {
		t.Fatalf("only %d settings were read from .env.example", len(found))
	}
	return found
}

// unknown returns what a text sets that is no setting.
func unknown(known map[string]bool, text string) []string {
	var wrong []string
	for _, name := range variable.FindAllString(text, -1) {
		_, is := known[name]
		base, file := strings.CutSuffix(name, "_FILE")
		if !is && (!file || !known[base]) {
			wrong = append(wrong, name)
		}
	}
	return wrong
}

// internal are variables that the scripts of the deployment give each other.
var internal = strings.NewReplacer("EGRID_STARTED", "", "EGRID_SERVICES_DIR", "", "EGRID_MINIO_WEBHOOK", "")

// TestComposeSettings wants every variable of a deployment to be a setting that there
// is: a misspelt one would be passed over in silence.
func TestComposeSettings(t *testing.T) {
	t.Parallel()
	known := settings(t)
	files := 0
	for _, folder := range []string{"examples/reference", "examples/kubernetes"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			switch filepath.Ext(path) {
			case ".yaml", ".yml", ".sh", ".md":
			default:
				return nil
			}
			b, err := os.ReadFile(path) //nolint:gosec // G122: the tree is our own
			if err != nil {
				return err
			}
			files++
			for _, name := range unknown(known, internal.Replace(string(b))) {
				t.Errorf("%s: %s is no setting; .env.example lists them", path, name)
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if files < 5 {
		t.Errorf("%d files were read", files)
	}
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	known := map[string]bool{"EGRID_STORE": true, "EGRID_ADDR": false}
	for text, want := range map[string]string{
		"EGRID_STORE: x": "", "EGRID_STORE_FILE: /run/x": "", "EGRID_ADDR_FILE: x": "EGRID_ADDR_FILE", "EGRID_STROE: x": "EGRID_STROE", "${EGRID_ADDR:-x}": "",
	} {
		if got := strings.Join(unknown(known, text), " "); got != want {
			t.Errorf("%s: %q; want %q", text, got, want)
		}
	}
}
