-- The runs of all processes that load into this store. The column run is the
-- whole as JSON; the others are for order, and for people. heard_at is the last
-- sign of life, by this server's clock.
CREATE TABLE runs (
	id text COLLATE "C" PRIMARY KEY, status text NOT NULL, started_by text NOT NULL, host text NOT NULL, trace_id text NOT NULL,
	started_at timestamptz NOT NULL, ended_at timestamptz, heard_at timestamptz NOT NULL,
	rows_read bigint NOT NULL, rows_loaded bigint NOT NULL, rows_rejected bigint NOT NULL, chunks bigint NOT NULL, failures bigint NOT NULL,
	run text NOT NULL
);
CREATE INDEX runs_started ON runs (started_at DESC, id DESC);

-- How far each schedule has been attended to: the latest due time whose run has
-- ended or was told as missed, and how many runs were asked for and had.
CREATE TABLE schedules (name text PRIMARY KEY, due_at timestamptz, asked bigint NOT NULL DEFAULT 0, answered bigint NOT NULL DEFAULT 0);
