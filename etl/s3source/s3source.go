// Package s3source reads eGRID files from a bucket of MinIO, Amazon S3 or any
// server that speaks their protocol: an [etl.Source].
//
//	source, err := s3source.Open("s3://egrid/2023/", &s3source.Options{Endpoint: "http://127.0.0.1:9000"})
//	report, err := etl.New(source, sink, nil).Run(ctx)
//
// Start with [Open].
//
// # Guarantees
//
// Objects are read by ranged GET, so several workers read one large file at
// once, and nothing is kept on disk. Every read names the ETag that was
// listed: an object that was replaced meanwhile is an [etl.ErrChanged], never a
// mixture of two versions. A read that is cut off is an error, not a short
// file. The source is safe for concurrent use and starts no goroutine.
//
// # Errors
//
// [egrid.ErrInvalid] for an address that cannot be, [egrid.ErrNotFound] for a
// bucket that is not there, [etl.ErrChanged], and the server's or the network's
// error with what to check. Secrets are in none of them.
//
// # See also
//
// Package etl, whose Local reads files.
package s3source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
)

// Options say how to reach the server. The zero value of every field means its
// default.
type Options struct {
	// Endpoint is the server's address, TLS by its scheme. Default
	// https://s3.amazonaws.com.
	Endpoint string
	// AccessKey and SecretKey are the credentials. Default none: only public
	// buckets can be read.
	AccessKey, SecretKey string
	// Region is the bucket's. Default: asked of the server.
	Region string
	// VirtualHost addresses buckets by host name instead of by path.
	VirtualHost bool
	// Transport carries the requests. Default: the library's own.
	Transport http.RoundTripper
}

// Source is the objects of a bucket under a prefix.
type Source struct {
	client         *minio.Client
	bucket, prefix string
}

var _ etl.Source = (*Source)(nil)

// Open makes a source of s3://bucket/prefix. It does not connect yet. The
// error wraps [egrid.ErrInvalid].
func Open(address string, o *Options) (*Source, error) {
	if o == nil {
		o = &Options{}
	}
	bucket, prefix, err := split(address)
	if err != nil {
		return nil, err
	}
	endpoint := o.Endpoint
	if endpoint == "" {
		endpoint = "https://s3.amazonaws.com"
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%w: endpoint %q is not http://HOST[:PORT] or https://HOST[:PORT]", egrid.ErrInvalid, endpoint)
	}
	options := &minio.Options{Secure: u.Scheme == "https", Region: o.Region, Transport: o.Transport, BucketLookup: minio.BucketLookupPath}
	if o.VirtualHost {
		options.BucketLookup = minio.BucketLookupDNS
	}
	if o.AccessKey != "" || o.SecretKey != "" {
		options.Creds = credentials.NewStaticV4(o.AccessKey, o.SecretKey, "")
	}
	client, err := minio.New(u.Host, options)
	if err != nil {
		return nil, fmt.Errorf("%w: endpoint %q: %w", egrid.ErrInvalid, endpoint, err)
	}
	return New(client, bucket, prefix), nil
}

// New makes a source of the objects of a bucket whose keys begin with prefix.
// It borrows the client.
func New(client *minio.Client, bucket, prefix string) *Source {
	return &Source{client: client, bucket: bucket, prefix: prefix}
}

const scheme = "s3://"

func split(address string) (bucket, key string, err error) {
	rest, ok := strings.CutPrefix(address, scheme)
	bucket, key, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return "", "", fmt.Errorf("%w: %q is not s3://BUCKET/PREFIX", egrid.ErrInvalid, address)
	}
	return bucket, key, nil
}

// List implements [etl.Source]. An object's version is its ETag.
func (s *Source) List(ctx context.Context) iter.Seq2[etl.Object, error] {
	return func(yield func(etl.Object, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop() // ends the listing when the caller does
		for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix, Recursive: true}) {
			if o.Err != nil {
				yield(etl.Object{}, s.translate(o.Err))
				return
			}
			whole := o.Key == s.prefix // the address names one object
			object := etl.Object{Name: s.nameOf(o.Key), Location: scheme + s.bucket + "/" + o.Key, Size: o.Size, Version: o.ETag, Named: whole}
			if strings.HasSuffix(o.Key, "/") || !whole && etl.Hidden(object.Name) {
				continue
			}
			if !whole {
				object = etl.Listed(object)
			}
			if !yield(object, nil) {
				return
			}
		}
	}
}

