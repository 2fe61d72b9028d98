package egrid

import "strings"

// Nearest returns the candidate that was probably meant by a word that is none of them,
// without regard to letter case: the one that is fewest letters away (inserted, left out,
// replaced, or swapped with its neighbour), a third of the word's letters at most; else
// the shortest that begins with the word, or else has it within. The first of several
// that are equal; empty for none.
func Nearest(word string, candidates []string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if len(word) < 2 {
		return ""
	}
	best, least := "", max(2, len(word)/3)+1
	if len(word) <= 3 {
		least = 2 // of so short a word two letters are another word
	}
	for _, c := range candidates {
		if d := editDistance(word, strings.ToLower(c), least); d < least {
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
