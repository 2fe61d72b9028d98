package main

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl/fetch"
)

//go:embed completion
var completionScripts embed.FS

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish."`
}

// Help implements kong.HelpProvider.
func (c *completionCmd) Help() string {
	return `Prints a script that completes commands, flags, levels, columns, states, fuels and more.
Examples:

  source <(egrid completion bash)
  egrid completion bash > ~/.local/share/bash-completion/completions/egrid
  egrid completion zsh > "${fpath[1]}/_egrid"
  egrid completion fish > ~/.config/fish/completions/egrid.fish`
}

func (c *completionCmd) Run(a *app) error {
	shells := []string{"bash", "zsh", "fish"}
	shell := strings.ToLower(c.Shell)
	if !slices.Contains(shells, shell) {
		return unknownName("shell", c.Shell, shells)
	}
	script, err := completionScripts.ReadFile("completion/egrid." + shell)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(script)
	return err
}

// completeCommand is what the scripts call, with the words behind egrid up to the one
// that is completed, which may be empty. It prints a candidate on each line, behind it
// a tab and what it is; files alone asks the shell for names of files.
const (
	completeCommand = "__complete"
	files           = ":files"
)

// complete answers a completion script.
func complete(w io.Writer, words []string) error {
	p, err := parserOf(new(cli), io.Discard, io.Discard, func(int) {})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, c := range candidatesOf(p.Model.Node, joined(words)) {
		fmt.Fprintln(&b, strings.TrimSuffix(c.word+"\t"+strings.ReplaceAll(c.about, "\n", " "), "\t"))
	}
	_, err = w.Write(b.Bytes())
	return err
}

// joined puts together what bash splits at =: --state, =, TX.
func joined(words []string) []string {
	var out []string
	for i, word := range words {
		last := len(out) - 1
		switch {
		case word == "=" && last >= 0 && strings.HasPrefix(out[last], "--"):
			out[last] += "="
		case i > 0 && words[i-1] == "=" && last >= 0 && strings.HasSuffix(out[last], "="):
			out[last] += word
		default:
			out = append(out, word)
		}
	}
	return out
}

// candidate is a word and what it is.
type candidate struct{ word, about string }

// candidatesOf are what the last of the words may become.
func candidatesOf(root *kong.Node, words []string) []candidate {
	if len(words) == 0 {
		words = []string{""}
	}
	current := words[len(words)-1]
	node, place := root, 0
	var level egrid.Level
	var waiting *kong.Flag
	for _, word := range words[:len(words)-1] {
		switch {
		case waiting != nil:
			if waiting.Name == "level" {
				level, _ = parseLevel(word)
			}
			waiting = nil
		case strings.HasPrefix(word, "-") && len(word) > 1:
			name, value, given := strings.Cut(word, "=")
			if f := flagOf(node, name); f != nil && !f.IsBool() && !given {
				waiting = f
			} else if f != nil && f.Name == "level" {
				level, _ = parseLevel(value)
			}
		default:
			if child := childOf(node, word); child != nil {
				node = child
				continue
			}
			if place < len(node.Positional) && node.Positional[place].Name == "level" {
				level, _ = parseLevel(word)
			}
			place++
		}
	}
	switch {
	case waiting != nil:
		return valuesOf(waiting.Value, level, current)
	case strings.HasPrefix(current, "--") && strings.Contains(current, "="):
		name, value, _ := strings.Cut(current, "=")
		f := flagOf(node, name)
		if f == nil {
			return nil
		}
		return valuesOf(f.Value, level, value)
	case strings.HasPrefix(current, "-"):
		return flagsOf(node, current)
	case len(node.Children) > 0:
		return childrenOf(node, current)
	case len(node.Positional) > 0:
		return valuesOf(node.Positional[min(place, len(node.Positional)-1)], level, current)
	}
	return nil
}

func flagOf(node *kong.Node, name string) *kong.Flag {
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if "--"+f.Name == name || f.Short != 0 && "-"+string(f.Short) == name {
				return f
			}
		}
	}
	return nil
}

func childOf(node *kong.Node, name string) *kong.Node {
	i := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return node.Children[i]
}

func flagsOf(node *kong.Node, prefix string) (found []candidate) {
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if name := "--" + f.Name; !f.Hidden && strings.HasPrefix(name, prefix) {
				found = append(found, candidate{name, firstSentence(f.Help)})
			}
		}
	}
	return found
}

