#!/usr/bin/env bash
# readr's write_tsv puts nothing in quotes, but doubles quotes: its own read_tsv gets another table back.
#
# Tool:  R package readr 2.1.4 (r-cran-readr of Debian 12).
# Guess: write_tsv is write_csv with tabs: a text with a tab, a quote or a line break is put in quotes.
# Seen:  O'Brien "Power" -> O'Brien ""Power"" without quotes around it, and line breaks and tabs stand as they are: 3 rows
#        become 4 records, the last number belongs to the wrong column. No warning while writing.
#        write_csv is right, and so is write_tsv(..., quote = "needed").
# Why:   headers of eGRID up to 2012 have a line break in each cell (code, description), and names of plants and
#        operators have quotes: such a file is cut into other records, or joins by name with nothing.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
Rscript -e 'stopifnot(requireNamespace("readr", quietly = TRUE))' 2>/dev/null || { echo "needs R with readr (Debian: apt-get install r-cran-readr)" >&2; exit 1; }
cat >write.R <<'R'
cat("readr", as.character(packageVersion("readr")), "\n")
plants <- data.frame(PNAME = c("O'Brien \"Power\"", "Two\nLines", "A\tB"), MWH = c(1.5, 2.5, 3.5))
back <- function(f) suppressWarnings(as.data.frame(readr::read_tsv(f, show_col_types = FALSE)))
readr::write_tsv(plants, "plants.tsv")
cat(readLines("plants.tsv"), sep = "\n")
print(back("plants.tsv"))
readr::write_tsv(plants, "quoted.tsv", quote = "needed")
changed <- c(
	if (nrow(back("plants.tsv")) != 4) "the rows that come back",
	if (readLines("plants.tsv")[2] != "O'Brien \"\"Power\"\"\t1.5") "the doubled quote",
	if (!isTRUE(all.equal(back("quoted.tsv"), plants))) "what quote = \"needed\" writes")
if (length(changed) > 0) {
	cat("CHANGED:", paste(changed, collapse = "; "), "\n", file = stderr())
	quit(status = 1)
}
R
Rscript write.R
