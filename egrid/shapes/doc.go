// Package shapes reads the outlines of eGRID subregions from GeoJSON, and finds the
// ones that a point lies in.
//
//	set, err := shapes.Open("subregions.geojson", nil)
//	codes := set.Find(36.7, -119.8) // CAMX
//
// Start with [Open], [Read] and [Set.Find].
//
// The file is a FeatureCollection of polygons and multipolygons, in longitude and
// latitude of WGS84, as RFC 7946 has it; NAD83, which differs from it by about a metre,
// is taken for it. Each feature has a property with the code of its subregion. Features
// of one code are one shape. EPA publishes the outlines as a shapefile, which
// ogr2ogr -f GeoJSON -t_srs EPSG:4326 turns into such a file.
//
// # Guarantees
//
// An edge is the straight line between its ends in degrees of longitude and latitude.
// Whether a point lies left of it, right of it or on it is decided exactly, whatever
// the rounding of float64. A point on an edge, of a hole too, lies in the shape: on a
// common border it lies in both. Holes are left out, whichever way their rings turn. An
// edge of more than 180 degrees of longitude goes the other way round, across the
// antimeridian: the longitudes behind it are moved by 360, which rounds them to
// 0.00000000000006 degrees. Outlines that are cut there are read as they are.
//
// A [Set] is immutable and safe to share.
//
// # Errors
//
// [egrid.ErrInvalid] for a file that is no GeoJSON, has something else than polygons,
// is projected, or does not say which subregions its features are: the text names the
// feature, and what may be done.
//
// # See also
//
// Package inventory, which places sites by it.
package shapes
