//! Markdown boards: what a team writes on a whiteboard becomes drafts (`import`), and objectives become a board again
//! (`export`). The grammar is in docs/board.md.
//!
//! To read a board: Markdown becomes blocks (`outline`), blocks become drafts (`read`), a line is a `sentence` of tokens
//! (`token`) with a measure, quantities, dates and marks; drafts meet what the workspace knows (`facts`) and become
//! messages (`wanted`). The writer (`write`) reads every line that it writes: what would be read otherwise is put in
//! quotes or gets a mark.

use jiff::civil::Date;

pub(super) use self::export::Board;
pub(super) use self::import::ImportBoard;
pub(super) use self::quantity::{Noun, noun, scale};
use super::{Failure, FailureKind};
use crate::proto::google_type;

mod compare;
mod conversation;
mod draft;
mod escape;
mod export;
mod facts;
mod import;
mod initiative;
mod kind;
mod marks;
mod measure;
mod outline;
mod quantity;
mod read;
mod sentence;
mod standing;
mod todo;
mod token;
mod unit;
mod wanted;
mod when;
mod write;

#[cfg(test)]
mod tests;

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| {
        Failure::new(
            FailureKind::Failed,
            format!("the runtime cannot be started: {error}"),
        )
    })
}

/// A day that the API answered; none: it is not in the calendar.
fn date(date: Option<google_type::Date>) -> Option<Date> {
    let date = date?;
    let year = i16::try_from(date.year).ok()?;
    let (month, day) = (i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
    Date::new(year, month, day).ok()
}
