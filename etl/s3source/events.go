package s3source

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Event is an object that was created in a bucket, as the server told.
type Event struct {
	Name   string // s3:ObjectCreated:Put, s3:ObjectCreated:CompleteMultipartUpload, ...
	Bucket string
	Key    string // as it is, decoded
	Size   int64
}

// created is the name of all events of objects that are there whole: by PUT, POST,
// copy, or when all parts of an upload are together.
const created = "s3:ObjectCreated:"

// ReadEvents reads a notification: the records that MinIO and Amazon S3 send, or
// an event of Amazon EventBridge. It returns the objects that were created, and
// none for events of other kinds and for the test event of Amazon S3. Keys come
// URL-encoded in records, with + for a blank, and as they are from EventBridge. The
// error wraps [egrid.ErrInvalid].
func ReadEvents(message []byte) ([]Event, error) {
	type object struct {
		Key  string `json:"key"`
		Size int64  `json:"size"`
	}
	type bucket struct {
		Name string `json:"name"`
	}
	var m struct {
		Records *[]struct {
			EventName string `json:"eventName"`
			S3        struct {
				Bucket bucket `json:"bucket"`
				Object object `json:"object"`
			} `json:"s3"`
		}
		Event      string // of the test event
		Source     string `json:"source"`
		DetailType string `json:"detail-type"`
		Detail     struct {
			Bucket bucket `json:"bucket"`
			Object object `json:"object"`
			Reason string `json:"reason"`
		} `json:"detail"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return nil, fmt.Errorf("%w: the notification is no JSON: %w", egrid.ErrInvalid, err)
	}
	var events []Event
	switch {
	case m.Records != nil:
		for _, r := range *m.Records {
			// Amazon S3 leaves the first part of the name away.
			name := "s3:" + strings.TrimPrefix(r.EventName, "s3:")
			if !strings.HasPrefix(name, created) {
				continue
			}
			key, err := url.QueryUnescape(r.S3.Object.Key)
			if err != nil || key == "" || r.S3.Bucket.Name == "" {
				return nil, fmt.Errorf("%w: a record of the notification names no object: bucket %q, key %q", egrid.ErrInvalid, r.S3.Bucket.Name, r.S3.Object.Key)
			}
			events = append(events, Event{name, r.S3.Bucket.Name, key, r.S3.Object.Size})
		}
	case m.Source == "aws.s3":
		if d := m.Detail; m.DetailType == "Object Created" {
			if d.Object.Key == "" || d.Bucket.Name == "" {
				return nil, fmt.Errorf("%w: the event names no object: bucket %q, key %q", egrid.ErrInvalid, d.Bucket.Name, d.Object.Key)
			}
			events = append(events, Event{created + d.Reason, d.Bucket.Name, d.Object.Key, d.Object.Size})
		}
	case m.Event == "s3:TestEvent":
	default:
		return nil, fmt.Errorf("%w: the notification has neither Records, as those of MinIO and Amazon S3, nor is it an event of aws.s3", egrid.ErrInvalid)
	}
	return events, nil
}

// In reports whether the object is one that a source of s3://bucket/prefix
// lists. The address is as for [Open]; in one that is none there is nothing.
func (e Event) In(address string) bool {
	bucket, prefix, err := split(address)
	return err == nil && e.Bucket == bucket && strings.HasPrefix(e.Key, prefix)
}
