//go:build !linux

package pgstore

import "syscall"

// limitSilence leaves it to the operating system how long what was sent may be
// without an acknowledgement.
func limitSilence(string, string, syscall.RawConn) error { return nil }
