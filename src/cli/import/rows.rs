//! A file's bytes become rows that know their lines.
//!
//! Invariant: whatever the bytes are, parsing ends in a table; what it could not read is a fault with a real line of
//! the file, never a row left out in silence. It deliberately does not know files, KPIs, or what a column means.

use std::collections::HashMap;
use std::fmt;

use clap::ValueEnum;

mod delimited;
mod json;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Comma-separated values; the first line names the columns.
    Csv,
    /// One array of flat objects.
    Json,
    /// One flat object a line.
    Ndjson,
}

/// What separates the fields of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Delimiter {
    /// ,
    Comma,
    /// ;
    Semicolon,
    /// A tabulator
    Tab,
    /// |
    Pipe,
}

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// The columns in the order in which they appear; a CSV header may name one twice.
    pub(super) columns: Vec<String>,
    /// The rows that could be read.
    pub(super) rows: Vec<Row>,
    /// What could not be read.
    pub(super) faults: Vec<Fault>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// The line of the file on which it begins, from 1.
    pub(super) line: u64,
    /// By the column's index; a JSON object may lack some.
    cells: Vec<(usize, Cell)>,
}

/// What stands in one row under one column. JSON's null is no cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// A text, with the white space around it cut. Every cell of a CSV file is one.
    Text(Box<str>),
    /// A JSON number as it is written.
    Number(Box<str>),
    /// true or false.
    Bool(bool),
    /// An array or an object.
    Nested,
}

/// Something wrong in a file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The line, from 1.
    pub(super) line: u64,
    /// The column by its name, where one is to blame.
    pub(super) column: Option<String>,
    /// What is wrong: what to do.
    pub(super) sentence: String,
    /// Whether what follows in the file cannot be trusted either: then no other row is good without it.
    pub(super) spoils_file: bool,
}

impl Format {
    /// The format that a file's name tells by its extension.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

impl Delimiter {
    /// The other delimiters by which a line would have several fields, as advice for a file with one column.
    pub(super) fn advice(column: &str) -> Option<String> {
        let others = Self::value_variants()
            .iter()
            .filter(|delimiter| column.bytes().any(|byte| byte == delimiter.byte()));
        let names: Vec<String> = others
            .filter_map(|delimiter| Some(delimiter.to_possible_value()?.get_name().to_owned()))
            .collect();
        (!names.is_empty()).then(|| format!("say --delimiter {} if these are several", names.join(" or ")))
    }

    fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

impl Table {
    /// Reads a file's bytes; CSV with commas. A byte order mark is not part of the text.
    pub(super) fn parse(format: Format, bytes: &[u8]) -> Self {
        match format {
            Format::Csv => Self::parse_delimited(bytes, Delimiter::Comma),
            Format::Json => Self::parse_with(bytes, json::parse_array),
            Format::Ndjson => Self::parse_with(bytes, json::parse_lines),
        }
    }

    /// Reads the bytes of a CSV file.
    pub(super) fn parse_delimited(bytes: &[u8], delimiter: Delimiter) -> Self {
        Self::parse_with(bytes, |bytes| delimited::parse(bytes, delimiter.byte()))
    }

    fn parse_with(bytes: &[u8], parse: impl Fn(&[u8]) -> Self) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Self::unreadable(Fault::of_line(
                1,
                "the file is empty: check the export that writes it",
            ));
        }
        parse(bytes)
    }

    fn unreadable(fault: Fault) -> Self {
        Self {
            faults: vec![fault.spoiling()],
            ..Self::default()
        }
    }
}

impl Row {
    /// What stands under a column.
    pub(super) fn cell(&self, column: usize) -> Option<&Cell> {
        self.cells
            .iter()
            .find_map(|(at, cell)| (*at == column).then_some(cell))
    }
}

impl Fault {
    pub(super) fn of_line(line: u64, sentence: impl Into<String>) -> Self {
        Self {
            line,
            column: None,
            sentence: sentence.into(),
            spoils_file: false,
        }
    }

    pub(super) fn of_column(line: u64, column: &str, sentence: impl Into<String>) -> Self {
        Self {
            line,
            column: Some(column.to_owned()),
            sentence: sentence.into(),
            spoils_file: false,
        }
    }

