package egrid_test

import (
	"fmt"
	"log"

	"github.com/egrid-analytics/egrid-go/egrid"
)

// Make a batch cell by cell, write it in three forms, and read one of them.
func Example() {
	var fields []egrid.Field
	for _, code := range []string{"PNAME", "GENID", "GENNTAN"} {
		field, ok := egrid.Lookup(egrid.GEN, code)
		if !ok {
			log.Fatalf("the dictionary has no %s", code)
		}
		fields = append(fields, field)
	}
	schema, err := egrid.NewSchema(fields...)
	if err != nil {
		log.Fatal(err)
	}

	builder := egrid.NewBuilder(schema, 2023)
	builder.Text(0, []byte("Wyodak"))
	builder.Text(1, []byte("1"))
	builder.Decimal(2, 17764905, 1) // 1776490.5, to the last digit
	builder.EndRow(1, 0)
	builder.Text(0, []byte("Kortes"))
	builder.Text(1, []byte("0005"))
	builder.EndRow(2, 0) // a cell that is not set is missing
	batch := builder.Batch()

	for row := range batch.Rows() {
		mwh, ok := row.Float(egrid.NetGeneration)
		fmt.Println(row.Year(), row.Text(egrid.PlantName), mwh, ok)
	}
	fmt.Printf("%s\n", batch.AppendJSON(nil, 0))
	fmt.Printf("%q\n", batch.AppendCSV(nil, 1))

	again, err := egrid.ParseBatch(batch.AppendBinary(nil), schema)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Len(), again.Row(0).Text(egrid.NetGeneration))
	// Output:
	// 2023 Wyodak 1.7764905e+06 true
	// 2023 Kortes 0 false
	// {"plant_name":"Wyodak","generator_id":"1","net_generation_mwh":1776490.5}
	// "Kortes,0005,\r\n"
	// 2 1776490.5
}
