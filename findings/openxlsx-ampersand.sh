#!/usr/bin/env bash
# openxlsx reads "Pratt & Whitney" as "Pratt &amp; Whitney", and a name with blanks around it as xml:space="preserve">...
#
# Tool:  R package openxlsx 4.2.5.2 (r-cran-openxlsx of Debian 12), on a workbook of openpyxl 3.1.5.
# Guess: texts come as they are, as from a workbook that openxlsx wrote itself.
# Seen:  L&D -> L&amp;D, A <B> -> A &lt;B&gt;, " Odd " -> xml:space="preserve"> Odd (with its blanks), without a warning.
#        From its own workbook the same texts come back right, so a test of writing and reading does not show it.
# Why:   270 of the generators of eGRID2023 stand in plants with an ampersand in the name, and three are called BA1&2, L&D
#        and B&H80: they join by name with nothing, and go into reports as they are. readxl reads them right.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
Rscript -e 'stopifnot(requireNamespace("openxlsx", quietly = TRUE))' 2>/dev/null || { echo "needs R with openxlsx (Debian: apt-get install r-cran-openxlsx)" >&2; exit 1; }
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openpyxl==3.1.5
venv/bin/python - <<'PY'
from openpyxl import Workbook
book = Workbook()
for row in (["PNAME", "GENID"], ["A <B>", "L&D"], [" Odd ", "1A"]):
    book.active.append(row)
book.save("openpyxl.xlsx")
PY
cat >read.R <<'R'
cat("openxlsx", as.character(packageVersion("openxlsx")), "\n")
seen <- openxlsx::read.xlsx("openpyxl.xlsx")
print(seen)
own <- data.frame(PNAME = c("A <B>", " Odd "), GENID = c("L&D", "1A"))
openxlsx::write.xlsx(own, "own.xlsx")
changed <- c(
	if (seen$GENID[1] != "L&amp;D") "the ampersand",
	if (seen$PNAME[1] != "A &lt;B&gt;") "the brackets",
	if (!startsWith(seen$PNAME[2], "xml:space=")) "the blanks",
	if (!identical(openxlsx::read.xlsx("own.xlsx"), own)) "its own workbook")
if (length(changed) > 0) {
	cat("CHANGED:", paste(changed, collapse = "; "), "\n", file = stderr())
	quit(status = 1)
}
R
Rscript read.R
