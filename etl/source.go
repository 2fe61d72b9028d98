package etl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// ErrChanged says that an object is no longer the one that was listed. Run
// again to load what is there now.
var ErrChanged = errors.New("the object changed while it was being read; run again")

// Object is a file or an object of a bucket.
type Object struct {
	Name     string `json:"name"`     // within its source, with slashes: for people
	Location string `json:"location"` // where its source opens it
	Size     int64  `json:"bytes"`
	Version  string `json:"version"` // differs when the content does, e.g. an ETag
	// Named says that a person named this very object, not a folder that it is in.
	Named bool `json:"named,omitempty"`
}

// Source lists objects and reads them. Its methods are safe for concurrent
// use.
type Source interface {
	// List yields the objects in a fixed order. An error ends the sequence.
	List(ctx context.Context) iter.Seq2[Object, error]
	// Open reads an object from a byte offset on, length bytes or, when length
	// is negative, to its end. The error wraps ErrChanged when the object is no
	// longer of the version that was listed.
	Open(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error)
}

// kinds are the names that a listing of a folder picks out, by their endings.
var kinds = []string{".csv", ".csv.gz", ".zip", ".xlsx", ".xls"}

// Loadable reports whether a name looks like something to load, or at least
// like a table that a person would expect to be told about.
func Loadable(name string) bool {
	base := path.Base(name)
	return !strings.HasPrefix(base, ".") && slices.ContainsFunc(kinds, func(ending string) bool {
		return strings.HasSuffix(strings.ToLower(base), ending)
	})
}

// Local is a source of files: each path is a file, or a folder that is walked.
// In a folder only names with the endings of eGRID files count (.csv, .csv.gz,
// .zip, .xlsx, .xls); a file that is named itself always does.
func Local(paths ...string) Source { return local(paths) }

type local []string

func (l local) List(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for _, root := range l {
			info, err := os.Stat(root)
			if err != nil {
				yield(Object{}, fmt.Errorf("%w: %w", egrid.ErrNotFound, err))
				return
			}
			if !info.IsDir() {
				absolute, err := filepath.Abs(root)
				o := objectOf(filepath.Base(root), absolute, info)
				o.Named = true
				if err != nil || !yield(o, nil) {
					return
				}
				continue
			}
			if !listFolder(ctx, root, yield) {
				return
			}
		}
	}
}

func listFolder(ctx context.Context, root string, yield func(Object, error) bool) bool {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return yield(Object{}, err)
	}
	stopped := errors.New("stopped")
	err = filepath.WalkDir(absolute, func(name string, entry fs.DirEntry, err error) error {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		if entry.IsDir() || !Loadable(entry.Name()) {
			return nil
		}
		info, err := os.Stat(name) // follows links, which WalkDir does not
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(absolute, name)
		if err != nil || info.IsDir() {
			return err
		}
		if !yield(objectOf(filepath.ToSlash(relative), name, info), nil) {
			return stopped
		}
		return nil
	})
	if err != nil && !errors.Is(err, stopped) {
		yield(Object{}, err)
	}
	return err == nil
}

func objectOf(name, location string, info fs.FileInfo) Object {
	return Object{Name: name, Location: location, Size: info.Size(), Version: fileVersion(info)}
}

func fileVersion(info fs.FileInfo) string {
	return fmt.Sprintf("%d-%d", info.Size(), info.ModTime().UnixNano())
}

func (local) Open(_ context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	f, err := os.Open(o.Location)
	if err != nil {
		return nil, err
	}
	r, err := openRange(f, o, offset, length)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// FS is a source of all files of a file system, such as an embed.FS, whose
// names have the endings of eGRID files.
func FS(files fs.FS) Source { return fileSystem{files} }

type fileSystem struct{ files fs.FS }

func (s fileSystem) List(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		stopped := errors.New("stopped")
		err := fs.WalkDir(s.files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err = cmp.Or(err, ctx.Err()); err != nil || entry.IsDir() || !Loadable(name) {
				return err
			}
			info, err := entry.Info()
			if err != nil {
				return err
			}
			if !yield(objectOf(name, name, info), nil) {
				return stopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, stopped) {
			yield(Object{}, err)
		}
	}
}

func (s fileSystem) Open(_ context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	f, err := s.files.Open(o.Location)
	if err != nil {
		return nil, err
	}
	r, err := openRange(f, o, offset, length)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// openRange positions a file that is of the listed version.
func openRange(f fs.File, o Object, offset, length int64) (io.ReadCloser, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if fileVersion(info) != o.Version {
		return nil, fmt.Errorf("%s: %w", o.Name, ErrChanged)
	}
	if offset > 0 {
		if seeker, ok := f.(io.Seeker); ok {
			_, err = seeker.Seek(offset, io.SeekStart)
		} else {
			_, err = io.CopyN(io.Discard, f, offset)
		}
		if err != nil {
			return nil, err
		}
	}
	if length < 0 {
		return f, nil
	}
	return readCloser{io.LimitReader(f, length), f}, nil
}

// readCloser reads from one value and closes another.
type readCloser struct {
	io.Reader
	io.Closer
}
