package etl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/internal/spool"
)

// ErrChanged says that an object is no longer the one that was listed. Run
// again to load what is there now.
var ErrChanged = errors.New("the object changed while it was being read; run again")

// Object is a file or an object of a bucket.
type Object struct {
	Name     string `json:"name"`     // within its source, with slashes: for people
	Location string `json:"location"` // where its source opens it: no two objects have the same
	// Size is how many bytes the object has: it is needed, and has to be true. A source
	// that does not know it before it has read the object reads it for that, as Stream does.
	Size    int64  `json:"bytes"`
	Version string `json:"version"` // differs when the content does, e.g. an ETag; not empty
	// Named says that a person named this very object, not a folder that it is in.
	Named bool `json:"named,omitempty"`
	// LeftOut says why a listing came upon the object and does not load it; empty
	// for one to load.
	LeftOut string `json:"left_out,omitempty"`
}

// toLoad reports whether the listing did not leave the object out.
func (o Object) toLoad() bool { return o.LeftOut == "" }

// Source lists objects and reads them. Its methods are safe for concurrent
// use. Package etltest has the suite that a source of your own should pass.
type Source interface {
	// List yields the objects in a fixed order. An error ends the sequence.
	List(ctx context.Context) iter.Seq2[Object, error]
	// Open reads an object from a byte offset on: exactly length bytes or, when length
	// is negative, all to its end. The range is within the object, and ranges of one
	// object are read side by side: a server that answers with another range than it
	// was asked for, as one of HTTP with 200 in place of 206, is an error. The error
	// wraps ErrChanged when the object is no longer of the version that was listed.
	Open(ctx context.Context, o Object, offset, length int64) (io.ReadCloser, error)
}

// kinds are the names that a listing of a folder picks out, by their endings.
var kinds = []string{".csv", ".tsv", ".ndjson", ".jsonl", ".xlsx", ".xls", ".parquet", ".zip"}

// Loadable reports whether a name ends as those of tables do, with or without .gz
// behind that.
func Loadable(name string) bool {
	return !Hidden(name) && slices.Contains(kinds, path.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz")))
}

// Hidden reports whether a listing of a folder passes over a name without a word:
// one that begins with a dot, or is in a folder that does, or that of a file with
// which a spreadsheet marks another as open.
func Hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || strings.HasPrefix(part, "~$") {
			return true
		}
	}
	return false
}

// Listed is an object as a listing of a folder has it: left out unless it is
// Loadable.
func Listed(o Object) Object {
	if !Loadable(o.Name) {
		o.LeftOut = "its name does not end in " + strings.Join(kinds, ", ") + ", nor in these with .gz; to load it, name the file itself"
	}
	return o
}

// Local is a source of files: each path is a file, or a folder that is walked.
//
// In a folder only names with the endings of eGRID files count (.csv, .tsv,
// .ndjson, .jsonl, .xlsx, .xls, .parquet and .zip, all also with .gz); a file that is
// named itself always does. Links are followed, to files and to folders. What is left out
// is listed with the reason: other names, and links to what is listed anyway.
// [Hidden] names are not listed.
func Local(paths ...string) Source { return local(paths) }

type local []string

func (l local) List(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for _, root := range l {
			objects, err := listLocal(ctx, root)
			for _, o := range objects {
				if !yield(o, nil) {
					return
				}
			}
			if err != nil {
				yield(Object{}, err)
				return
			}
		}
	}
}

func listLocal(ctx context.Context, root string) ([]Object, error) {
	info, err := os.Stat(root)
	if err != nil {
		var at *fs.PathError // which says by what call
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("%w: %s: %w", egrid.ErrNotFound, root, broken(root, err))
	}
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if info.Mode().IsRegular() {
		o := objectOf(filepath.Base(root), absolute, info)
		o.Named = true
		return []Object{o}, nil
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%w: %s is neither a file nor a folder; to load what a program writes, pipe it into standard input and name it -", egrid.ErrInvalid, root)
	}
	w := walk{files: os.DirFS(absolute), location: func(name string) string { return filepath.Join(absolute, filepath.FromSlash(name)) }}
	above, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return nil, err
	}
	for above != filepath.Dir(above) {
		above = filepath.Dir(above)
		if info, err := os.Stat(above); err == nil {
			w.folders = append(w.folders, folder{info: info})
		}
	}
	return w.list(ctx)
}

// broken adds to an error where a link leads that cannot be followed.
func broken(name string, err error) error {
	if target, linkErr := os.Readlink(name); linkErr == nil {
		return fmt.Errorf("it is a link to %s, which cannot be followed: %w", target, err)
	}
	return err
}

// walk lists the tables of a file system.
type walk struct {
	files    fs.FS
	location func(name string) string
	folders  []folder // that were walked, or in which the file system is
	links    []string // to follow
	objects  []Object
	infos    []fs.FileInfo // of the objects
}

type folder struct {
	name string // empty for one in which the file system is
	info fs.FileInfo
}

