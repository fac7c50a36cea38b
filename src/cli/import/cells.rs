//! One cell of a row becomes what its column means.
//!
//! It deliberately does not know which column means what (`mapping`).

use smol_str::SmolStr;

use super::columns::Column;
use super::rows::{Cell, Fault, Row};
use crate::domain::Text;

/// The longest source, in characters.
const SOURCE_CHARS_MAX: usize = 128;
/// What to do about a cell that has rows in it.
pub(super) const NESTED: &str = "it is an array or an object: write the rows with plain values";

/// A cell's text; nothing of what is nested.
pub(super) fn text_of(cell: Option<&Cell>) -> Option<&str> {
    match cell? {
        Cell::Text(text) | Cell::Number(text) => Some(text),
        Cell::Bool(true) => Some("true"),
        Cell::Bool(false) => Some("false"),
        Cell::Nested => None,
    }
}

/// What a cell says, which has to say something.
pub(super) fn read<T>(
    row: &Row,
    column: &Column,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Fault> {
    let wrong = |sentence: String| Fault::of_column(row.line, &column.name, sentence);
    match row.cell(column.index) {
        Some(Cell::Nested) => Err(wrong(NESTED.to_owned())),
        cell => match text_of(cell).filter(|text| !text.is_empty()) {
            Some(text) => parse(text).map_err(wrong),
            None => Err(wrong(
                "it is empty: fill it in, or leave the row out with --where".to_owned(),
            )),
        },
    }
}

/// The source: what is empty, or has no column at all, is the empty text.
pub(super) fn source(row: &Row, column: Option<&Column>) -> Result<SmolStr, Fault> {
    optional(row, column, |text| match text.chars().count() {
        0..=SOURCE_CHARS_MAX => Ok(text.into()),
        chars => Err(format!("it has {chars} characters: at most {SOURCE_CHARS_MAX}")),
    })
}

/// The note, likewise.
pub(super) fn note(row: &Row, column: Option<&Column>) -> Result<SmolStr, Fault> {
    optional(row, column, |text| {
        Text::parse(text).map_err(|invalid| invalid.to_string())?;
        Ok(text.into())
    })
}

fn optional(
    row: &Row,
    column: Option<&Column>,
    parse: impl FnOnce(&str) -> Result<SmolStr, String>,
) -> Result<SmolStr, Fault> {
    match column {
        Some(column)
            if row
                .cell(column.index)
                .is_some_and(|cell| text_of(Some(cell)) != Some("")) =>
        {
            read(row, column, parse)
        }
        _ => Ok(SmolStr::default()),
    }
}
