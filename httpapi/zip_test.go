package httpapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi/client"
)

const (
	zips22 = "zip,state,subregion_1,subregion_2,subregion_3\n03850,NH,NEWE,,\n30525,GA,SRTV,SRSO,SRVC\n"
	zips23 = "zip,state,eiaid,UtilName,SUBRGN,Predominant Utility\n00601,PR,,,PRMS,0\n03850,NH,1,\"Light, Ltd\",NEWE,1\n03853,NH,1,\"Light, Ltd\",NEWE,1\n" +
		"59221,MT,2,B,MROW,0\n59221,MT,3,C,NWPP,1\n59221,MT,4,,NWPP,0\n59222,MT,2,B,MROW,0\n59222,ND,3,C,NWPP,0\n"
)

func TestZIP(t *testing.T) {
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	publish(t, s, "ZIP22.csv", strings.NewReader(zips22))
	publish(t, s, "ZIP23.csv", strings.NewReader(zips23))
	h := newAPI(s, nil)
	check := newSchemaCheck(t, h)
	for _, test := range []struct {
		name, target string
		status       int
	}{
		{"zip", "/crosswalk/zip/59221", 200},
		{"zip_plus_four", "/crosswalk/zip/03850-1234", 200},
		{"zip_without_utility", "/crosswalk/zip/00601", 200},
		{"zip_undecided", "/crosswalk/zip/59222", 200},
		{"zip_2022", "/crosswalk/zip/30525?year=2022", 200},
		{"zip_absent", "/crosswalk/zip/03851", 404},
		{"zip_far_away", "/crosswalk/zip/97201", 404},
		{"zip_absent_year", "/crosswalk/zip/03850?year=2021", 404},
		{"zip_too_short", "/crosswalk/zip/3850", 400},
		{"zip_no_number", "/crosswalk/zip/0385x", 400},
	} {
		w := get(t, h, test.target)
		check(t, test.target, w)
		body := lastYear.ReplaceAll(ids.ReplaceAll(w.Body.Bytes(), []byte("...")), []byte("1990-..."))
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, body, "", "  "); err != nil || w.Code != test.status {
			t.Errorf("%s: status %d, want %d; %v: %s", test.target, w.Code, test.status, err, w.Body)
		}
		golden(t, test.name, pretty.Bytes())
	}

	for format, want := range map[string]string{
		"csv": "zip,state,subregion,predominant,utilities\r\n59221,MT,NWPP,true,C; 4\r\n59221,MT,MROW,false,B\r\n",
		"ndjson": `{"zip":"59221","state":"MT","subregion":"NWPP","predominant":true,"utilities":[{"id":"3","name":"C","predominant":true},{"id":"4","name":null,"predominant":false}]}` + "\n" +
			`{"zip":"59221","state":"MT","subregion":"MROW","predominant":false,"utilities":[{"id":"2","name":"B","predominant":false}]}` + "\n",
	} {
		if w := get(t, h, "/crosswalk/zip/59221?format="+format); w.Body.String() != want || w.Result().Trailer.Get("X-Row-Count") != "2" {
			t.Errorf("%s: %s; want %s", format, w.Body, want)
		}
	}

	// At its permanent address an answer stays.
	var answer struct{ Links struct{ Permanent string } }
	if err := json.Unmarshal(get(t, h, "/crosswalk/zip/03850").Body.Bytes(), &answer); err != nil || answer.Links.Permanent == "" {
		t.Fatalf("links %+v, %v", answer.Links, err)
	}
	publish(t, s, "ZIP23.csv", strings.NewReader("zip,egrid_subregion\n03850,CAMX\n"))
	if now, then := get(t, h, "/crosswalk/zip/03850"), get(t, h, answer.Links.Permanent); !strings.Contains(now.Body.String(), "CAMX") || !strings.Contains(then.Body.String(), "NEWE") {
		t.Errorf("now %s, then %s", now.Body, then.Body)
	}
}

// A program asks through the client, in two ways.
func TestZIPClient(t *testing.T) {
	t.Parallel()
	s := memstore.New().Driver()
	t.Cleanup(func() { s.Close() })
	publish(t, s, "ZIP23.csv", strings.NewReader(zips23))
	server := httptest.NewServer(newAPI(s, nil))
	defer server.Close()
	c, err := client.New(server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.ZIP(t.Context(), "59221", 2023)
	if err != nil || len(answer.Data) != 2 || answer.Data[0].Subregion != "NWPP" || !answer.Data[0].Predominant || answer.Data[0].Utilities[1].Name != nil || answer.Data[1].Predominant {
		t.Errorf("got %+v, %v", answer.Data, err)
	}
	if _, err := c.ZIP(t.Context(), "97201", 0); !errors.Is(err, egrid.ErrNotFound) {
		t.Errorf("an absent ZIP code: %v; want ErrNotFound", err)
	}
	if _, err := c.ZIP(t.Context(), "x", 0); !errors.Is(err, egrid.ErrInvalid) {
		t.Errorf("no ZIP code: %v; want ErrInvalid", err)
	}
	scanned, err := store.New(c).ZIP(t.Context(), "59221", 0, "")
	if code, ok := scanned.Subregion(); err != nil || !ok || code != "NWPP" || !slices.Equal(scanned.Candidates[1].Utilities, []store.Utility{{ID: "2", Name: "B"}}) {
		t.Errorf("by scanning: %+v, %v", scanned, err)
	}
	if _, err := store.New(c).ZIP(t.Context(), "59223", 0, ""); !errors.Is(err, egrid.ErrNotFound) || !strings.Contains(err.Error(), "59222") {
		t.Errorf("by scanning: %v; want neighbours", err)
	}
}