    /// One behind which nothing in the file can be trusted.
    pub(super) fn spoiling(self) -> Self {
        Self {
            spoils_file: true,
            ..self
        }
    }
}

impl fmt::Display for Fault {
    /// Without the file's name: `LINE: column "x": what is wrong: what to do`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.line)?;
        if let Some(column) = &self.column {
            write!(f, "column {column:?}: ")?;
        }
        f.write_str(&self.sentence)
    }
}

/// Counts lines by looking at every byte once, however many places are asked for.
struct Lines<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            offset: 0,
            line: 1,
        }
    }

    /// The line of an offset that is not before the one asked for last.
    fn line_at(&mut self, offset: usize) -> u64 {
        let passed = self.bytes.get(self.offset..offset).unwrap_or_default();
        for byte in passed {
            self.line += u64::from(*byte == b'\n');
        }
        self.offset = self.offset.max(offset);
        self.line
    }
}

/// The columns of a JSON file as they are met.
#[derive(Default)]
struct Columns {
    names: Vec<String>,
    indices: HashMap<String, usize>,
}

impl Columns {
    fn index_of(&mut self, name: &str) -> usize {
        if let Some(index) = self.indices.get(name) {
            return *index;
        }
        let index = self.names.len();
        self.names.push(name.to_owned());
        self.indices.insert(name.to_owned(), index);
        index
    }
}

const NOT_UTF8: &str = "this is not UTF-8 text: save the file as UTF-8";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Format; 3] = [Format::Csv, Format::Json, Format::Ndjson];

    #[test]
    fn an_empty_file_is_a_fault_in_every_format() {
        for format in ALL {
            for empty in ["", "\u{feff}", " \r\n\n"] {
                let table = Table::parse(format, empty.as_bytes());
                let fault = "1: the file is empty: check the export that writes it";
                assert_eq!(
                    table.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
                    [fault]
                );
                assert!(table.rows.is_empty());
            }
        }
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_first_column() {
        for (format, text) in [
            (Format::Csv, "date,value\n2026-01-01,5\n"),
            (Format::Json, r#"[{"date": "2026-01-01", "value": 5}]"#),
            (Format::Ndjson, r#"{"date": "2026-01-01", "value": 5}"#),
        ] {
            let table = Table::parse(format, format!("\u{feff}{text}").as_bytes());
            assert_eq!(table.columns, ["date", "value"]);
            assert_eq!((table.rows.len(), table.faults), (1, vec![]));
        }
    }

    #[test]
    fn the_extension_tells_the_format() {
        assert_eq!(Format::of_name("a/b.CSV"), Some(Format::Csv));
        assert_eq!(Format::of_name("data.json"), Some(Format::Json));
        assert_eq!(Format::of_name("x.jsonl"), Some(Format::Ndjson));
        assert_eq!(Format::of_name("x.ndjson"), Some(Format::Ndjson));
        assert_eq!((Format::of_name("csv"), Format::of_name("x.xlsx")), (None, None));
    }

    /// Rows and faults lie within the file, and something is said about a file that is not empty.
    fn invariant_every_line_exists(format: Format, bytes: &[u8]) {
        let table = Table::parse(format, bytes);
        let lines = 1 + bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let places = table
            .rows
            .iter()
            .map(|row| row.line)
            .chain(table.faults.iter().map(|fault| fault.line));
        for line in places {
            assert!((1..=lines).contains(&line), "line {line} of {lines}");
        }
        for row in &table.rows {
            assert!(row.cells.iter().all(|(column, _)| *column < table.columns.len()));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for format in ALL {
                invariant_every_line_exists(format, &bytes);
            }
        }

        #[test]
        fn no_text_that_looks_like_a_file_makes_a_parser_panic(text in "([\\[\\]{},:\"'\\\\\r\n\t]|[a-c0-9.+-]|null|true|\\\\ud800|\u{feff}|ä){0,120}") {
            for format in ALL {
                invariant_every_line_exists(format, text.as_bytes());
            }
        }
    }
}
