package cache

import "github.com/egrid-analytics/egrid-go/egrid"

// EncodePage, DecodePage, AppendPage and ReadPage are the format of the second
// level, for its tests.
func EncodePage(key string, page *egrid.RowPage, known []egrid.Snapshot) ([]byte, bool) {
	return encodePage(key, page, known)
}

func DecodePage(key string, value []byte, known []egrid.Snapshot) (egrid.RowPage, bool) {
	return decodePage(key, value, known)
}

func AppendPage(page *egrid.RowPage, known []egrid.Snapshot) ([]byte, bool) {
	return appendPage(nil, page, known)
}

func ReadPage(body []byte, known []egrid.Snapshot) (egrid.RowPage, bool) {
	return readPage(body, known)
}