// list walks what is there and then the links, so that a file that can be reached
// in both ways has its own name.
func (w *walk) list(ctx context.Context) ([]Object, error) {
	if err := w.walk(ctx, "."); err != nil {
		return nil, err
	}
	for len(w.links) > 0 {
		link := w.links[0]
		w.links = w.links[1:]
		if err := w.follow(ctx, link); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(w.objects, func(a, b Object) int { return cmp.Compare(a.Name, b.Name) })
	return w.objects, nil
}

func (w *walk) walk(ctx context.Context, root string) error {
	return fs.WalkDir(w.files, root, func(name string, entry fs.DirEntry, err error) error {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		switch {
		case name != root && Hidden(entry.Name()):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.Type()&fs.ModeSymlink != 0:
			w.links = append(w.links, name)
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return w.enter(name, info)
		}
		w.add(objectOf(name, w.location(name), info), info)
		return nil
	})
}

// enter remembers a folder. It returns fs.SkipDir for one that is known.
func (w *walk) enter(name string, info fs.FileInfo) error {
	for _, known := range w.folders {
		if !os.SameFile(known.info, info) {
			continue
		}
		why := "it is the same folder as " + known.name
		if known.name == "" || known.name == "." || strings.HasPrefix(name, known.name+"/") {
			why = "it is a link back to a folder in which it is"
		}
		w.objects, w.infos = append(w.objects, Object{Name: name, Location: w.location(name), LeftOut: why}), append(w.infos, info)
		return fs.SkipDir
	}
	w.folders = append(w.folders, folder{name, info})
	return nil
}

// follow lists what is behind a link. One that leads nowhere is listed to be
// refused when it is opened: it may stand for half of the data.
func (w *walk) follow(ctx context.Context, name string) error {
	info, err := fs.Stat(w.files, name)
	if err != nil {
		w.objects = append(w.objects, Object{Name: name, Location: w.location(name)})
		w.infos = append(w.infos, nil)
		return ctx.Err()
	}
	if info.IsDir() {
		return w.walk(ctx, name)
	}
	o := objectOf(name, w.location(name), info)
	for i, other := range w.infos {
		if other != nil && os.SameFile(other, info) {
			o.LeftOut = "it is the same file as " + w.objects[i].Name
		}
	}
	w.add(o, info)
	return nil
}

func (w *walk) add(o Object, info fs.FileInfo) {
	switch {
	case o.LeftOut != "":
	case !info.Mode().IsRegular():
		o.LeftOut = "it is no file that can be read twice"
	default:
		o = Listed(o)
	}
	w.objects, w.infos = append(w.objects, o), append(w.infos, info)
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
		return nil, broken(o.Location, err)
	}
	r, err := openRange(f, o, offset, length)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// LocalIn is [Local] of files that are in a folder, wherever links lead. What is outside
// of it is listed as left out, and cannot be opened, however it is called. Use it where
// others choose the paths, or may make links among the files. Errors: those of opening
// the folder.
func LocalIn(folder string, paths ...string) (Source, error) {
	absolute, err := filepath.Abs(folder)
	if err == nil {
		absolute, err = filepath.EvalSymlinks(absolute)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the folder of the files: %w", egrid.ErrInvalid, err)
	}
	return confined{local(paths), absolute}, nil
}

type confined struct {
	local
	folder string // absolute, without links
}

func (c confined) List(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for o, err := range c.local.List(ctx) {
			if err == nil && o.LeftOut == "" {
				if _, err := c.within(o.Location); err != nil {
					o.LeftOut = reason(err)
				}
			}
			if !yield(o, err) {
				return
			}
		}
	}
}

// within is a location relative to the folder, without links.
func (c confined) within(location string) (string, error) {
	resolved, err := filepath.EvalSymlinks(location)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %w", egrid.ErrInvalid, broken(location, err))
	}
	if err != nil {
		return "", err
	}
	relative, err := filepath.Rel(c.folder, resolved)
	if err != nil || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("%w: it is outside of %s, to which reading is confined", egrid.ErrInvalid, c.folder)
	}
	return relative, nil
}

// Open opens by os.Root, so that a link that is made meanwhile leads nowhere else.
func (c confined) Open(_ context.Context, o Object, offset, length int64) (io.ReadCloser, error) {
	relative, err := c.within(o.Location)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(c.folder)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }() // of a folder that is read
	f, err := root.Open(relative)
	if err != nil {
		return nil, err
	}
	r, err := openRange(f, o, offset, length)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// FS is a source of a file system, such as an embed.FS, which is walked as Local
// walks a folder. It does not know in which folders it is: a link to one of those
// is followed.
func FS(files fs.FS) Source { return fileSystem{files} }

type fileSystem struct{ files fs.FS }

func (s fileSystem) List(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		w := walk{files: s.files, location: func(name string) string { return name }}
		objects, err := w.list(ctx)
		for _, o := range objects {
			if !yield(o, nil) {
				return
			}
		}
		if err != nil {
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

// Stream is a source of one object that can be read only once, such as standard
// input, under a name for people. The first List reads it to its end, and keeps it
// in a temporary file, which goes with the process at the latest.
//
// A List whose ctx ends returns; what is left of r is then read in the background.
func Stream(name string, r io.Reader) Source {
	return &streamSource{name, spool.New(io.NopCloser(r))}
}

type streamSource struct {
	name string
	file *spool.File
}

// StreamLocation is where the object of a [Stream] is.
const StreamLocation = "-"

func (s *streamSource) List(ctx context.Context) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		o := Object{Name: s.name, Location: StreamLocation, Version: "1", Named: true}
		read := make(chan error, 1)
		go func() {
			var err error
			o.Size, err = s.file.Size()
			read <- err
		}()
		select {
		case <-ctx.Done():
			yield(Object{}, ctx.Err())
		case err := <-read:
			if err != nil {
				yield(Object{}, fmt.Errorf("%s: %w", s.name, err))
				return
			}
			yield(o, nil)
		}
	}
}

func (s *streamSource) Open(_ context.Context, _ Object, offset, length int64) (io.ReadCloser, error) {
	if length < 0 {
		length = math.MaxInt64 - offset
	}
	return io.NopCloser(io.NewSectionReader(s.file, offset, length)), nil
}
