// Package e2e tests the dashboard in a browser, over a store, the API and the
// page put together as a host does. It is a module of its own, so that no user
// of the packages inherits the browser's library.
//
//	cd internal/e2e && go test ./...
//
// The tests need chromium: in PATH, or named by EGRID_TEST_CHROMIUM. Without it
// they are skipped, and fail where CI is true. EGRID_DATA names the folder of
// real files; EGRID_TEST_SCREENSHOTS a folder in which to keep screenshots.
package e2e
