// Package calc computes eGRID's figures anew: regions from their plants, rates
// and shares from a region's own sums, and holds them against what was published.
//
//	plants, err := calc.ReadPlants(answer.Batches)
//	regions := plants.Regions(egrid.SRL, calc.MethodOf(2018, "v2"))
//
// Start with [FactorOf] for an emission factor, and with [Explain] for what one
// published number follows from: both ask a store. Over plants at hand, take
// [ReadPlants] and [Plants.Regions]; for what a region sheet derives from its own
// sums, [FromSums]; for how editions differ, [MethodOf] and [Variants]. [Reconcile]
// holds all that an edition publishes about regions against what it follows from,
// and makes a [Certificate] of it.
//
// # Guarantees
//
// The formulas are the rules of the dictionary; what editions do otherwise is a
// table ([Variants]), each line with the published values that it was verified
// on. Figures come at full precision, in the dictionary's units: MWh, MMBtu,
// short tons, pounds, lb/MWh, lb/MMBtu, shares of 0-1. Missing cells of plants
// count as 0 in sums, as in EPA's; a plant without generation keeps its
// emissions. A column that the plants do not have is left out with all that
// needs it, never taken for 0. The order of plants does not matter. A factor over
// no generation, or over negative generation, is refused; notes tell what of a
// factor is rounded, converted, incomplete, or not what was published.
//
// # Errors
//
// [egrid.ErrInvalid] for plants of another level or of several data years, and for a
// query that cannot be; [egrid.ErrNotFound] for what is not published, and for a
// factor that the published sheets do not give.
//
// # See also
//
// Package store, whose answers are the batches that this package takes.
package calc
