// Command custom-source loads sheets from where no package of egrid-go looks: here from
// a web server, which gives a list of names at its address and each file below it.
//
//	custom-source http://127.0.0.1:8080/sheets
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"net/http"
	"os"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/etl"
)

// web is an etl.Source.
type web struct{ address string }

// List yields the files that the list names. An object's version is what tells a
// pipeline that the content is another one: the ETag does. Its size has to be true.
func (s web) List(ctx context.Context) iter.Seq2[etl.Object, error] {
	return func(yield func(etl.Object, error) bool) {
		list, err := s.request(ctx, http.MethodGet, s.address, "")
		if err != nil {
			yield(etl.Object{}, err)
			return
		}
		defer list.Body.Close()
		names := bufio.NewScanner(list.Body)
		for names.Scan() {
			location := s.address + "/" + names.Text()
			head, err := s.request(ctx, http.MethodHead, location, "")
			if err != nil {
				yield(etl.Object{}, err)
				return
			}
			head.Body.Close()
			if head.ContentLength < 0 {
				yield(etl.Object{}, fmt.Errorf("%s: the server does not tell its size", location))
				return
			}
			o := etl.Object{Name: names.Text(), Location: location, Size: head.ContentLength, Version: head.Header.Get("ETag")}
			if !yield(o, nil) {
				return
			}
		}
		if err := names.Err(); err != nil {
			yield(etl.Object{}, err)
		}
	}
}

// Open reads a range of a file: chunks of a large one are read side by side.
func (s web) Open(ctx context.Context, o etl.Object, offset, length int64) (io.ReadCloser, error) {
	if length == 0 || offset >= o.Size {
		return http.NoBody, nil // a range cannot be empty
	}
	last := o.Size - 1
	if length > 0 {
		last = offset + length - 1
	}
	bytes := ""
	if offset > 0 || last < o.Size-1 {
		bytes = fmt.Sprintf("bytes=%d-%d", offset, last)
	}
	answer, err := s.request(ctx, http.MethodGet, o.Location, bytes)
	if err != nil {
		return nil, err
	}
	if bytes != "" && answer.StatusCode != http.StatusPartialContent {
		answer.Body.Close()
		return nil, fmt.Errorf("%s: the server does not answer with a range", o.Location)
	}
	if answer.Header.Get("ETag") != o.Version {
		answer.Body.Close()
		return nil, etl.ErrChanged // somebody wrote it anew meanwhile: the run says so
	}
	return answer.Body, nil
}

func (s web) request(ctx context.Context, method, address, bytes string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	if bytes != "" {
		r.Header.Set("Range", bytes)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode >= 300 {
		answer.Body.Close()
		return nil, fmt.Errorf("%s %s: %s", method, address, answer.Status)
	}
	return answer, nil
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: custom-source http://HOST/FOLDER")
	}
	report, err := etl.New(web{os.Args[1]}, etl.ToLoader(memstore.New()), nil).Run(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range report.Files {
		for _, sheet := range file.Sheets {
			fmt.Println(file.Object, sheet.Level, sheet.Year, sheet.Loaded, sheet.Status)
		}
	}
}