func childrenOf(node *kong.Node, prefix string) (found []candidate) {
	for _, c := range node.Children {
		if !c.Hidden && strings.HasPrefix(c.Name, prefix) {
			found = append(found, candidate{c.Name, firstSentence(c.Help)})
		}
	}
	return found
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(first, ".")
}

// valuesOf are the values of a flag or an argument, of a list its last one.
func valuesOf(v *kong.Value, level egrid.Level, current string) []candidate {
	known, list, isKnown := knownValues(v, level)
	if !isKnown {
		return []candidate{{files, ""}}
	}
	before, last := "", current
	if i := strings.LastIndexByte(current, ','); list && i >= 0 {
		before, last = current[:i+1], current[i+1:]
	}
	if v.Name == "sort" && strings.HasPrefix(last, "-") {
		before, last = before+"-", last[1:]
	}
	var found []candidate
	for _, c := range known {
		if len(c.word) >= len(last) && strings.EqualFold(c.word[:len(last)], last) {
			found = append(found, candidate{before + c.word, c.about})
		}
	}
	return found
}

// knownValues are the values that something may have, and whether it takes several.
// It is false for what is a file, or nobody knows.
func knownValues(v *kong.Value, level egrid.Level) (known []candidate, list, ok bool) {
	switch v.Name {
	case "level":
		for _, l := range egrid.Levels() {
			known = append(known, candidate{string(l), l.Title()})
		}
	case "state":
		return regionCandidates(egrid.ST), true, true
	case "subregion":
		return regionCandidates(egrid.SRL), true, true
	case "nerc":
		return regionCandidates(egrid.NRL), true, true
	case "code":
		return regionCandidates(level), false, len(egrid.NamedRegions(level)) > 0
	case "fuel":
		for _, category := range egrid.FuelCategories() {
			for _, fuel := range egrid.FuelsOf(category) {
				known = append(known, candidate{fuel, category})
			}
		}
		return known, true, true
	case "fuel-category":
		return bare(egrid.FuelCategories()), true, true
	case "columns", "sort", "by", "facet", "column", "filter":
		return columnCandidates(level), v.Name != "filter" && v.Name != "column", true
	case "measures":
		return measureCandidates(level), true, true
	case "year":
		for _, e := range fetch.Editions() {
			if c := (candidate{strconv.Itoa(e.Year), ""}); !slices.Contains(known, c) {
				known = append(known, c)
			}
		}
	case "format":
		known = bare(formats())
	case "codes":
		known = bare([]string{"epa"})
	case "shell":
		known = bare([]string{"bash", "zsh", "fish"})
	case "gas":
		known = bare([]string{"co2e", "co2", "ch4", "n2o", "nox", "so2"})
	case "kind":
		known = bare([]string{"output", "nonbaseload", "combustion", "input"})
	case "gwp":
		known = bare([]string{"published", "sar", "ar4", "ar5", "ar6"})
	case "adjustment":
		known = bare([]string{"published", "unadjusted", "biomass", "chp"})
	case "units":
		known = bare([]string{"us", "metric"})
	}
	if v.Enum != "" && v.Name != "format" {
		known = nil
		for _, e := range v.EnumSlice() {
			if e != "" {
				known = append(known, candidate{e, ""})
			}
		}
	}
	return known, false, known != nil
}

func bare(words []string) []candidate {
	out := make([]candidate, len(words))
	for i, w := range words {
		out[i].word = w
	}
	return out
}

func regionCandidates(level egrid.Level) (known []candidate) {
	for _, r := range egrid.NamedRegions(level) {
		known = append(known, candidate{r.Code, r.Name})
	}
	return known
}

func columnCandidates(level egrid.Level) (known []candidate) {
	if level == "" {
		level = egrid.PLNT
	}
	for _, f := range append(egrid.ContextFields(level), egrid.Fields(level)...) {
		if c := (candidate{string(f.Column), firstSentence(f.Description)}); !slices.ContainsFunc(known, func(k candidate) bool { return k.word == c.word }) {
			known = append(known, c)
		}
	}
	return known
}

func measureCandidates(level egrid.Level) []candidate {
	if level == "" {
		level = egrid.PLNT
	}
	known := []candidate{{"count", "Number of rows"}}
	for _, f := range egrid.Fields(level) {
		if f.Type == egrid.Number {
			known = append(known, candidate{"sum(" + string(f.Column) + ")", ""})
		}
	}
	return known
}
