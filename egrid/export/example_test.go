package export_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/egrid-analytics/egrid-go/egrid"
	"github.com/egrid-analytics/egrid-go/egrid/book"
	"github.com/egrid-analytics/egrid-go/egrid/export"
)

// Write rows as a workbook, and read it again.
func Example() {
	code, _ := egrid.Lookup(egrid.GEN, "GENID")
	generation, _ := egrid.Lookup(egrid.GEN, "GENNTAN")
	schema, err := egrid.NewSchema(code, generation)
	if err != nil {
		panic(err)
	}
	rows, err := egrid.BatchOf(schema, 2023,
		[]egrid.Value{egrid.TextOf("0290"), egrid.NumberOf(11749621.5)},
		[]egrid.Value{egrid.TextOf("7E600"), egrid.NumberOf(0)},
		[]egrid.Value{egrid.TextOf("NA"), {}})
	if err != nil {
		panic(err)
	}

	var file bytes.Buffer
	w := export.XLSX().New(&file, schema, &export.About{Level: egrid.GEN, Snapshots: []egrid.Snapshot{{Level: egrid.GEN, Year: 2023}}})
	if err := w.Write(rows); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}

	b, err := book.Open(bytes.NewReader(file.Bytes()), int64(file.Len()), nil)
	if err != nil {
		panic(err)
	}
	defer b.Close()
	table := b.Tables()[0]
	text, err := table.Open()
	if err != nil {
		panic(err)
	}
	defer text.Close()
	fmt.Println(table.Name)
	if _, err := io.Copy(os.Stdout, text); err != nil {
		panic(err)
	}
	// Output:
	// GEN23
	// generator_id,net_generation_mwh
	// 0290,11749621.5
	// 7E600,0
	// NA,
}

// Plants on a map: rows with latitude and longitude become points.
func ExampleGeoJSON() {
	schema, err := egrid.NewSchema(
		egrid.Field{Column: egrid.PlantCode, Type: egrid.Text}, egrid.Field{Column: egrid.Latitude, Type: egrid.Number}, egrid.Field{Column: egrid.Longitude, Type: egrid.Number})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := egrid.BatchOf(schema, 2023,
		[]egrid.Value{egrid.TextOf("6008"), egrid.NumberOf(33.3881), egrid.NumberOf(-112.8617)}, []egrid.Value{egrid.TextOf("3"), {}, {}})
	if err != nil {
		log.Fatal(err)
	}
	file := export.GeoJSON().New(os.Stdout, schema, &export.About{})
	if err := file.Write(rows); err != nil {
		log.Fatal(err)
	}
	if err := file.Close(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {"type":"FeatureCollection","features":[
	// {"type":"Feature","id":"6008","geometry":{"type":"Point","coordinates":[-112.8617,33.3881]},"properties":{"oris_plant_code":"6008"}}
	// ],"without_coordinates":1}
}
