package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	scaling "k8s.io/api/autoscaling/v2"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"fanli/adapters/observe"
)

// targets are those that run by themselves, and whether events come to them.
var targets = map[string]bool{"gateway": false, "bot": false, "user": true, "order": true, "rebate": true, "payment": true, "notification": true}

// A cluster is what one kustomization makes, by kind and name.
type cluster struct {
	workloads map[string]core.PodTemplateSpec
	replicas  map[string]*int32
	strategy  map[string]apps.DeploymentStrategy
	services  map[string]core.Service
	budgets   map[string]policy.PodDisruptionBudget
	scalers   map[string]scaling.HorizontalPodAutoscaler
	configs   map[string]core.ConfigMap
}

// made builds a kustomization and reads every object strictly.
func made(t *testing.T, dir string) cluster {
	t.Helper()
	out, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join("kubernetes", dir))
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{
		map[string]core.PodTemplateSpec{}, map[string]*int32{}, map[string]apps.DeploymentStrategy{}, map[string]core.Service{},
		map[string]policy.PodDisruptionBudget{}, map[string]scaling.HorizontalPodAutoscaler{}, map[string]core.ConfigMap{},
	}
	for _, r := range out.Resources() {
		text := r.MustYaml()
		read := func(into any) {
			if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
				t.Errorf("%s %s: %v", r.GetKind(), r.GetName(), err)
			}
		}
		if r.GetKind() != "Namespace" && r.GetNamespace() != "fanli" {
			t.Errorf("%s %s is in namespace %q", r.GetKind(), r.GetName(), r.GetNamespace())
		}
		switch r.GetKind() {
		case "Deployment":
			var d apps.Deployment
			read(&d)
			c.workloads[d.Name], c.replicas[d.Name], c.strategy[d.Name] = d.Spec.Template, d.Spec.Replicas, d.Spec.Strategy
		case "StatefulSet":
			var s apps.StatefulSet
			read(&s)
			c.workloads[s.Name], c.replicas[s.Name] = s.Spec.Template, s.Spec.Replicas
		case "Service":
			var s core.Service
			read(&s)
			c.services[s.Name] = s
		case "PodDisruptionBudget":
			var b policy.PodDisruptionBudget
			read(&b)
			c.budgets[b.Name] = b
		case "HorizontalPodAutoscaler":
			var h scaling.HorizontalPodAutoscaler
			read(&h)
			c.scalers[h.Name] = h
		case "ConfigMap":
			var m core.ConfigMap
			read(&m)
			c.configs[m.Name] = m
		case "Namespace":
			read(&core.Namespace{})
		default:
			t.Errorf("nobody knows what a %s is", r.GetKind())
		}
	}
	return c
}

// process is what a pod starts, with its files in a folder of this machine.
func (c cluster) process(t *testing.T, name string) process {
	t.Helper()
	pod := c.workloads[name].Spec
	ctr := pod.Containers[0]
	dir := t.TempDir()
	text, err := os.ReadFile("kubernetes/secret.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var s core.Secret
	if err := yaml.UnmarshalStrict(text, &s); err != nil {
		t.Fatal(err)
	}
	secrets := s.StringData
	p := process{name: name, args: slices.Clone(ctr.Args), env: map[string]string{}}
	for _, e := range ctr.Env {
		if file, ok := strings.CutPrefix(e.Value, "/secrets/"); ok {
			if secrets[file] == "" {
				t.Errorf("%s: %s reads %s, which secret.example.yaml does not have", name, e.Name, file)
			}
			e.Value = filepath.Join(dir, file)
			write(t, e.Value, secrets[file]+"\n")
		}
		p.env[e.Name] = e.Value
	}
	for i, a := range p.args {
		if a != "/etc/fanli/fanli.yaml" {
			continue
		}
		at := slices.IndexFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == "configuration" })
		p.args[i] = filepath.Join(dir, "fanli.yaml")
		write(t, p.args[i], c.configs[pod.Volumes[at].ConfigMap.Name].Data["fanli.yaml"])
	}
	p.env["FANLI_DATA"] = dir // it is a volume there
	return p
}

// port finds a port of a container by name or number.
func port(t *testing.T, ctr core.Container, of intstr.IntOrString) int32 {
	t.Helper()
	for _, p := range ctr.Ports {
		if of.Type == intstr.String && p.Name == of.StrVal || of.Type == intstr.Int && p.ContainerPort == of.IntVal {
			return p.ContainerPort
		}
	}
	t.Errorf("%s has no port %s", ctr.Name, of.String())
	return 0
}

