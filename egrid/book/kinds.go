package book

// Kinds of files that are known and not read, by their first bytes.
var others = [...]struct{ magic, why string }{
	{"<!DOCTYPE", "it is a web page; open it in a spreadsheet program and save it as .xlsx"},
	{"<!doctype", "it is a web page; open it in a spreadsheet program and save it as .xlsx"},
	{"<html", "it is a web page; open it in a spreadsheet program and save it as .xlsx"},
	{"<HTML", "it is a web page; open it in a spreadsheet program and save it as .xlsx"},
	{"<?xml", "it is XML; open it in a spreadsheet program and save it as .xlsx"},
	{"\u00ff\u00fe", "it is UTF-16 text that was encoded once more as UTF-8; write its bytes as they are (in JavaScript with the encoding latin1)"},
	{"{\\rtf", "it is a text document (RTF); save its table as CSV"},
	{"%PDF-", "it is a PDF document; save its table as CSV"},
	{"PAR1", "it is a Parquet file; save it as CSV"},
	{"PARE", "it is an encrypted Parquet file; write it without encryption"},
	{"SQLite format 3\x00", "it is an SQLite database; save its table as CSV"},
	{"BZh91AY&SY", "it is compressed by bzip2; decompress it first"},
	{"\xfd7zXZ\x00", "it is compressed by xz; decompress it first"},
	{"\x28\xb5\x2f\xfd", "it is compressed by zstd; decompress it first"},
	{"7z\xbc\xaf\x27\x1c", "it is a 7z archive; unpack it first"},
	{"Rar!\x1a\x07", "it is a RAR archive; unpack it first"},
	{"\x89PNG", "it is an image"},
	{"\xff\xd8\xff", "it is an image"},
}

// Kinds of documents that are zip archives, by one of their members.
var documents = [...]struct{ member, why string }{
	{"mimetype", "it is an OpenDocument file (.ods); save it as .xlsx"},
	{"Index/Document.iwa", "it is a document of Apple Numbers; export it as .xlsx"},
	{"Index.zip", "it is a document of Apple Numbers; export it as .xlsx"},
}
