-- What went wrong on the way of data into the store, by kind. Deleting a kind
-- clears it.
CREATE TABLE failures (
	kind text PRIMARY KEY, count bigint NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
	latest_id text NOT NULL, latest_where text NOT NULL, latest_message text NOT NULL
);

-- The latest failures of each kind by their number, so that one that is
-- reported again is counted once.
CREATE TABLE failure_ids (
	kind text NOT NULL REFERENCES failures ON DELETE CASCADE, id text NOT NULL, number bigint NOT NULL,
	PRIMARY KEY (kind, id), UNIQUE (kind, number)
);
