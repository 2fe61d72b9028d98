package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
)

// maxAnswer bounds what is taken for an answer of a stage: another object, named by
// mistake, is not read into memory.
const maxAnswer = 256 << 20

// IsObject reports whether an address is that of an object, and not of a file.
func IsObject(address string) bool { return strings.Contains(address, "://") }

// ReadAnswer reads an answer of a stage: an object, or a file. The error wraps
// egrid.ErrNotFound where there is none.
func ReadAnswer(ctx context.Context, address string) ([]byte, error) {
	if !IsObject(address) {
		f, err := os.Open(address) //nolint:gosec // whoever runs the command names it
		if err != nil {
			return nil, err
		}
		defer f.Close()
		return readAnswer(address, f)
	}
	bucket, err := openBucket(address)
	if err != nil {
		return nil, err
	}
	for o, err := range bucket.List(ctx) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
		if o.Location != address {
			continue
		}
		body, err := bucket.Open(ctx, o, 0, -1)
		if err != nil {
			return nil, err
		}
		text, err := readAnswer(address, body)
		return text, errors.Join(err, body.Close())
	}
	return nil, fmt.Errorf("%w: there is no object %s; the stage before writes it with --out", egrid.ErrNotFound, address)
}

func readAnswer(address string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err == nil && len(text) > maxAnswer {
		err = fmt.Errorf("%w: it has more than %d bytes, and is no answer of a stage", egrid.ErrInvalid, maxAnswer)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", address, err)
	}
	return text, nil
}

// WriteAnswer keeps an answer of a stage, in place of one that is there: readers see
// the one or the other, whole.
func WriteAnswer(ctx context.Context, address string, answer []byte) error {
	if IsObject(address) {
		bucket, err := openBucket(address)
		if err != nil {
			return err
		}
		return bucket.Put(ctx, address, answer)
	}
	folder := filepath.Dir(address)
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".answer-*")
	if err != nil {
		return err
	}
	_, err = f.Write(answer)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), address)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// PartsOf is where answers for shares of a plan are kept: beside it.
func PartsOf(plan string) string { return plan + ".parts/" }

// Answers lists the addresses of the answers in a folder, or of the objects below a
// prefix that ends in a slash.
func Answers(ctx context.Context, folder string) ([]string, error) {
	var found []string
	if !IsObject(folder) {
		entries, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		for _, entry := range entries {
			if entry.Type().IsRegular() && !etl.Hidden(entry.Name()) {
				found = append(found, filepath.Join(folder, entry.Name()))
			}
		}
		return found, nil
	}
	bucket, err := openBucket(folder)
	if err != nil {
		return nil, err
	}
	for o, err := range bucket.List(ctx) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
		found = append(found, o.Location)
	}
	slices.Sort(found)
	return found, nil
}

// RemoveAnswer removes an answer. One that is not there is removed.
func RemoveAnswer(ctx context.Context, address string) error {
	if !IsObject(address) {
		if err := os.Remove(address); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	bucket, err := openBucket(address)
	if err != nil {
		return err
	}
	return bucket.Remove(ctx, address)
}
