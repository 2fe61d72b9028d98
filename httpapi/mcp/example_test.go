package mcp_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/egrid-analytics/egrid-go/egrid/memstore"
	"github.com/egrid-analytics/egrid-go/egrid/store"
	"github.com/egrid-analytics/egrid-go/httpapi"
	"github.com/egrid-analytics/egrid-go/httpapi/mcp"
)

const subregions = `YEAR,SUBRGN,SRNAME,SRNGENAN,SRCO2EQA
2023,CAMX,WECC California,4000,1000
`

// A program that asks for a factor as a language model does. Most servers are connected
// by Serve or Handler in place of the transport in memory.
func ExampleNew() {
	ctx := context.Background()
	backend := memstore.New()
	if _, err := store.Load(ctx, backend, strings.NewReader(subregions), nil); err != nil {
		log.Fatal(err)
	}
	server := mcp.New(httpapi.New(store.New(backend), nil), nil)
	here, there := sdk.NewInMemoryTransports()
	if _, err := server.Connect(ctx, there, nil); err != nil {
		log.Fatal(err)
	}
	client, err := sdk.NewClient(&sdk.Implementation{Name: "example", Version: "1"}, nil).Connect(ctx, here, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	answer, err := client.CallTool(ctx, &sdk.CallToolParams{Name: "factor", Arguments: map[string]any{"subregion": "CAMX", "unit": "kg/MWh"}})
	if err != nil {
		log.Fatal(err)
	}
	text, _, _ := strings.Cut(answer.Content[0].(*sdk.TextContent).Text, "Source")
	fmt.Print(text)
	// Output:
	// 226.796185 kg/MWh
	// Formula: 2000 * co2e_short_tons / net_generation_mwh * 0.45359237
	//   co2e_short_tons = 1000 short tons (SRL CAMX)
	//   net_generation_mwh = 4000 MWh (SRL CAMX)
}
