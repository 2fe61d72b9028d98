//go:build linux || darwin || freebsd

package telemetry

import "golang.org/x/sys/unix"

// measureDisk asks the system about the disk of a folder.
func measureDisk(folder string) (size, free uint64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, 0, false
	}
	block := uint64(s.Bsize)                                        //nolint:gosec,unconvert,nolintlint // its type differs by system
	return uint64(s.Blocks) * block, uint64(s.Bavail) * block, true //nolint:gosec,unconvert,nolintlint // likewise
}