func TestKubernetesRunsEveryTarget(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	for _, dir := range []string{"base", "small", "large"} {
		c := made(t, dir)
		if len(c.workloads) != len(targets) {
			t.Errorf("%s runs %d targets", dir, len(c.workloads))
		}
		for target := range targets {
			name := "fanli-" + target
			pod, ok := c.workloads[name]
			if !ok {
				t.Fatalf("%s has no %s", dir, name)
			}
			ctr := pod.Spec.Containers[0]
			p := c.process(t, name)
			if p.env["FANLI_TARGETS"] != target {
				t.Errorf("%s: %s runs %s", dir, name, p.env["FANLI_TARGETS"])
			}
			if dir == "base" {
				p.runs(t)
			}
			for what, probe := range map[string]*core.Probe{"startup": ctr.StartupProbe, "liveness": ctr.LivenessProbe, "readiness": ctr.ReadinessProbe} {
				if probe == nil || port(t, ctr, probe.HTTPGet.Port) != 8080 || !slices.Contains([]string{"/livez", "/readyz"}, probe.HTTPGet.Path) {
					t.Errorf("%s: %s has no %s probe that fanli answers: %+v", dir, name, what, probe)
				}
			}
			if ctr.Resources.Requests.Cpu().IsZero() || ctr.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: %s may take everything", dir, name)
			}
			if b, ok := c.budgets[name]; !ok || b.Spec.Selector.MatchLabels["app.kubernetes.io/component"] != target {
				t.Errorf("%s: %s has no budget of its own", dir, name)
			}
			roll := c.strategy[name].RollingUpdate
			if roll == nil || roll.MaxUnavailable.IntValue() != 0 || roll.MaxSurge.IntValue() < 1 {
				t.Errorf("%s: an update of %s takes a process away before another is there", dir, name)
			}
			for _, s := range []string{name, "fanli-peers-" + target} {
				svc, ok := c.services[s]
				if !ok || svc.Spec.Selector["app.kubernetes.io/component"] != target {
					t.Errorf("%s: service %s does not lead to %s: %v", dir, s, target, svc.Spec.Selector)
				}
				for _, sp := range svc.Spec.Ports {
					if got := port(t, ctr, sp.TargetPort); got != sp.Port {
						t.Errorf("%s: %s leads from %d to %d", dir, s, sp.Port, got)
					}
				}
			}
			wantScaling(t, c, dir, target)
		}
	}
}

// wantScaling holds how many processes there are against what is promised.
func wantScaling(t *testing.T, c cluster, dir, target string) {
	t.Helper()
	name := "fanli-" + target
	n := c.replicas[name]
	h, scaled := c.scalers[name]
	if scaled != (dir == "large") || scaled != (n == nil) {
		t.Errorf("%s: %s has replicas %v, scaled by itself: %v", dir, name, n, scaled)
	}
	if want := map[string]int32{"base": 2, "small": 1}[dir]; !scaled && *n != want {
		t.Errorf("%s: %d of %s, want %d", dir, *n, name, want)
	}
	if !scaled {
		return
	}
	if h.Spec.ScaleTargetRef.Kind != "Deployment" || h.Spec.ScaleTargetRef.Name != name || *h.Spec.MinReplicas < 2 {
		t.Errorf("%s scales %+v", name, h.Spec)
	}
	cpu, queue := false, false
	for _, m := range h.Spec.Metrics {
		cpu = cpu || m.Resource != nil && m.Resource.Name == core.ResourceCPU
		if m.External != nil {
			said := m.External.Metric
			queue = said.Selector.MatchLabels["target"] == target && said.Name == observe.QueueEvents
		}
	}
	if !cpu || queue != targets[target] {
		t.Errorf("%s scales on CPU: %v, on its queue: %v; want it on the queue: %v", name, cpu, queue, targets[target])
	}
}

func TestKubernetesWithOneProcess(t *testing.T) {
	t.Parallel()
	if underRace {
		t.Skip(unwatched)
	}
	c := made(t, "single")
	if n := c.replicas["fanli"]; n == nil || *n != 1 {
		t.Error("SQLite serves one process")
	}
	c.process(t, "fanli").runs(t)
	ctr := c.workloads["fanli"].Spec.Containers[0]
	if got := port(t, ctr, c.services["fanli"].Spec.Ports[0].TargetPort); got != 8080 {
		t.Error(fmt.Sprint("people reach port ", got))
	}
}
