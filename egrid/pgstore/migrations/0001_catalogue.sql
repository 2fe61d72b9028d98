-- One row; change grows with every change of the catalogue, so that readers
-- know when to read it again.
CREATE TABLE state (one boolean PRIMARY KEY DEFAULT true CHECK (one), revision bigint NOT NULL, change bigint NOT NULL);
INSERT INTO state VALUES (true, 0, 0);

-- One row for each stage and snapshot. number is what the rows carry; typed
-- lists the sheet's columns that have a column of the level's table, the
-- others are in "extra".
CREATE TABLE sheets (
	number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, id text NOT NULL UNIQUE,
	level text NOT NULL, data_year integer NOT NULL, release text NOT NULL,
	status text NOT NULL CHECK (status IN ('staging', 'held', 'published')),
	typed text[] NOT NULL, spec text NOT NULL, snapshot text, touched_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX sheets_published ON sheets (level, data_year, release) WHERE status = 'published';

-- The ledger: a chunk's row is written in the transaction of its rows.
CREATE TABLE chunks (
	sheet bigint NOT NULL, chunk bigint NOT NULL, rows bigint NOT NULL, rejected bigint NOT NULL,
	lossy text NOT NULL, findings text NOT NULL, put_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (sheet, chunk)
);

-- For people: what the rows' column "snapshot" means.
CREATE VIEW snapshots AS
	SELECT number AS snapshot, id, level, data_year, nullif(release, '') AS release, status,
		(s.snapshot::json ->> 'rows')::bigint AS rows, (s.snapshot::json ->> 'loaded_at')::timestamptz AS loaded_at,
		s.snapshot::json -> 'sources' AS sources
	FROM sheets s WHERE status IN ('published', 'held');
