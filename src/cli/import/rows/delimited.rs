//! CSV: RFC 4180 with a header, LF or CRLF, and any told delimiter.
//!
//! The csv crate says where a record begins; the line is counted from there, because its own count is behind after
//! CRLF and blank lines. A quote that is never closed would swallow the rest of a file as one field: a record of our
//! own behind the end of the file shows whether that happened.

use std::io::Read;

use csv::ByteRecord;

use super::{Cell, Fault, Lines, NOT_UTF8, Row, Table};

/// Behind the end of every file. U+001E keeps it apart from anything that a file would have.
const END: &[u8] = b"\n\x1eend of file\x1e\n";
const END_FIELD: &[u8] = b"\x1eend of file\x1e";

pub(super) fn parse(bytes: &[u8], delimiter: u8) -> Table {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes.chain(END));
    let mut table = Table::default();
    let mut lines = Lines::new(bytes);
    let mut record = ByteRecord::new();
    let mut ended = false;
    let mut last_line = 1;
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => {
                table
                    .faults
                    .push(Fault::of_line(last_line, format!("{error}: correct the file")).spoiling());
                return table;
            }
        }
        ended = record.len() == 1 && record.get(0) == Some(END_FIELD);
        if ended {
            break;
        }
        last_line = lines.line_at(begin_of(&record, bytes));
        if table.columns.is_empty() {
            header(&record, last_line, &mut table);
        } else {
            row(&record, last_line, &mut table);
        }
    }
    if !ended {
        // What it swallowed is no row, and would only be reported beside the true reason.
        table.rows.retain(|row| row.line != last_line);
        table.faults.retain(|fault| fault.line != last_line);
        let unclosed = "a quote opens here that is never closed: close it, or double it inside of a text";
        table.faults.push(Fault::of_line(last_line, unclosed).spoiling());
    }
    table
}

/// Where a record's first byte is: the reader's position is still before the line ends that it skips.
fn begin_of(record: &ByteRecord, bytes: &[u8]) -> usize {
    let from = record
        .position()
        .and_then(|position| usize::try_from(position.byte()).ok())
        .unwrap_or_default();
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count()
}

fn header(record: &ByteRecord, line: u64, table: &mut Table) {
    for field in record {
        match std::str::from_utf8(field) {
            Ok(name) => table.columns.push(name.trim().to_owned()),
            Err(_) => {
                table.columns.push(String::from_utf8_lossy(field).into_owned());
                table.faults.push(Fault::of_line(line, NOT_UTF8).spoiling());
            }
        }
    }
}

fn row(record: &ByteRecord, line: u64, table: &mut Table) {
    // A spreadsheet's empty rows claim nothing.
    if record.iter().all(|field| field.trim_ascii().is_empty()) && record.len() <= table.columns.len() {
        return;
    }
    if record.len() != table.columns.len() {
        let sentence = format!(
            "the row has {} fields and the header {}: put a text that has delimiters in it into quotes, and add what is missing",
            record.len(),
            table.columns.len()
        );
        table.faults.push(Fault::of_line(line, sentence));
        return;
    }
    let mut cells = Vec::with_capacity(record.len());
    for (column, field) in record.iter().enumerate() {
        match std::str::from_utf8(field) {
            Ok(text) => cells.push((column, Cell::Text(text.trim().into()))),
            Err(_) => {
                let name = table.columns.get(column).map_or("", String::as_str);
                table.faults.push(Fault::of_column(line, name, NOT_UTF8));
                return;
            }
        }
    }
    table.rows.push(Row { line, cells });
}

#[cfg(test)]
mod tests {
    use super::super::{Delimiter, Format};
    use super::*;

    /// Rows as `line: cell|cell`, then faults.
    fn check(text: impl AsRef<[u8]>, expect: &[&str]) {
        let table = Table::parse(Format::Csv, text.as_ref());
        let row = |row: &Row| {
            let cells: Vec<_> = (0..table.columns.len())
                .map(|at| match row.cell(at) {
                    Some(Cell::Text(text)) => text.to_string(),
                    other => panic!("a CSV cell is {other:?}"),
                })
                .collect();
            format!("{}: {}", row.line, cells.join("|"))
        };
        let rows = table.rows.iter().map(row);
        let said: Vec<_> = rows
            .chain(table.faults.iter().map(|fault| format!("! {fault}")))
            .collect();
        assert_eq!(said, expect, "{}", String::from_utf8_lossy(text.as_ref()));
    }

