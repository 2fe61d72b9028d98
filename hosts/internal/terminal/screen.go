package terminal

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Columns is how many characters fit into a line of w: what COLUMNS says, else what
// the terminal says; 80 for a terminal that does not tell, 0, which is any number, for
// what is no terminal.
func Columns(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok && Is(w) {
		if columns, _, ok := size(f); ok {
			return columns
		}
		return Width
	}
	return 0
}

// lessOptions have less end at once where a screen holds all, keep colors, cut lines
// that are longer than the screen, which the arrows then move, and leave the text on
// the screen.
const lessOptions = "FRSX"

// Pager shows what is written to it page by page. It is w itself where w is no
// terminal, command is cat or empty and less is not there. Close waits until the
// reader has seen enough; it does not close w.
func Pager(w io.Writer, command string) (io.WriteCloser, error) {
	f, isFile := w.(*os.File)
	if command == "" {
		command = "less"
	}
	if !isFile || !Is(w) || command == "cat" {
		return passing{w}, nil
	}
	words := strings.Fields(command)
	path, err := exec.LookPath(words[0])
	if err != nil {
		return passing{w}, nil //nolint:nilerr // what is asked for is shown without it
	}
	p := &pager{cmd: exec.Command(path, words[1:]...)} //nolint:gosec,noctx // the person names the program, and ends it
	p.cmd.Stdout, p.cmd.Stderr = f, os.Stderr
	if _, set := os.LookupEnv("LESS"); !set {
		p.cmd.Env = append(os.Environ(), "LESS="+lessOptions)
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

type passing struct{ io.Writer }

func (passing) Close() error { return nil }

type pager struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// Write writes to the program. That it was ended early is no error.
func (p *pager) Write(b []byte) (int, error) {
	n, err := p.in.Write(b)
	if ended(err) {
		return len(b), nil
	}
	return n, err
}

func (p *pager) Close() error {
	err := p.in.Close()
	if ended(err) {
		err = nil
	}
	waited := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(waited, &exit) { // of a pager that was ended, say
		waited = nil
	}
	return errors.Join(err, waited)
}

func ended(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) || runtime.GOOS == "windows" && err != nil
}
