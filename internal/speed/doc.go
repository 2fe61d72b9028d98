// Package speed compares the API with what it is made of: benchmarks only, which
// need a driver beside the API and so belong to no other package.
//
//	internal/scripts/with-services.sh go test -run '^$' -bench . ./internal/speed
package speed
