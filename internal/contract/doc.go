// Package contract compares what the API answers with the OpenAPI document that
// it serves, by a JSON Schema validator that others wrote. It is a module of its
// own, so that no user of the packages inherits the validator.
//
//	cd internal/contract && go test ./...
//
// README.md beside this file tells of the tools that ask the API more.
package contract
