package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/etl"
	"github.com/egrid-analytics/egrid-go/hosts/internal/service"
	"github.com/egrid-analytics/egrid-go/hosts/internal/terminal"
)

// input is where a stage reads the answer of the one before it.
type input struct {
	In     string `help:"Answer of the stage before, as JSON: a file, s3://BUCKET/KEY, - for standard input, or what --out printed." required:"" placeholder:"ANSWER"`
	SHA256 string `name:"sha256" help:"SHA-256 of that answer, in hex: another one is refused." placeholder:"HEX"`
}

// read decodes it, and says where it is kept. The error wraps egrid.ErrInvalid when it
// is no such answer.
func (in input) read(a *app, v any) (etl.Ref, error) {
	docs, err := a.answers(in.In)
	if err != nil {
		return etl.Ref{}, err
	}
	if len(docs) != 1 {
		return etl.Ref{}, fmt.Errorf("%w: %s holds %d answers; this stage takes one", egrid.ErrInvalid, in.name(), len(docs))
	}
	doc := docs[0]
	if err := (etl.Ref{Address: in.name(), SHA256: in.SHA256}).Check(doc.text); err != nil {
		return doc.from, err
	}
	if err := doc.is(stageOf(v)); err != nil {
		return doc.from, err
	}
	if err := json.Unmarshal(doc.text, v); err != nil {
		return doc.from, fmt.Errorf("%w: %s is not the answer of the stage before: %w", egrid.ErrInvalid, in.name(), err)
	}
	return doc.from, nil
}

func (in input) name() string { return givenName(in.In) }

// givenName names what was given to --in; what --out printed stands for itself.
func givenName(given string) string {
	if given == "-" {
		return "standard input"
	}
	return given
}

// stageOf is the stage whose answer the value is.
func stageOf(v any) string {
	switch v.(type) {
	case *etl.Scanned:
		return "scan"
	case *etl.Validated:
		return "validate"
	case *etl.Divided:
		return "divide"
	}
	return "stream"
}

// stageAnswer is an answer of a stage as it was found.
type stageAnswer struct {
	from  etl.Ref // its address; empty for standard input
	name  string  // for people
	stage string  // empty where it is the answer of none
	text  []byte
}

// is refuses the answer of another stage than the one that is wanted.
func (d *stageAnswer) is(wanted string) error {
	if d.stage == wanted {
		return nil
	}
	found := "of egrid " + d.stage
	if d.stage == "" {
		found = "of no stage"
	}
	return fmt.Errorf("%w: %s is the answer %s, and not of the stage before, which is egrid %s", egrid.ErrInvalid, d.name, found, wanted)
}

// answers reads what was given to --in: the answers in a file, in an object or on
// standard input, and those that what --out printed names.
func (a *app) answers(given string) ([]stageAnswer, error) {
	var text []byte
	var err error
	from := etl.Ref{}
	switch {
	case given == "-":
		text, err = io.ReadAll(a.stdin)
	case strings.HasPrefix(strings.TrimSpace(given), "{"):
		text = []byte(given)
	default:
		from.Address = given
		text, err = service.ReadAnswer(a.ctx, given)
	}
	if err != nil {
		return nil, err
	}
	var all []stageAnswer
	for dec := json.NewDecoder(bytes.NewReader(text)); ; {
		var doc json.RawMessage
		if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("%w: %s is not the answer of the stage before: %w", egrid.ErrInvalid, givenName(given), err)
		}
		found := stageAnswer{from: from, name: givenName(given), text: doc}
		if len(all) == 0 && !dec.More() {
			found.text = text // as its SHA-256 is of
		}
		if stage, err := etl.StageOf(doc); err == nil && stage == "" {
			if found, err = a.follow(doc); err != nil {
				return nil, err
			}
		} else if err == nil {
			found.stage = stage
		}
		all = append(all, found)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: %s is empty, and not the answer of the stage before", egrid.ErrInvalid, givenName(given))
	}
	return all, nil
}

// follow reads the answer that a Ref names.
func (a *app) follow(doc []byte) (stageAnswer, error) {
	var ref etl.Ref
	if err := json.Unmarshal(doc, &ref); err != nil {
		return stageAnswer{}, err
	}
	text, err := service.ReadAnswer(a.ctx, ref.Address)
	if err == nil {
		err = ref.Check(text)
	}
	if err != nil {
		return stageAnswer{}, err
	}
	found := stageAnswer{from: ref, name: ref.Address, text: text}
	if stage, err := etl.StageOf(text); err == nil {
		found.stage = stage
	}
	return found, nil
}

