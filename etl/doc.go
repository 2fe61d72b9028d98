// Package etl takes eGRID files into a store in five stages: scan, validate,
// divide, stream and report.
//
//	p := etl.New(etl.Local("data/2023"), etl.ToLoader(store), nil)
//	report, err := p.Run(ctx)
//	fmt.Println(report.Status, report.RowsLoaded)
//
// Every stage takes the answer of the one before it. The answers are plain
// JSON values, so an orchestrator may run each stage as a task of its own, on
// another machine if the source can be reached from there:
//
//	scanned, err := p.Scan(ctx)
//	validated, err := p.Validate(ctx, scanned)
//	divided, err := p.Divide(ctx, validated)
//	streamed, err := p.Stream(ctx, divided)
//	report, err := p.Report(ctx, streamed)
//
// Several tasks stream a share of the plan each ([Divided.Share]), and [Join] makes one answer
// of theirs.
//
// Start with [New], a source ([Local], [FS], [Stream], or s3source.Open), a sink ([ToLoader] for
// a store, [ToQueue] for consumers) and [Pipeline.Run]. [Config] maps headers that are not
// EPA's, [Options] has flags, workers, progress and metrics, [Report] says what became of
// each sheet, and [Scheduler] runs on a schedule.
//
// # Guarantees
//
// A file is what its content says, whatever it is called: CSV, JSON rows, a
// workbook (.xlsx, .xls), or an archive of these; see package book, and
// [Options].Formats for others, such as Parquet. A workbook is loaded whole, each
// of its sheets as a part.
//
// Memory does not grow with the size of a file: workers hold one chunk each.
// Chunks of a plain CSV file are read by byte range, in parallel. What is packed
// is fetched, hashed and unpacked once, into a temporary file, and read from there
// in parallel.
//
// A chunk goes to the [Sink] whole, and a sink takes the same chunk twice as
// once. So a run that was killed may simply be run again, and chunks may
// travel through a queue ([ToQueue]) to any number of consumers
// ([DatabaseHandler]) that may see them twice and in any order. Readers see a
// sheet when it is complete and audited, or not at all.
//
// Files of one run that are of one level, data year and release are published
// together, see driver.Combine: what is published depends neither on their names
// nor on their order.
//
// A Scheduler runs on a schedule, of what is new or changed, one of several at a
// time; Runs keeps the log of all runs. What people should know
// of a run is made into notices (Notices, package notify), and what went wrong
// into incidents (RunIncident and its like), which ErrorHandler records, and
// cures where it can.
//
// A load has one trace (W3C Trace Context) in all processes that it goes through:
// it is that of Run's ctx ([WithTrace]) or a new one, it stands in the answers of the stages and on
// the messages of ToQueue, and what consumers, ErrorHandler and the channels of
// package notify log and send belongs to it. Report names it.
//
// A folder is walked through its links ([Local]), and what is no table in it is
// listed as left out. [Stream] is a source that can be read only once.
//
// No record is lost in silence. One that cannot be read is counted, and kept
// with its line and the reason in the rejects file. An object that is no eGRID
// sheet is refused with the reason and the remedy, and does not stop the
// others. An object that changes while it is read fails with [ErrChanged].
//
// # Errors
//
// Stages return an error when they cannot go on at all: ctx ended, a source
// that cannot be listed, a sink that fails. What concerns one file stands in
// the answer, by file. Both wrap egrid's errors, and [ErrChanged].
//
// # See also
//
// Package sheet reads the sheets; package queue carries chunks between
// processes.
package etl
