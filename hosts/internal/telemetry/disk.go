package telemetry

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// WatchDisk shows how large the disk of a folder is, and how much of it is free
// for this program. The name says what the folder is for: temporary, rejects or
// store. A folder that is not there yet is measured where it would be made.
func (m *Metrics) WatchDisk(name, folder string) {
	m.disks.mu.Lock()
	defer m.disks.mu.Unlock()
	if m.disks.folders == nil {
		m.disks.folders = map[string]string{}
	}
	m.disks.folders[name] = folder
}

// disks measures the disks of folders.
type disks struct {
	mu      sync.Mutex
	folders map[string]string // by name
}

var (
	diskSize = describe("egrid_disk_size_bytes", "Size of the disk that a folder is on.", "folder")
	diskFree = describe("egrid_disk_free_bytes", "What this program may still write to the disk that a folder is on.", "folder")
)

// Describe implements [prometheus.Collector].
func (d *disks) Describe(out chan<- *prometheus.Desc) { out <- diskSize; out <- diskFree }

// Collect implements [prometheus.Collector].
func (d *disks) Collect(out chan<- prometheus.Metric) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name, folder := range d.folders {
		if size, free, ok := measureDisk(existing(folder)); ok {
			out <- gauge(diskSize, float64(size), name)
			out <- gauge(diskFree, float64(free), name)
		}
	}
}

// existing is the folder, or the nearest one above that is there.
func existing(folder string) string {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "."
	}
	for {
		if _, err := os.Stat(folder); err == nil || folder == filepath.Dir(folder) {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}
