// Package mcp gives the questions of the API to programs that speak the Model
// Context Protocol: language models and what is built around them.
//
//	api := httpapi.New(store.New(scanner), nil)
//	err := mcp.Serve(ctx, mcp.New(api, nil), os.Stdin, os.Stdout) // for one client
//	api = httpapi.New(store.New(scanner), &httpapi.Options{MCP: mcp.Handler}) // POST /mcp
//
// Start with [Serve] for a program that its client starts, and with [Handler] for
// a service. The tools are factor, explain, plant, region, search, compare,
// inventory, zip and catalogue; a client is told what each takes. All of them read.
//
// # Guarantees
//
// A tool asks the API as any client does, so it has the same checks, units and
// figures, and each answer is of one state of the data. Its structured content is
// the JSON of the API, of the types of package wire: data, meta with the units, links
// with the permanent address; beside them a citation with the files and their SHA-256.
// The text says the same in short, for clients that show nothing else. Of the plants behind a
// figure only those that count most are listed, and how many are left out is said.
//
// Links are relative to the API. Nothing is kept between two calls, so a handler
// may stand behind any balancer of load.
//
// # Errors
//
// What cannot be answered is the result of a tool, marked as an error: the cause, and
// what there is instead, in the API's words. Errors of the protocol are only for
// what is none of its messages, and for tools that there are not.
//
// # See also
//
// Package httpapi, which answers, and package httpapi/client for Go programs.
package mcp
