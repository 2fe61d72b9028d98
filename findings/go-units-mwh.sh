#!/usr/bin/env bash
# go-units takes a MWh for a thousandth of what it is as soon as heat is the other unit, and its ton is the British one.
#
# Tool:  github.com/bcicen/go-units v1.0.5.
# Guess: 1 MWh is 3.6 GJ or 3600 MJ, as 1 kWh is 3.6 MJ; "ton", "tons" is the short ton of 2000 lb, or the name is unknown.
# Seen:  1 MWh -> 3.6 MJ, what 1 kWh has as well; 1 GJ -> 277.8 MWh for 0.2778. Between MWh, kWh and GWh it is right.
#        1 ton -> 2240 lb, 1016.05 kg; the names "short ton", "tonne" and "MMBtu" are errors.
# Why:   Generation of eGRID is in MWh, heat in MMBtu, that is GJ in the metric files, masses in short tons. A heat rate or
#        an efficiency by this library is wrong by 1000, kilograms of CO2 are 12 % too many, and there is no error.
#        Multiply by 3.6 GJ/MWh and 907.18474 kg for a short ton yourself.
set -euo pipefail
dir=$(mktemp -d)
trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.22

require github.com/bcicen/go-units v1.0.5
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"log"

	"github.com/bcicen/go-units"
)

func main() {
	for _, pair := range [][2]string{{"kWh", "MJ"}, {"MWh", "MJ"}, {"GJ", "MWh"}, {"MWh", "kWh"}, {"GWh", "MWh"}, {"ton", "lb"}, {"tons", "kg"}} {
		from, err := units.Find(pair[0])
		if err != nil {
			log.Fatal(err)
		}
		to, err := units.Find(pair[1])
		if err != nil {
			log.Fatal(err)
		}
		value, err := units.ConvertFloat(1, from, to)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("1 %s = %.6g %s\n", pair[0], value.Float(), pair[1])
	}
	for _, name := range []string{"short ton", "tonne", "MMBtu"} {
		_, err := units.Find(name)
		fmt.Println(err)
	}
}
GO
GOFLAGS=-mod=mod GOWORK=off go run . 2>stderr >seen || { cat stderr; exit 1; }
cat seen
cat >want <<'SEEN'
1 kWh = 3.6 MJ
1 MWh = 3.6 MJ
1 GJ = 277.778 MWh
1 MWh = 1000 kWh
1 GWh = 1000 MWh
1 ton = 2240 lb
1 tons = 1016.05 kg
unit "short ton" not found
unit "tonne" not found
unit "MMBtu" not found
SEEN
cmp -s seen want || { echo "CHANGED: it was $(paste -sd';' want)" >&2; exit 1; }
