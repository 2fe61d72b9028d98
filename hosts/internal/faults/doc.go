// Package faults holds tests alone: it runs the services as the processes that
// they are, on a real PostgreSQL, RabbitMQ and S3 server, and breaks one of
// them in the middle of a load.
//
//	make faults
//
// # Guarantees
//
// Every test shows the same of its fault: the load ends with exactly the rows
// that an embedded load of the same files has; whoever reads meanwhile sees the
// edition before it whole or the new one whole; and of dead letters there are
// those that the fault calls for, and no other.
//
// # Errors
//
// The tests restart the servers that they are given, so that nothing else may
// use these. Without them they skip, or fail where CI=true.
//
// # See also
//
// Commands etl, consumer and egrid.
package faults