    #[test]
    fn rows_keep_their_real_lines() {
        check("a,b\n1,2\n3,4", &["2: 1|2", "3: 3|4"]);
        check("a,b\r\n1,2\r\n3,4\r\n", &["2: 1|2", "3: 3|4"]);
        check("\n\na,b\n\n1,2\n\n\n3,4\n", &["5: 1|2", "8: 3|4"]);
        check("\r\na,b\r\n\r\n1,2\r\n\r\n3,4\r\n", &["4: 1|2", "6: 3|4"]);
        check(
            "a,b\n\"x\ny\",2\n3,\"p\r\nq\r\n\"\n5,6\n",
            &["2: x\ny|2", "4: 3|p\r\nq", "7: 5|6"],
        );
        check("a,b\n\n\"\nx\",2\n3,4\n", &["3: x|2", "5: 3|4"]);
    }

    #[test]
    fn quotes_and_white_space_are_read_as_everybody_writes_them() {
        check("a , b\n\"1,5\",\"say \"\"x\"\"\"\n", &["2: 1,5|say \"x\""]);
        check("a,b\n 1 ,\t2\n", &["2: 1|2"]);
        check("a,b\n5\" pipe,2\n", &["2: 5\" pipe|2"]);
    }

    #[test]
    fn a_told_delimiter_parts_the_fields_and_a_comma_no_longer_does() {
        for (delimiter, text) in [
            (Delimiter::Semicolon, "a;b\n1,5;2\n\"3;4\";5\n"),
            (Delimiter::Tab, "a\tb\n1,5\t2\n3;4\t5\n"),
            (Delimiter::Pipe, "a|b\n1,5|2\n3;4|5\n"),
        ] {
            let table = Table::parse_delimited(text.as_bytes(), delimiter);
            assert_eq!(
                (table.columns, table.faults),
                (vec!["a".to_owned(), "b".to_owned()], vec![])
            );
            let cells: Vec<_> = table.rows.iter().map(|row| row.cell(0).cloned()).collect();
            assert_eq!(
                cells,
                [Some(Cell::Text("1,5".into())), Some(Cell::Text("3;4".into()))]
            );
        }
        assert_eq!(
            Delimiter::advice("a;b").as_deref(),
            Some("say --delimiter semicolon if these are several")
        );
        assert_eq!(Delimiter::advice("a b"), None);
    }

    #[test]
    fn empty_cells_stay_and_empty_rows_go() {
        check("a,b\n1,\n,2\n,\n\"\",\" \"\n", &["2: 1|", "3: |2"]);
    }

    #[test]
    fn a_row_of_another_length_is_a_fault() {
        let said = "the row has 1 fields and the header 2: put a text that has delimiters in it into quotes, and add what is missing";
        check("a,b\n1\n3,4\n", &["3: 3|4", &format!("! 2: {said}")]);
        check(
            "a,b\n1,2,3\n",
            &[&format!("! 2: {}", said.replace("1 fields", "3 fields"))],
        );
        check(
            "a,b\n,,\n",
            &[&format!("! 2: {}", said.replace("1 fields", "3 fields"))],
        );
    }

    #[test]
    fn a_quote_that_is_never_closed_is_named_by_its_line_and_swallows_nothing_in_silence() {
        let said = "a quote opens here that is never closed: close it, or double it inside of a text";
        check("a,b\n1,2\n3,\"x\n5,6\n", &["2: 1|2", &format!("! 3: {said}")]);
        check("a,b\n1,2\n\"3,x\n5,6\n", &["2: 1|2", &format!("! 3: {said}")]);
        check("\"a,b\n1,2", &[&format!("! 1: {said}")]);
    }

    #[test]
    fn bytes_that_are_no_text_are_named_by_line_and_column() {
        check(
            b"a,b\n1,2\n3,\xE4\n",
            &[
                "2: 1|2",
                "! 3: column \"b\": this is not UTF-8 text: save the file as UTF-8",
            ],
        );
        check(
            b"\xFF\xFEa\0,\0",
            &["! 1: this is not UTF-8 text: save the file as UTF-8"],
        );
    }
}
