package service

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Setting is an environment variable that a program reads.
type Setting struct {
	Variable string `json:"variable"`
	Default  string `json:"default"`
	Kind     string `json:"kind"` // text, number, duration, yes or no, file, list
	Meaning  string `json:"meaning"`
	Secret   bool   `json:"secret"` // it is or may hold a secret: VARIABLE_FILE names a file in its place
}

// secretVariables are the settings that are secrets, or addresses that may hold one.
// Each may be in a file that the variable of the same name and _FILE names.
var secretVariables = []string{
	"EGRID_STORE", "EGRID_REPLICA", "EGRID_QUEUE", "EGRID_REDIS", "EGRID_S3_ACCESS_KEY", "EGRID_S3_SECRET_KEY",
	secretVariable, apiKeysVariable, etlKeyVariable, notifyVariable, "EGRID_WEBHOOK", "EGRID_WEBHOOK_SECRET", "EGRID_SMTP_PASSWORD",
}

// plainSettings are those that no flag has.
func plainSettings() map[string][]Setting {
	s3 := []Setting{
		{Variable: "EGRID_S3_ENDPOINT", Default: "https://s3.amazonaws.com", Kind: "text", Meaning: "The server of s3://BUCKET/PREFIX sources; TLS by its scheme."},
		{Variable: "EGRID_S3_REGION", Kind: "text", Meaning: "Its region, where it has several."},
		{Variable: "EGRID_S3_ACCESS_KEY", Kind: "text", Meaning: "The key by which the bucket is read.", Secret: true},
		{Variable: "EGRID_S3_SECRET_KEY", Kind: "text", Meaning: "The secret of that key.", Secret: true},
	}
	keep := Setting{Variable: KeepVariable, Default: "10", Kind: "number", Meaning: "Superseded snapshots of each level, data year and release that stay; -1 is all."}
	root := Setting{Variable: rootVariable, Kind: "folder", Meaning: "Folder that files of sources have to be in, wherever links lead. Default: any."}
	access := []Setting{
		{Variable: secretVariable, Kind: "text", Meaning: "The secret that tokens are signed with by HS256: 32 bytes or more.", Secret: true},
		{Variable: apiKeysVariable, Kind: "text", Meaning: "API keys: a line for each, of name, scopes and SHA-256.", Secret: true},
	}
	etlKey := Setting{Variable: etlKeyVariable, Kind: "text", Meaning: "The API key by which api orders loads of the service etl.", Secret: true}
	notify := Setting{Variable: notifyVariable, Kind: "text", Meaning: "The token that a bucket sends with its notifications: 16 characters or more.", Secret: true}
	return map[string][]Setting{
		"egrid":    append(append(s3, access...), keep, root),
		"api":      append(access, etlKey),
		"etl":      append(append(s3, access...), keep, root, notify),
		"consumer": {keep},
	}
}

// Settings are the settings of a program, by its flags and by name, in order. A
// setting that several commands have is there once.
func Settings(program string, app *kong.Application) []Setting {
	settings := plainSettings()[program]
	_ = kong.Visit(app, func(n kong.Visitable, next kong.Next) error {
		if f, ok := n.(*kong.Flag); ok && len(f.Envs) > 0 && f.Name != "help" {
			s := Setting{Variable: f.Envs[0], Default: f.Default, Kind: kindOf(f), Meaning: f.Help, Secret: slices.Contains(secretVariables, f.Envs[0])}
			if !slices.ContainsFunc(settings, func(o Setting) bool { return o.Variable == s.Variable }) {
				settings = append(settings, s)
			}
		}
		return next(nil)
	})
	slices.SortFunc(settings, func(a, b Setting) int { return strings.Compare(a.Variable, b.Variable) })
	return settings
}

func kindOf(f *kong.Flag) string {
	switch {
	case f.IsBool():
		return "yes or no"
	case f.IsSlice():
		return "list, by commas"
	case f.Tag.Type == "path":
		return "file"
	case f.Target.Type() == reflect.TypeFor[time.Duration]():
		return "duration, as 30s"
	case f.Target.CanInt():
		return "number"
	case f.Enum != "":
		return strings.ReplaceAll(f.Enum, ",", ", ")
	}
	return "text"
}

// settingsFlag is --settings, which prints the settings of a program as JSON.
type settingsFlag struct {
	Settings printSettings `help:"Print the settings of this program as JSON." hidden:"" env:"-"`
}

type printSettings bool

// BeforeReset prints, before anything that is required is missed.
func (printSettings) BeforeReset(app *kong.Kong) error {
	err := json.NewEncoder(app.Stdout).Encode(Settings(app.Model.Name, app.Model))
	app.Exit(0)
	return err
}

// SecretFiles lets secrets be in files: a setting that is one is read from the file
// that its variable with _FILE behind names.
func SecretFiles() kong.Option {
	return kong.Resolvers(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		if len(f.Envs) == 0 || !slices.Contains(secretVariables, f.Envs[0]) || os.Getenv(f.Envs[0]+"_FILE") == "" {
			return nil, nil
		}
		text, err := secretOf(f.Envs[0], "", f.Envs[0])
		if err != nil {
			return nil, err
		}
		return text, nil
	}))
}
