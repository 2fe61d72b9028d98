package doccheck_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/internal/doccheck"
)

// TestLinks follows every link from one document to another file or heading.
func TestLinks(t *testing.T) {
	t.Parallel()
	names := append(documents(t), "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md", "examples/reference/README.md", "examples/data/README.md")
	followed := 0
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range doccheck.Links(string(text)) {
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			followed++
			path, heading, _ := strings.Cut(target, "#")
			to := filepath.Join(root, filepath.Dir(name), path)
			if path == "" {
				to = filepath.Join(root, name)
			}
			at, err := os.Stat(to)
			if err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, target)
				continue
			}
			if heading == "" || at.IsDir() {
				continue
			}
			there, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			if !doccheck.Anchors(string(there))[heading] {
				t.Errorf("%s: %s has no such heading", name, target)
			}
		}
	}
	if followed < 50 {
		t.Errorf("%d links", followed)
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	anchors := doccheck.Anchors("# What is `this`, and may it?\n\n```sh\n# no heading\n```\n\n## RabbitMQ: a [queue](x.md) is down\n")
	for _, want := range []string{"what-is-this-and-may-it", "rabbitmq-a-queue-is-down"} {
		if !anchors[want] {
			t.Errorf("no %s in %v", want, anchors)
		}
	}
	if len(anchors) != 2 {
		t.Errorf("%v", anchors)
	}
	if got := doccheck.Links("[a](b.md#c) and\n```\n[d](e)\n```\n![f](g.png)"); !slices.Equal(got, []string{"b.md#c", "g.png"}) {
		t.Errorf("%q", got)
	}
}
