package fetch

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// extract puts the files of an archive whose names match the pattern, in any
// folder and letter case, beside it, and returns their paths.
func extract(archive, pattern string, limit int64) ([]string, error) {
	file, err := os.Open(archive) //nolint:gosec // G304: the caller chooses the folder
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", archive, err)
	}
	var paths, names []string
	for _, f := range z.File {
		name := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
		if f.FileInfo().IsDir() || !usable(name) {
			continue
		}
		names = append(names, name)
		if ok, _ := path.Match(pattern, strings.ToLower(name)); !ok { // the pattern was checked
			continue
		}
		to := filepath.Join(filepath.Dir(archive), name)
		if slices.Contains(paths, to) {
			return nil, fmt.Errorf("%w: %s has several files %s; unpack the one that you mean by hand", egrid.ErrConflict, archive, name)
		}
		n, err := unpack(f, to, limit)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", archive, name, err)
		}
		limit -= n
		paths = append(paths, to)
	}
	if len(paths) == 0 {
		slices.Sort(names)
		return nil, fmt.Errorf("%w: %s has no file %s; it has %s", egrid.ErrNotFound, archive, pattern, strings.Join(names[:min(len(names), 20)], ", "))
	}
	slices.Sort(paths)
	return paths, nil
}

// unpack writes a file of an archive under another name first. The archive's
// CRC-32 is checked by reading to the end.
func unpack(f *zip.File, to string, limit int64) (n int64, err error) {
	in, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), filepath.Base(to)+".*.part")
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, remove(out.Name()))
		}
	}()
	n, err = io.Copy(out, io.LimitReader(in, limit+1))
	if n > limit {
		err = fmt.Errorf("it has more than the %d bytes that are taken", limit)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return n, err
	}
	return n, os.Rename(out.Name(), to)
}
