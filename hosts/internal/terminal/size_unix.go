//go:build unix

package terminal

import (
	"os"

	"golang.org/x/sys/unix"
)

// size asks a terminal how many columns and lines it has.
func size(f *os.File) (columns, lines int, ok bool) {
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, false
	}
	return int(ws.Col), int(ws.Row), ws.Col > 0
}
