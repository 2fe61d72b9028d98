// Package bookcheck holds package book to other readers of workbooks: every cell
// of every sheet has to be what excelize (Go) and calamine (Rust, through Python)
// read, in workbooks that other programs wrote.
//
// It has a module of its own, because nobody who reads workbooks by package book
// needs another reader.
package bookcheck
