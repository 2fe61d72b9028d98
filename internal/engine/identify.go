package engine

// denseLimit is how many places groups may take for n rows: more cost more to
// clear than to look up.
func denseLimit(n int) int { return 4*n + 1024 }

// identify numbers the groups of the selected rows: ids has one number below
// size for each of them. Not every number need be used.
func (q *query) identify(s selection, by []*Column) (ids []int32, size int) {
	if len(by) == 0 {
		return q.narrow.zeros(s.n), 1
	}
	for i, c := range by {
		next, count := q.places(s, c)
		switch {
		case i == 0:
			ids, size = next, count
		case size <= denseLimit(s.n)/count:
			for j, id := range next {
				ids[j] = ids[j]*int32(count) + id
			}
			size *= count
		default:
			h := q.hash(s.n)
			for j, id := range next {
				ids[j] = h.id(uint64(ids[j])<<32 | uint64(id))
			}
			size = h.n
		}
	}
	return ids, size
}

// dense reports whether the cells of n rows are numbered by their keys.
func (c *Column) dense(n int) bool {
	return uint64(c.most)-uint64(c.least)+1 < uint64(denseLimit(n))
}

// places numbers the cells of a column: by their keys where these are close
// together, the missing ones last.
func (q *query) places(s selection, c *Column) (ids []int32, size int) {
	ids = q.narrow.take(s.n)
	if span := uint64(c.most) - uint64(c.least) + 1; c.dense(s.n) {
		if c.narrow != nil {
			near(ids, c.narrow, s, c.least, span)
		} else {
			near(ids, c.wide, s, c.least, span)
		}
		return ids, int(span) + 1
	}
	h := q.hash(s.n)
	for i := range ids {
		ids[i] = h.id(uint64(c.key(s.at(i))))
	}
	return ids, h.n
}

// near numbers cells by the distance from the least key. A missing cell is
// farther than span, which numbers it.
func near[K key](ids []int32, keys []K, s selection, least int64, span uint64) {
	if s.rows == nil {
		for i, k := range keys[:s.n] {
			ids[i] = int32(min(uint64(k)-uint64(least), span))
		}
		return
	}
	for i, row := range s.rows {
		ids[i] = int32(min(uint64(keys[row])-uint64(least), span))
	}
}

// hash numbers keys in the order of their first use. It is a table with open
// addressing.
type hash struct {
	keys []int64
	ids  []int32 // id + 1; 0 is free
	mask uint64
	n    int
}

// hash makes a table for n keys.
func (q *query) hash(n int) *hash {
	size := 64
	for size < 2*n {
		size *= 2
	}
	return &hash{keys: q.wide.take(size), ids: q.narrow.zeros(size), mask: uint64(size - 1)}
}

func (h *hash) id(key uint64) int32 {
	at := key * 0x9e3779b97f4a7c15
	at ^= at >> 32
	for at &= h.mask; ; at = (at + 1) & h.mask {
		switch {
		case h.ids[at] == 0:
			h.n++
			h.keys[at], h.ids[at] = int64(key), int32(h.n)
			return int32(h.n - 1)
		case h.keys[at] == int64(key):
			return h.ids[at] - 1
		}
	}
}
