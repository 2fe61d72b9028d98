package pgstore

import "github.com/jackc/pgx/v5/pgxpool"

// Connections counts the connections to the servers, those of queries and those
// of loaders: for metrics.
func (s *Store) Connections() (inUse, idle int) {
	for i, pool := range []*pgxpool.Pool{s.read, s.write} {
		if i == 1 && pool == s.read {
			break
		}
		stat := pool.Stat()
		inUse += int(stat.AcquiredConns())
		idle += int(stat.IdleConns())
	}
	return inUse, idle
}
