package main

import (
	"strings"
	"testing"
)

func TestZIP(t *testing.T) {
	s := newShell(t)
	s.run(1, "zip", "97201")
	s.run(0, "load", "--year", "2023", s.file("zip.csv", "zip,state,UtilName,SUBRGN,Predominant Utility\n3850,NH,A,NEWE,1\n59221,MT,B,MROW,0\n59221,MT,C,NWPP,1\n59222,MT,B,MROW,0\n59222,MT,C,NWPP,0\n"))
	for _, test := range []struct {
		status int
		args   string
		want   string
	}{
		{0, "zip 03850 --format csv", "zip,state,subregion,predominant,utilities\n03850,NH,NEWE,true,A\n"},
		{0, "zip 59221 --year 2023 --release none --format ndjson", `{"zip":"59221","state":"MT","subregion":"NWPP","predominant":true,"utilities":"C"}` + "\n" + `{"zip":"59221","state":"MT","subregion":"MROW","predominant":false,"utilities":"B"}` + "\n"},
		{0, "zip 59222 --format csv", "zip,state,subregion,predominant,utilities\n59222,MT,MROW,false,B\n59222,MT,NWPP,false,C\n"},
		{1, "zip 59223", ""},
		{1, "zip 59221 --year 2021", ""},
		{2, "zip 3850", ""},
		{2, "zip", ""},
		{0, "rows ZIP --filter zip=03850 --columns zip,subregion --format csv", "zip,subregion\n03850,NEWE\n"},
	} {
		if got := s.run(test.status, strings.Fields(test.args)...); test.status == 0 && got != test.want {
			t.Errorf("egrid %s\n got %s\nwant %s", test.args, got, test.want)
		}
	}
}
