// Package kubecheck builds the manifests of examples/kubernetes as kustomize does, and
// decodes what comes out into Kubernetes' own types: a field that there is not fails.
// It is a module of its own, so that no user of the packages inherits Kubernetes.
package kubecheck

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// Objects are the manifests of a folder, decoded.
type Objects struct {
	Deployments []appsv1.Deployment
	Jobs        []batchv1.Job
	Services    []corev1.Service
	ConfigMaps  []corev1.ConfigMap
	Claims      []corev1.PersistentVolumeClaim
	Namespaces  []corev1.Namespace
	Policies    []networkingv1.NetworkPolicy
	Ingresses   []networkingv1.Ingress
	Budgets     []policyv1.PodDisruptionBudget
	Scalers     []autoscalingv2.HorizontalPodAutoscaler
}

// Build reads what kustomize makes of a folder.
func Build(fs filesys.FileSystem, folder string) (*Objects, error) {
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	made, err := krusty.MakeKustomizer(options).Run(fs, folder)
	if err != nil {
		return nil, err
	}
	var o Objects
	for _, r := range made.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			return nil, err
		}
		if err := o.add(r.GetApiVersion()+" "+r.GetKind(), text); err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.GetKind(), r.GetName(), err)
		}
	}
	return &o, nil
}

// add decodes one manifest, of a kind that is known here.
func (o *Objects) add(kind string, text []byte) error {
	switch kind {
	case "apps/v1 Deployment":
		return decode(&o.Deployments, text)
	case "batch/v1 Job":
		return decode(&o.Jobs, text)
	case "v1 Service":
		return decode(&o.Services, text)
	case "v1 ConfigMap":
		return decode(&o.ConfigMaps, text)
	case "v1 PersistentVolumeClaim":
		return decode(&o.Claims, text)
	case "v1 Namespace":
		return decode(&o.Namespaces, text)
	case "networking.k8s.io/v1 NetworkPolicy":
		return decode(&o.Policies, text)
	case "networking.k8s.io/v1 Ingress":
		return decode(&o.Ingresses, text)
	case "policy/v1 PodDisruptionBudget":
		return decode(&o.Budgets, text)
	case "autoscaling/v2 HorizontalPodAutoscaler":
		return decode(&o.Scalers, text)
	}
	return fmt.Errorf("%s is none of the kinds that are used here; a secret does not belong into a manifest", kind)
}

func decode[T any](to *[]T, text []byte) error {
	var v T
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		return err
	}
	*to = append(*to, v)
	return nil
}

// Pods are the templates of pods, by name.
func (o *Objects) Pods() map[string]corev1.PodTemplateSpec {
	pods := map[string]corev1.PodTemplateSpec{}
	for _, d := range o.Deployments {
		pods[d.Name] = d.Spec.Template
	}
	for _, j := range o.Jobs {
		pods[j.Name] = j.Spec.Template
	}
	return pods
}

// Faults returns what is wrong with the manifests beside their form: what a pod of ours
// may do that it has no need of, what names nothing, and settings that there are not.
func (o *Objects) Faults(settings []string) []string {
	var faults []string
	add := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	configs := map[string]corev1.ConfigMap{}
	for _, c := range o.ConfigMaps {
		configs[c.Name] = c
		for name := range c.Data {
			if !isSetting(name, settings) {
				add("%s: %s is no setting", c.Name, name)
			}
		}
	}
	for name, pod := range o.Pods() {
		podFaults(name, &pod.Spec, configs, settings, add)
	}
	for _, d := range o.Deployments {
		c := d.Spec.Template.Spec.Containers[0]
		if c.ReadinessProbe == nil || c.LivenessProbe == nil || c.StartupProbe == nil {
			add("%s: a probe is missing", d.Name)
		}
		if !o.selected(d.Spec.Template.Labels) {
			add("%s: no network policy selects it", d.Name)
		}
	}
	for _, s := range o.Scalers {
		if !o.isDeployment(s.Spec.ScaleTargetRef.Name) || s.Spec.MinReplicas == nil || s.Spec.MaxReplicas <= *s.Spec.MinReplicas {
			add("%s: it scales nothing", s.Name)
		}
	}
	for _, b := range o.Budgets {
		if !o.selects(b.Spec.Selector.MatchLabels) {
			add("%s: it protects nothing", b.Name)
		}
	}
	for _, s := range o.Services {
		if !o.selects(s.Spec.Selector) {
			add("%s: it leads nowhere", s.Name)
		}
	}
	slices.Sort(faults)
	return faults
}

