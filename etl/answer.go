package etl

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Ref names an answer of a stage that is kept as an object or in a file, for
// orchestrators that carry only what is small from task to task.
type Ref struct {
	Stage   string `json:"stage"`
	RunID   string `json:"run_id"`
	Address string `json:"address"` // s3://BUCKET/KEY, or the path of a file
	SHA256  string `json:"sha256"`  // of the answer, in hex; empty is not checked
	Share   string `json:"share,omitempty"`
	Chunks  int    `json:"chunks,omitempty"` // of a plan: how many there are to share
}

// RefOf names the answer that is kept at an address.
func RefOf(address string, answer []byte) (Ref, error) {
	stage, err := StageOf(answer)
	if err != nil {
		return Ref{}, err
	}
	sum := sha256.Sum256(answer)
	ref := Ref{Stage: stage, Address: address, SHA256: hex.EncodeToString(sum[:])}
	var of struct {
		RunInfo
		Share *Share `json:"share"`
		Parts []struct {
			Spans []struct{} `json:"spans"`
		} `json:"parts"`
	}
	if err := json.Unmarshal(answer, &of); err != nil {
		return Ref{}, fmt.Errorf("%w: the answer of stage %s: %w", egrid.ErrInvalid, stage, err)
	}
	ref.RunID = of.ID
	if of.Share != nil {
		ref.Share = of.Share.String()
	}
	for _, part := range of.Parts {
		ref.Chunks += len(part.Spans)
	}
	return ref, nil
}

// Check compares the answer that was found at the address with the SHA-256. The
// error wraps [ErrChanged].
func (r Ref) Check(answer []byte) error {
	sum := sha256.Sum256(answer)
	if got := hex.EncodeToString(sum[:]); r.SHA256 != "" && !strings.EqualFold(got, r.SHA256) {
		return fmt.Errorf("%s has the SHA-256 %s, not %s: another run, or the same one again, has written there: %w", r.Address, got, r.SHA256, ErrChanged)
	}
	return nil
}

// StageOf says which stage's answer a JSON document is: scan, validate, divide,
// stream or report. It is "" for a Ref. The error wraps [egrid.ErrInvalid] where it is
// none of them.
func StageOf(answer []byte) (string, error) {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(answer, &doc); err != nil {
		return "", fmt.Errorf("%w: it is not the answer of a stage: %w", egrid.ErrInvalid, err)
	}
	for _, s := range []struct {
		stage string
		holds []string
	}{
		{"", []string{"address", "sha256"}}, {"report", []string{"files", "rows_read"}}, {"scan", []string{"objects"}},
		{"validate", []string{"files"}}, {"divide", []string{"parts"}}, {"stream", []string{"loads"}},
	} {
		all := true
		for _, key := range s.holds {
			_, has := doc[key]
			all = all && has
		}
		if all {
			return s.stage, nil
		}
	}
	return "", fmt.Errorf("%w: it is the answer of no stage", egrid.ErrInvalid)
}
