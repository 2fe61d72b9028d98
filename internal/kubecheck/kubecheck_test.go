package kubecheck_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/egrid-analytics/egrid-go/internal/kubecheck"
)

const root = "../.."

func text(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func settings(t *testing.T) []string {
	t.Helper()
	names := strings.Fields(text(t, "hosts/egrid/settings.txt"))
	if len(names) < 60 {
		t.Fatalf("%d settings", len(names))
	}
	return names
}

// tree is a copy of the manifests in memory, in which faults are planted.
func tree(t *testing.T) filesys.FileSystem {
	t.Helper()
	fs := filesys.MakeFsInMemory()
	from := filepath.Join(root, "examples", "kubernetes")
	err := filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return fs.WriteFile("/k"+filepath.ToSlash(strings.TrimPrefix(path, from)), b)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// TestManifests builds both folders and holds them to what a deployment needs.
func TestManifests(t *testing.T) {
	t.Parallel()
	for folder, scalers := range map[string]int{"/k/base": 3, "/k/production": 3} {
		o, err := kubecheck.Build(tree(t), folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range o.Faults(settings(t)) {
			t.Errorf("%s: %s", folder, fault)
		}
		if len(o.Deployments) != 7 || len(o.Jobs) != 1 || len(o.Services) != 4 || len(o.Scalers) != scalers || len(o.Budgets) != 4 || len(o.Policies) != 9 {
			t.Errorf("%s: %d deployments, %d jobs, %d services, %d scalers, %d budgets, %d policies", folder,
				len(o.Deployments), len(o.Jobs), len(o.Services), len(o.Scalers), len(o.Budgets), len(o.Policies))
		}
	}
}

// TestFaults plants a fault for each thing that is looked at.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file, old, new, want string
	}{
		{"a field that there is not", "base/api.yaml", "replicas: 2", "replica: 2", `unknown field "replica"`},
		{"a number as a text", "base/api.yaml", "replicas: 2", `replicas: "two"`, "cannot unmarshal"},
		{"a field of another kind", "base/budgets.yaml", "minAvailable: 1", "minReplicas: 1", "unknown field"},
		{"a kind of another version", "base/scaling.yaml", "autoscaling/v2", "autoscaling/v2beta2", "none of the kinds"},
		{"a secret in a manifest", "base/migrate.yaml", "apiVersion: batch/v1\nkind: Job", "apiVersion: v1\nkind: Secret", "none of the kinds"},
		{"a file that is missing", "base/kustomization.yaml", "- web.yaml", "- wab.yaml", "wab.yaml"},
		{"a patch of nothing", "production/latency.yaml", "name: api", "name: apo", "no matches"},
		{"a setting that there is not", "base/web.yaml", "name: EGRID_API,", "name: EGRID_APPI,", "EGRID_APPI is no setting"},
		{"a setting of the map that there is not", "base/kustomization.yaml", "EGRID_SCHEDULE", "EGRID_SCHEDULES", "EGRID_SCHEDULES is no setting"},
		{"a secret in clear", "base/etl.yaml", "{name: EGRID_STORE_FILE, value: /run/egrid/store}", `{name: EGRID_STORE, value: "postgres://a:b@c/d"}`, "EGRID_STORE is a secret in clear"},
		{"a secret that is not mounted", "base/etl.yaml", "value: /run/egrid/store", "value: /run/store", "where nothing is mounted"},
		{"root", "base/api.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "may run as root"},
		{"no seccomp", "base/api.yaml", "type: RuntimeDefault", "type: Unconfined", "without seccomp"},
		{"a file system that is written to", "base/api.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "its file system"},
		{"a token", "base/api.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: true", "token of Kubernetes"},
		{"no limit", "base/api.yaml", "limits: {memory: 256Mi}", "limits: {}", "limit of memory"},
		{"no probe", "base/api.yaml", "readinessProbe:", "lifecycle: {}\n          terminationMessagePath: /x\n          livenessProbe: #", "already"},
		{"no volume", "base/api.yaml", "{name: temporary, mountPath: /tmp}", "{name: temp, mountPath: /tmp}", "temp, which is no volume"},
		{"a scaler of nothing", "base/scaling.yaml", "kind: Deployment\n    name: gateway", "kind: Deployment\n    name: gate", "it scales nothing"},
		{"a scaler that cannot grow", "base/scaling.yaml", "maxReplicas: 4", "maxReplicas: 2", "it scales nothing"},
		{"a budget of nothing", "base/budgets.yaml", "matchLabels: {app: web}", "matchLabels: {app: wab}", "it protects nothing"},
		{"a service that leads nowhere", "base/etl.yaml", "selector: {app: etl}", "selector: {app: elt}", "it leads nowhere"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			fs := tree(t)
			b, err := fs.ReadFile("/k/" + test.file)
			if err != nil {
				t.Fatal(err)
			}
			planted := strings.Replace(string(b), test.old, test.new, 1)
			if planted == string(b) {
				t.Fatalf("%s has no %q", test.file, test.old)
			}
			if err := fs.WriteFile("/k/"+test.file, []byte(planted)); err != nil {
				t.Fatal(err)
			}
			folder := "/k/base"
			if strings.HasPrefix(test.file, "production") {
				folder = "/k/production"
			}
			o, err := kubecheck.Build(fs, folder)
			got := ""
			if err != nil {
				got = err.Error()
			} else {
				got = strings.Join(o.Faults(settings(t)), "\n")
			}
			if !strings.Contains(got, test.want) {
				t.Errorf("got %q; want %q in it", got, test.want)
			}
		})
	}
}

// TestAdapter wants what the scalers of production ask for to be made by the adapter, from metrics that
// there are.
func TestAdapter(t *testing.T) {
	t.Parallel()
	o, err := kubecheck.Build(tree(t), "/k/production")
	if err != nil {
		t.Fatal(err)
	}
	adapter, metrics := text(t, "examples/kubernetes/prometheus-adapter.yaml"), text(t, "docs/reference/metrics.md")
	asked := 0
	for _, s := range o.Scalers {
		for _, m := range s.Spec.Metrics {
			name := ""
			if m.Pods != nil {
				name = m.Pods.Metric.Name
			} else if m.External != nil {
				name = m.External.Metric.Name
			}
			if name == "" {
				continue
			}
			asked++
			if !strings.Contains(adapter, "name: {as: "+name+"}") {
				t.Errorf("%s asks for %s, which the adapter does not make", s.Name, name)
			}
		}
	}
	if asked != 2 {
		t.Errorf("%d metrics of our own are asked for", asked)
	}
	for _, m := range regexp.MustCompile(`seriesQuery: (egrid_\w+)`).FindAllStringSubmatch(adapter, -1) {
		if base := strings.TrimSuffix(m[1], "_bucket"); !strings.Contains(metrics, "`"+base+"`") {
			t.Errorf("there is no metric %s", base)
		}
	}
}