// streamed reads what report is to report: one answer of stream, or those for all
// shares of a plan.
func (a *app) streamed(given []string) (etl.Streamed, error) {
	var all []etl.Streamed
	for _, in := range given {
		docs, err := a.answers(in)
		if err != nil {
			return etl.Streamed{}, err
		}
		for _, doc := range docs {
			if doc.stage == "divide" && doc.from.Address != "" {
				shares, err := a.sharesOf(&doc)
				if err != nil {
					return etl.Streamed{}, err
				}
				all = append(all, shares...)
				continue
			}
			s, err := doc.streamed()
			if err != nil {
				return etl.Streamed{}, err
			}
			all = append(all, s)
		}
	}
	return etl.Join(all...)
}

func (d *stageAnswer) streamed() (s etl.Streamed, err error) {
	if err := d.is("stream"); err != nil {
		return s, err
	}
	if err := json.Unmarshal(d.text, &s); err != nil {
		return s, fmt.Errorf("%w: %s is not the answer of the stage before: %w", egrid.ErrInvalid, d.name, err)
	}
	return s, nil
}

// sharesOf finds the answers for the shares of a plan, which are kept beside it. Where
// it was streamed in several numbers of shares, those that are most complete count.
func (a *app) sharesOf(doc *stageAnswer) ([]etl.Streamed, error) {
	var plan etl.Divided
	if err := json.Unmarshal(doc.text, &plan); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", egrid.ErrInvalid, doc.name, err)
	}
	whole, err := plan.Share(1, 1)
	if err != nil {
		return nil, err
	}
	addresses, err := service.Answers(a.ctx, service.PartsOf(doc.from.Address))
	if err != nil {
		return nil, err
	}
	shares := map[int][]etl.Streamed{} // by how many there are to be
	var best []etl.Streamed
	for _, address := range addresses {
		text, err := service.ReadAnswer(a.ctx, address)
		if err != nil {
			return nil, err
		}
		found := stageAnswer{name: address, text: text}
		if found.stage, err = etl.StageOf(text); err != nil {
			return nil, fmt.Errorf("%s: %w", address, err)
		}
		s, err := found.streamed()
		if err != nil {
			return nil, err
		}
		if s.Shared == nil || s.Shared.Plan != whole.Shared.Plan {
			continue // of a plan that was kept there before
		}
		of := s.Shared.Of
		shares[of] = append(shares[of], s)
		if mine := shares[of]; best == nil || len(mine)*best[0].Shared.Of > len(best)*of {
			best = mine
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%w: beside the plan %s there is no answer for a share of it; run egrid stream --in %[2]s --part I/N", egrid.ErrIncomplete, doc.from.Address)
	}
	return shares[best[0].Shared.Of], nil
}

// keeping says where the answer of a stage goes.
type keeping struct {
	Out string `help:"Keep the answer there, s3://BUCKET/KEY or a file, and print its address and SHA-256 instead." placeholder:"ADDRESS"`
}

// print prints the answer of a stage, or keeps it and prints where.
func (o keeping) print(a *app, v any) error {
	if o.Out == "" {
		return printJSON(a, v)
	}
	address := o.Out
	if !service.IsObject(address) {
		var err error
		if address, err = filepath.Abs(address); err != nil {
			return err
		}
	}
	var doc bytes.Buffer
	enc := json.NewEncoder(&doc)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	text := terminal.EscapeJSON(doc.Bytes())
	ref, err := etl.RefOf(address, text)
	if err != nil {
		return err
	}
	if err := service.WriteAnswer(a.ctx, address, text); err != nil {
		return err
	}
	return printJSON(a, ref)
}

// removeAnswers removes answers of a run that was reported, and those for the shares
// of a plan beside it. What is no answer of a stage stays. The report is made: what
// cannot be removed is told and is no failure.
func (a *app) removeAnswers(given []string) {
	for _, in := range given {
		docs, err := a.answers(in)
		for i := range docs {
			address := docs[i].from.Address
			if docs[i].stage == "" || address == "" {
				err = errors.Join(err, fmt.Errorf("%w: %s is no answer that --out kept", egrid.ErrInvalid, docs[i].name))
				continue
			}
			var beside []string
			if docs[i].stage == "divide" {
				var listErr error
				beside, listErr = service.Answers(a.ctx, service.PartsOf(address))
				err = errors.Join(err, listErr)
			}
			for _, one := range append(beside, address) {
				err = errors.Join(err, service.RemoveAnswer(a.ctx, one))
			}
		}
		if err != nil {
			a.tell("%s was not removed: %v", givenName(in), err)
		}
	}
}
