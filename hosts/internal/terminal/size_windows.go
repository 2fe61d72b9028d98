package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// size asks a console how many columns and lines its window has.
func size(f *os.File) (columns, lines int, ok bool) {
	var info windows.ConsoleScreenBufferInfo
	if err := windows.GetConsoleScreenBufferInfo(windows.Handle(f.Fd()), &info); err != nil {
		return 0, 0, false
	}
	return int(info.Window.Right-info.Window.Left) + 1, int(info.Window.Bottom-info.Window.Top) + 1, true
}