func podFaults(name string, spec *corev1.PodSpec, configs map[string]corev1.ConfigMap, settings []string, add func(string, ...any)) {
	security := spec.SecurityContext
	if security == nil || security.RunAsNonRoot == nil || !*security.RunAsNonRoot || security.SeccompProfile == nil || security.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
		add("%s: it may run as root, or without seccomp", name)
	}
	if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
		add("%s: it has a token of Kubernetes", name)
	}
	volumes := map[string]corev1.Volume{}
	for _, v := range spec.Volumes {
		volumes[v.Name] = v
	}
	for i := range spec.Containers {
		c := &spec.Containers[i]
		s := c.SecurityContext
		if s == nil || s.ReadOnlyRootFilesystem == nil || !*s.ReadOnlyRootFilesystem || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
			s.Capabilities == nil || !slices.Contains(s.Capabilities.Drop, "ALL") {
			add("%s: its file system, its rights or its capabilities are open", name)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() {
			add("%s: requests or a limit of memory are missing", name)
		}
		for _, m := range c.VolumeMounts {
			if _, ok := volumes[m.Name]; !ok {
				add("%s: it mounts %s, which is no volume", name, m.Name)
			}
		}
		for _, e := range c.EnvFrom {
			if _, ok := configs[e.ConfigMapRef.Name]; !ok {
				add("%s: there is no ConfigMap %s", name, e.ConfigMapRef.Name)
			}
		}
		for _, e := range c.Env {
			if !isSetting(e.Name, settings) {
				add("%s: %s is no setting", name, e.Name)
			}
			if base, file := strings.CutSuffix(e.Name, "_FILE"); !file && looksSecret(base) && e.Value != "" {
				add("%s: %s is a secret in clear", name, e.Name)
			}
			if strings.HasSuffix(e.Name, "_FILE") && !mounted(c, e.Value) {
				add("%s: %s names %s, where nothing is mounted", name, e.Name, e.Value)
			}
		}
	}
}

// looksSecret tells whether a setting holds a secret, or an address with one.
func looksSecret(name string) bool {
	return slices.Contains([]string{"EGRID_STORE", "EGRID_QUEUE", "EGRID_REPLICA", "EGRID_REDIS"}, name) || strings.Contains(name, "SECRET") ||
		strings.Contains(name, "PASSWORD") || strings.HasSuffix(name, "_KEY") || strings.HasSuffix(name, "_KEYS")
}

func mounted(c *corev1.Container, path string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(path, m.MountPath+"/") })
}

// Other variables that programs of Go read.
var runtimeVariables = []string{"GOMEMLIMIT", "TMPDIR", "TZ"}

func isSetting(name string, settings []string) bool {
	return slices.Contains(settings, name) || slices.Contains(settings, strings.TrimSuffix(name, "_FILE")) || slices.Contains(runtimeVariables, name)
}

func (o *Objects) isDeployment(name string) bool {
	return slices.ContainsFunc(o.Deployments, func(d appsv1.Deployment) bool { return d.Name == name })
}

func (o *Objects) selects(labels map[string]string) bool {
	return slices.ContainsFunc(o.Deployments, func(d appsv1.Deployment) bool { return within(labels, d.Spec.Template.Labels) })
}

func (o *Objects) selected(labels map[string]string) bool {
	return slices.ContainsFunc(o.Policies, func(p networkingv1.NetworkPolicy) bool { return within(p.Spec.PodSelector.MatchLabels, labels) })
}

// within tells whether labels are among others; no labels select everything.
func within(labels, among map[string]string) bool {
	for name, value := range labels {
		if among[name] != value {
			return false
		}
	}
	return true
}
