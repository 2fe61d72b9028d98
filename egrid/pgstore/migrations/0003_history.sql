-- A random text that every change of the catalogue replaces, so that readers
-- know when to read it again, also after the database was restored from a backup.
ALTER TABLE state DROP COLUMN change, ADD COLUMN token text NOT NULL DEFAULT gen_random_uuid();
ALTER TABLE state ALTER COLUMN token DROP DEFAULT;

-- Superseded snapshots stay: their tables are no partitions any more.
ALTER TABLE sheets DROP CONSTRAINT sheets_status_check, ADD COLUMN superseded_at timestamptz,
	ADD CONSTRAINT sheets_status_check CHECK (status IN ('staging', 'held', 'published', 'superseded'));

-- The latest ids of snapshots that were published once and are kept no more.
CREATE TABLE pruned (number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, id text NOT NULL UNIQUE);

-- Tables of pruned snapshots that somebody was reading; a later load drops them.
CREATE TABLE dropped_tables (name text PRIMARY KEY);

-- What a chunk adds to its snapshot, with the digest of its rows. The program
-- that applies this step works out the digests of rows that are there already.
ALTER TABLE chunks ADD COLUMN tally text;
UPDATE chunks SET tally = json_build_object('rows', rows, 'rejected', rejected, 'lossy', lossy::json, 'findings', findings::json, 'digest', '[0,0,0,0]'::json);
ALTER TABLE chunks DROP COLUMN rejected, DROP COLUMN lossy, DROP COLUMN findings, ALTER COLUMN tally SET NOT NULL;

-- For people: what the rows' column "snapshot" means.
DROP VIEW snapshots;
CREATE VIEW snapshots AS
	SELECT number AS snapshot, s.snapshot::json ->> 'id' AS id, id AS stage, level, data_year, nullif(release, '') AS release, status,
		(s.snapshot::json ->> 'rows')::bigint AS rows, (s.snapshot::json ->> 'loaded_at')::timestamptz AS loaded_at,
		s.snapshot::json -> 'sources' AS sources
	FROM sheets s WHERE status IN ('published', 'held');
