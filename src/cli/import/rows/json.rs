//! JSON: an array of flat objects, or one object a line.
//!
//! Elements are kept as raw text until they are read one by one: so each knows its place in the file, and a number
//! keeps the digits it was written with.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Cell, Columns, Fault, Lines, NOT_UTF8, Row, Table};

/// The whole file is one array.
pub(super) fn parse_array(bytes: &[u8]) -> Table {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let line = Lines::new(bytes).line_at(error.valid_up_to());
            return Table::unreadable(Fault::of_line(line, NOT_UTF8));
        }
    };
    let elements: Vec<&RawValue> = match serde_json::from_str(text) {
        Ok(elements) => elements,
        Err(error) => return Table::unreadable(why_no_array(text, &error)),
    };
    let mut reader = Reader::default();
    let mut lines = Lines::new(bytes);
    for element in elements {
        // An element borrows from the text: the distance of the two is its place.
        let offset = (element.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        reader.read(lines.line_at(offset), element.get());
    }
    reader.finish()
}

/// Every line is one object; blank lines are none.
pub(super) fn parse_lines(bytes: &[u8]) -> Table {
    let mut reader = Reader::default();
    for (line, bytes) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => reader.read(line, text.trim()),
            Err(_) => reader.table.faults.push(Fault::of_line(line, NOT_UTF8)),
        }
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    columns: Columns,
    table: Table,
}

impl Reader {
    fn read(&mut self, line: u64, text: &str) {
        match self.cells(line, text) {
            Ok(cells) => self.table.rows.push(Row { line, cells }),
            Err(fault) => self.table.faults.push(fault),
        }
    }

    fn cells(&mut self, line: u64, text: &str) -> Result<Vec<(usize, Cell)>, Fault> {
        if !text.starts_with('{') {
            let sentence = "this is no object: write a row as {\"column\": value, …}";
            return Err(Fault::of_line(line, sentence));
        }
        let Fields(fields) = serde_json::from_str(text)
            .map_err(|error| Fault::of_line(line, format!("{}: correct the JSON", without_place(&error))))?;
        let mut cells: Vec<(usize, Cell)> = Vec::with_capacity(fields.len());
        for (name, raw) in fields {
            let column = self.columns.index_of(&name);
            if cells.iter().any(|(at, _)| *at == column) {
                let sentence = "the row has it twice: keep one";
                return Err(Fault::of_column(line, &name, sentence));
            }
            if let Some(cell) = cell(raw.get()).map_err(|error| {
                Fault::of_column(
                    line,
                    &name,
                    format!("{}: correct the JSON", without_place(&error)),
                )
            })? {
                cells.push((column, cell));
            }
        }
        Ok(cells)
    }

    fn finish(mut self) -> Table {
        self.table.columns = self.columns.names;
        self.table
    }
}

/// What one raw value is; null is nothing.
fn cell(raw: &str) -> Result<Option<Cell>, serde_json::Error> {
    Ok(Some(match raw.bytes().next() {
        Some(b'"') => Cell::Text(serde_json::from_str::<String>(raw)?.trim().into()),
        Some(b'{' | b'[') => Cell::Nested,
        Some(b't') => Cell::Bool(true),
        Some(b'f') => Cell::Bool(false),
        None | Some(b'n') => return Ok(None),
        Some(_) => Cell::Number(raw.into()),
    }))
}

fn why_no_array(text: &str, error: &serde_json::Error) -> Fault {
    if error.is_data() && text.trim_start().starts_with('{') {
        let sentence = "this is one object, not an array of rows: put rows into [ ], or say --format ndjson if every line is one";
        return Fault::of_line(1, sentence);
    }
    // Before the first byte serde_json counts line 0.
    let line = (error.line() as u64).max(1);
    let what = without_place(error);
    Fault::of_line(
        line,
        format!("{what} (column {}): correct the JSON", error.column()),
    )
}

/// What serde_json says without its own line and column: those of a part are not those of the file.
fn without_place(error: &serde_json::Error) -> String {
    let said = error.to_string();
    match said.rsplit_once(" at line ") {
        Some((what, _)) => what.to_owned(),
        None => said,
    }
}

