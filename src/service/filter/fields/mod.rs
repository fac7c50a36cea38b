//! The fields of each list. What is absent here cannot be asked for; docs/filters.md has the same tables.

mod cycles;
mod kpis;
mod objectives;
mod workspaces;

use super::condition::{Field, Read};
use super::words::Word;
use super::{Entry, Listed};

impl<R: Listed> Field<R> {
    const fn new(name: &'static str, read: Read<R>) -> Self {
        Self { name, read }
    }
}

/// A value of an enum, if there is one, as a filter writes it.
fn word<W: Word>(value: Option<W>) -> Option<&'static str> {
    value.map(Word::word)
}
