//go:build race

package sqlitestore_test

// raceDetector says whether the tests run under the race detector.
const raceDetector = true
