#!/usr/bin/env bash
# A Java program that only reads a workbook with Apache POI writes it anew: its SHA-256 is another one afterwards.
#
# Tool:  org.apache.poi:poi-ooxml 5.4.1, opened as WorkbookFactory.create(File) in a try with resources.
# Guess: reading leaves the file as it is.
# Seen:  a workbook of openpyxl 3.1.5 has other bytes and another size after one cell was read; nothing is printed. With
#        create(file, null, true), read-only, and from an InputStream it stays.
# Why:   who cites eGRID by the SHA-256 of EPA's workbook, or compares a download with it, finds a file that nobody has
#        published, after any program has looked at it; caches by ETag and backups take it for a new edition. Open
#        read-only, and take the hash before anything else.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
for tool in mvn javac python3; do
	command -v $tool >/dev/null || { echo "needs $tool" >&2; exit 1; }
done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openpyxl==3.1.5
cat >pom.xml <<'XML'
<project><modelVersion>4.0.0</modelVersion>
<groupId>findings</groupId><artifactId>poi</artifactId><version>1</version>
<dependencies><dependency><groupId>org.apache.poi</groupId><artifactId>poi-ooxml</artifactId><version>5.4.1</version></dependency></dependencies>
</project>
XML
mvn --quiet --batch-mode -Dmaven.repo.local="$dir/m2" dependency:copy-dependencies -DoutputDirectory=lib
cat >Read.java <<'JAVA'
import java.io.*;
import org.apache.poi.ss.usermodel.*;

public class Read {
	public static void main(String[] args) throws Exception {
		File file = new File(args[1]);
		try (Workbook book = switch (args[0]) {
			case "file" -> WorkbookFactory.create(file);
			case "read-only" -> WorkbookFactory.create(file, null, true);
			default -> WorkbookFactory.create(new FileInputStream(file));
		}) {
			System.out.println(book.getSheetAt(0).getRow(1).getCell(1));
		}
	}
}
JAVA
javac -cp 'lib/*' Read.java
venv/bin/python - <<'PY'
from openpyxl import Workbook
book = Workbook()
book.active.append(["GENID", "GENNTAN"])
book.active.append(["0290", -2443.4])
book.save("source.xlsx")
PY
failed=0
for how in file read-only stream; do
	cp source.xlsx "$how.xlsx"
	java -cp 'lib/*:.' Read "$how" "$how.xlsx" 2>&1 | grep -v Log4j
	kept=no
	if cmp -s source.xlsx "$how.xlsx"; then kept=yes; fi
	echo "$how: bytes kept: $kept ($(wc -c <source.xlsx) bytes before, $(wc -c <"$how.xlsx") after)"
	want=yes
	if [ "$how" = file ]; then want=no; fi
	if [ "$kept" != "$want" ]; then
		echo "CHANGED: opened by $how, the bytes were kept: $want" >&2
		failed=1
	fi
done
exit $failed
