package egrid

import "strings"

// Nearest returns the candidate that was probably meant by a word that is none of them,
// without regard to letter case: the one that is fewest letters away (inserted, left out,
// replaced, or swapped with its neighbour), a third of the word's letters at most, of
// several rather one with the same first letter; else the shortest that begins with the
// word, or else has it within. It is empty for none.
func Nearest(word string, candidates []string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if len(word) < 2 {
		return ""
	}
	limit := max(2, len(word)/3)
	if len(word) <= 3 {
		limit = 1 // of so short a word two letters are another word
	}
	best, least := "", 2*limit+2
	for _, c := range candidates {
		lower := strings.ToLower(c)
		if len(word) == 2 && len(lower) == 2 && (word[0] != lower[1] || word[1] != lower[0]) {
			continue // every code of two letters is one letter away from many
		}
		d := 2 * editDistance(word, lower, limit+1)
		if lower == "" || lower[0] != word[0] {
			d++ // the first letter is seldom the wrong one
		}
		if d < least && d < 2*limit+2 {
			best, least = c, d
		}
	}
	if best != "" || len(word) < 3 {
		return best
	}
	const none = 1 << 20
	least = none
	for _, c := range candidates {
		at := strings.Index(strings.ToLower(c), word)
		if at < 0 {
			continue
		}
		rank := len(c)
		if at > 0 {
			rank += none / 2 // behind all that begin with it
		}
		if rank < least {
			best, least = c, rank
		}
	}
	return best
}

// editDistance counts the letters to insert, leave out, replace or swap, up to a limit.
func editDistance(a, b string, limit int) int {
	if len(a) > len(b)+limit || len(b) > len(a)+limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
