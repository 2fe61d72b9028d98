// Package inventory turns a table of sites and their electricity into location-based
// Scope 2 emissions, each with the factor that it rests on.
//
//	totals, err := inventory.CSV(ctx, db, sites, answers, nil)
//
// Start with [CSV] for a file of any size, and with [New] and [Inventory.Answer]
// for sites of one's own.
//
// A site is placed by the most precise of what it names: its subregion, its
// coordinates (the subregion whose outlines they lie in, see [Options]), its ZIP code
// (the predominant subregion, by the crosswalk that is loaded), its balancing
// authority, its state. Answer.Precision says which it was. Where a site names
// something finer that could not be used, the note says why.
//
// # Guarantees
//
// Every site comes back, in its order and with its own cells as they were: with its
// emissions, or with the reason why there are none. A quantity that is missing,
// negative or no number is never taken for another, nor a price per kWh for
// electricity. A table is CSV with commas and decimal points; another one is refused.
// A sum that lacks the figure of a site says so ([Totals]). All answers are of one
// state of the data, and of the same release as the factor. Memory does not grow with
// the number of sites.
//
// Emissions are in kilograms: electricity in MWh times the output emission rate of
// the place ([calc.FactorOf]). Losses are the emissions of the electricity that is
// lost between plants and customer, a Scope 3 figure: emissions times GGL/(1-GGL).
//
// # Errors
//
// [egrid.ErrInvalid] for a table whose columns do not say where the sites are or
// what they used; [egrid.ErrNotFound] when nothing is published.
//
// # See also
//
// Package calc, which computes the factors.
package inventory
