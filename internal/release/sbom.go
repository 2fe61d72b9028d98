package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// The bill of materials is CycloneDX 1.6, made of what Go wrote into the program: the
// modules that are linked, and no others.
type (
	bill struct {
		Format   string      `json:"bomFormat"`
		Spec     string      `json:"specVersion"`
		Serial   string      `json:"serialNumber"`
		Version  int         `json:"version"`
		Metadata about       `json:"metadata"`
		Parts    []component `json:"components"`
		Needs    []needs     `json:"dependencies"`
	}
	about struct {
		Time      string    `json:"timestamp"`
		Component component `json:"component"`
	}
	component struct {
		Ref        string     `json:"bom-ref"`
		Type       string     `json:"type"`
		Name       string     `json:"name"`
		Version    string     `json:"version"`
		Purl       string     `json:"purl"`
		Hashes     []hash     `json:"hashes,omitempty"`
		Properties []property `json:"properties,omitempty"`
	}
	hash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	property struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	needs struct {
		Ref string   `json:"ref"`
		On  []string `json:"dependsOn"`
	}
)

// sbom is the bill of materials of a program.
func sbom(binary, version string, at int64) ([]byte, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	sum, err := sumOf(binary)
	if err != nil {
		return nil, err
	}
	main := component{
		Ref: purl(info.Main.Path, version), Type: "application", Name: info.Main.Path, Version: version, Purl: purl(info.Main.Path, version),
		Hashes: []hash{{"SHA-256", sum}},
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "CGO_ENABLED", "vcs.revision", "-trimpath":
			main.Properties = append(main.Properties, property{"go:" + s.Key, s.Value})
		}
	}
	b := bill{
		Format: "CycloneDX", Spec: "1.6", Version: 1,
		Metadata: about{Time: time.Unix(at, 0).UTC().Format(time.RFC3339), Component: main},
		Parts:    []component{{Ref: purl("std", info.GoVersion), Type: "library", Name: "std", Version: info.GoVersion, Purl: purl("std", info.GoVersion)}},
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			return nil, fmt.Errorf("module %s is replaced: a release has none of that", m.Path)
		}
		c := component{Ref: purl(m.Path, m.Version), Type: "library", Name: m.Path, Version: m.Version, Purl: purl(m.Path, m.Version)}
		c.Properties = []property{{"go:sum", m.Sum}} // of the module's files, as go.sum has it
		b.Parts = append(b.Parts, c)
	}
	of := needs{Ref: main.Ref}
	for _, c := range b.Parts {
		of.On = append(of.On, c.Ref)
	}
	b.Needs = []needs{of}
	b.Serial = "urn:uuid:" + serial(sum)
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}

func purl(path, version string) string { return "pkg:golang/" + path + "@" + version }

// serial is a UUID (version 8) that is made of the program's sum, so that equal programs
// have equal bills.
func serial(sum string) string {
	b := sha256.Sum256([]byte("egrid sbom " + sum))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:16])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