// nameOf is the key below the last folder of the prefix.
func (s *Source) nameOf(key string) string {
	return key[strings.LastIndex(s.prefix, "/")+1:]
}

// Open implements [etl.Source] for any object of the server.
func (s *Source) Open(ctx context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	bucket, key, err := split(o.Location)
	if err != nil {
		return nil, err
	}
	if length == 0 || offset >= o.Size && length < 0 {
		return io.NopCloser(strings.NewReader("")), nil // a range cannot be empty
	}
	end := o.Size - 1
	if length > 0 {
		end = min(offset+length, o.Size) - 1
	}
	var options minio.GetObjectOptions
	if err := errors.Join(options.SetRange(offset, end), options.SetMatchETag(o.Version)); err != nil {
		return nil, fmt.Errorf("%w: object %s: %w", egrid.ErrInvalid, o.Name, err)
	}
	core := minio.Core{Client: s.client}
	body, _, _, err := core.GetObject(ctx, bucket, key, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, s.translate(err))
	}
	return &wholeBody{ReadCloser: body, left: end + 1 - offset}, nil
}

// Put writes an object of any bucket of the server, in place of one that is there.
// Readers see the one or the other. The error wraps [egrid.ErrInvalid] for an address
// that cannot be, and [egrid.ErrNotFound] for a bucket that is not there.
func (s *Source) Put(ctx context.Context, address string, content []byte) error {
	bucket, key, err := objectOf(address)
	if err != nil {
		return err
	}
	_, err = s.client.PutObject(ctx, bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{ContentType: "application/json"})
	if err != nil {
		return fmt.Errorf("write %s: %w", address, s.translate(err))
	}
	return nil
}

// Remove removes an object of any bucket of the server. One that is not there is
// removed. Errors are those of Put.
func (s *Source) Remove(ctx context.Context, address string) error {
	bucket, key, err := objectOf(address)
	if err != nil {
		return err
	}
	if err := s.client.RemoveObject(ctx, bucket, key, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("remove %s: %w", address, s.translate(err))
	}
	return nil
}

func objectOf(address string) (bucket, key string, err error) {
	bucket, key, err = split(address)
	if err == nil && (key == "" || strings.HasSuffix(key, "/")) {
		err = fmt.Errorf("%w: %q names no object; write s3://BUCKET/KEY", egrid.ErrInvalid, address)
	}
	return bucket, key, err
}

// wholeBody makes an error of a body that ends too early.
type wholeBody struct {
	io.ReadCloser
	left int64
}

func (b *wholeBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		err = fmt.Errorf("the connection ended %d bytes early: %w", b.left, io.ErrUnexpectedEOF)
	}
	return n, err
}

// translate puts the server's errors into our words, keeping the cause.
func (s *Source) translate(err error) error {
	switch code := minio.ToErrorResponse(err).Code; code {
	case "NoSuchBucket":
		return fmt.Errorf("%w: there is no bucket %s at %s: %w", egrid.ErrNotFound, s.bucket, s.client.EndpointURL(), err)
	case "PreconditionFailed", "NoSuchKey", "InvalidRange":
		return fmt.Errorf("%w: %w", etl.ErrChanged, err)
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return fmt.Errorf("%s refuses to show bucket %s (%s); check the access key and the secret key: %w", s.client.EndpointURL(), s.bucket, code, err)
	case "RequestTimeTooSkewed": // requests are signed with the time
		return fmt.Errorf("%s refuses to show bucket %s: the clock of this host, %s, and that of the server are too far apart; set them: %w",
			s.client.EndpointURL(), s.bucket, time.Now().UTC().Format(time.RFC3339), err)
	}
	var network net.Error
	if errors.As(err, &network) {
		return fmt.Errorf("cannot reach %s; check the endpoint: %w", s.client.EndpointURL(), err)
	}
	return err
}