/// An object's fields in their order, also those that stand twice.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    fields.push((name, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    /// Rows as `line: column=cell …`, then faults.
    fn check(format: Format, text: impl AsRef<[u8]>, expect: &[&str]) {
        let table = Table::parse(format, text.as_ref());
        let row = |row: &Row| {
            let cells: Vec<_> = row
                .cells
                .iter()
                .map(|(at, cell)| match cell {
                    Cell::Text(text) => format!("{}={text:?}", table.columns[*at]),
                    Cell::Number(digits) => format!("{}={digits}", table.columns[*at]),
                    Cell::Bool(is) => format!("{}={is}", table.columns[*at]),
                    Cell::Nested => format!("{}=…", table.columns[*at]),
                })
                .collect();
            format!("{}: {}", row.line, cells.join(" "))
        };
        let rows = table.rows.iter().map(row);
        let said: Vec<_> = rows
            .chain(table.faults.iter().map(|fault| format!("! {fault}")))
            .collect();
        assert_eq!(said, expect, "{}", String::from_utf8_lossy(text.as_ref()));
    }

    #[test]
    fn an_element_knows_the_line_on_which_it_begins() {
        check(
            Format::Json,
            "[\n  {\n    \"a\": 1\n  },\n  {\"a\": 2}, {\"a\": 3},\r\n\r\n {\"b\": \"x\\ny\"}]\n",
            &["2: a=1", "5: a=2", "5: a=3", "7: b=\"x\\ny\""],
        );
        check(Format::Json, "[]", &[]);
    }

    #[test]
    fn a_cell_keeps_what_it_is() {
        check(
            Format::Ndjson,
            r#"{"a": 1e3, "b": 1e999, "c": " ü\u00e4 ", "d": null, "e": [1], "f": {}, "g": true, "h": -0.10}"#,
            &["1: a=1e3 b=1e999 c=\"üä\" e=… f=… g=true h=-0.10"],
        );
    }

    #[test]
    fn blank_lines_between_rows_are_counted_and_are_no_rows() {
        check(
            Format::Ndjson,
            "\n{\"a\":1}\r\n\r\n  \n {\"a\":2} \n",
            &["2: a=1", "5: a=2"],
        );
    }

    #[test]
    fn one_bad_line_does_not_hide_the_others() {
        check(
            Format::Ndjson,
            "{\"a\":1}\n{\"a\":\n[1]\n{\"a\":1,\"a\":2}\n{\"a\":NaN}\n{\"a\":1} x\n{\"a\":\"\\ud800\"}\n{\"a\":3}\n",
            &[
                "1: a=1",
                "8: a=3",
                "! 2: EOF while parsing a value: correct the JSON",
                "! 3: this is no object: write a row as {\"column\": value, …}",
                "! 4: column \"a\": the row has it twice: keep one",
                "! 5: expected value: correct the JSON",
                "! 6: trailing characters: correct the JSON",
                "! 7: column \"a\": unexpected end of hex escape: correct the JSON",
            ],
        );
    }

    #[test]
    fn a_file_that_is_no_array_of_rows_is_a_fault_with_its_line() {
        check(
            Format::Json,
            "[{\"a\":1}]\n\nx",
            &["! 3: trailing characters (column 1): correct the JSON"],
        );
        check(
            Format::Json,
            "[{\"a\":1},\n",
            &["! 2: EOF while parsing a value (column 0): correct the JSON"],
        );
        check(
            Format::Json,
            "{\"a\":1}",
            &[
                "! 1: this is one object, not an array of rows: put rows into [ ], or say --format ndjson if every line is one",
            ],
        );
        check(
            Format::Json,
            "[{\"a\":1},\n 5]",
            &[
                "1: a=1",
                "! 2: this is no object: write a row as {\"column\": value, …}",
            ],
        );
        check(
            Format::Json,
            b"[\n{\"a\":\"\xE4\"}]",
            &["! 2: this is not UTF-8 text: save the file as UTF-8"],
        );
    }
}
