package service

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/etl/s3source"
)

// OpenSource opens files, folders, s3://BUCKET/PREFIX, and - for standard input,
// which is nil where it cannot be one. The server of buckets is named by
// EGRID_S3_ENDPOINT, EGRID_S3_REGION, EGRID_S3_ACCESS_KEY and EGRID_S3_SECRET_KEY;
// the keys may be in files, which the names with _FILE behind name.
// Files have to be in the folder that EGRID_ROOT names, if it does, also behind links.
// Without names it lists nothing, and opens whatever another process has listed.
func OpenSource(names []string, stdin io.Reader) (etl.Source, error) {
	s := &sources{remote: sync.OnceValues(func() (*s3source.Source, error) { return openBucket("s3://any") })}
	for _, name := range names {
		if name == etl.StreamLocation {
			switch {
			case stdin == nil:
				return nil, fmt.Errorf("%w: only load, validate and up read standard input; save it to a file and name that", egrid.ErrInvalid)
			case s.stdin != nil:
				return nil, fmt.Errorf("%w: standard input is named twice, and can be read once", egrid.ErrInvalid)
			}
			s.stdin = etl.Stream("standard input", stdin)
			s.listed = append(s.listed, s.stdin)
			continue
		}
		if !strings.Contains(name, "://") {
			files, err := openFiles(name)
			if err != nil {
				return nil, err
			}
			s.listed = append(s.listed, files)
			continue
		}
		bucket, err := openBucket(name)
		if err != nil {
			return nil, err
		}
		s.listed = append(s.listed, bucket)
	}
	return s, nil
}

// rootVariable names the folder that files have to be in.
const rootVariable = "EGRID_ROOT"

func openFiles(paths ...string) (etl.Source, error) {
	root := os.Getenv(rootVariable)
	if root == "" {
		return etl.Local(paths...), nil
	}
	source, err := etl.LocalIn(root, paths...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rootVariable, err)
	}
	return source, nil
}

func openBucket(address string) (*s3source.Source, error) {
	access, err := secretOf("the access key of the bucket", "", "EGRID_S3_ACCESS_KEY")
	if err != nil {
		return nil, err
	}
	secret, err := secretOf("the secret key of the bucket", "", "EGRID_S3_SECRET_KEY")
	if err != nil {
		return nil, err
	}
	source, err := s3source.Open(address, &s3source.Options{
		Endpoint: os.Getenv("EGRID_S3_ENDPOINT"), Region: os.Getenv("EGRID_S3_REGION"), AccessKey: access, SecretKey: secret,
	})
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", address, err)
	}
	return source, nil
}

// sources is several sources, one behind the other.
type sources struct {
	listed []etl.Source
	stdin  etl.Source                       // nil where it is none of them
	remote func() (*s3source.Source, error) // opens objects of any bucket of the server
}

func (s *sources) List(ctx context.Context) iter.Seq2[etl.Object, error] {
	return func(yield func(etl.Object, error) bool) {
		for _, source := range s.listed {
			for o, err := range source.List(ctx) {
				if !yield(o, err) {
					return
				}
			}
		}
	}
}

func (s *sources) Open(ctx context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	if o.Location == etl.StreamLocation {
		if s.stdin == nil {
			return nil, fmt.Errorf("%w: another process has read standard input; save it to a file and name that", egrid.ErrInvalid)
		}
		return s.stdin.Open(ctx, o, offset, length)
	}
	if !strings.Contains(o.Location, "://") {
		files, err := openFiles()
		if err != nil {
			return nil, err
		}
		return files.Open(ctx, o, offset, length)
	}
	remote, err := s.remote()
	if err != nil {
		return nil, err
	}
	return remote.Open(ctx, o, offset, length)
}
