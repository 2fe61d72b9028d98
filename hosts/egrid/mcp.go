package main

import (
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/mcp"
)

type mcpCmd struct{}

// Help implements kong.HelpProvider.
func (c *mcpCmd) Help() string {
	return `A client starts this program, and asks it on stdin and stdout. Its configuration names the command and the store:

  {"mcpServers": {"egrid": {"command": "egrid", "args": ["mcp", "--store", "/data/egrid.db"]}}}

A service answers the same tools at /mcp: egrid serve.`
}

func (c *mcpCmd) Run(a *app) error {
	return a.withData(func(db *store.DB) error {
		version := service.Version().Version
		api := httpapi.New(db, &httpapi.Options{Version: version, Logger: a.log})
		return mcp.Serve(a.ctx, mcp.New(api, &mcp.Options{Version: version, Logger: a.log}), a.stdin, a.stdout)
	})
}
