package telemetry

import "golang.org/x/sys/windows"

// measureDisk asks the system about the disk of a folder.
func measureDisk(folder string) (size, free uint64, ok bool) {
	path, err := windows.UTF16PtrFromString(folder)
	if err != nil {
		return 0, 0, false
	}
	err = windows.GetDiskFreeSpaceEx(path, &free, &size, nil)
	return size, free, err == nil
}
