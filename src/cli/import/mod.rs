//! `binnacle import`: what a person or a cron job has in files comes into a workspace, safely and as often as they like.
//!
//! Of KPIs (`kpi`): files become rows (`rows`), rows become readings (`mapping`) of numbers and texts as they are written
//! (`written`, `numerals`, `when`), the readings of all files come together (`gather`), and once the server has named its
//! KPIs they become measurements in the KPIs' units (`settle`, `value_unit`). Only when all of them are good, or what is
//! bad may be skipped, anything is sent (`batch`, `send`). Running it again records nothing that is known already.

use std::io::Read;
use std::path::Path;

use clap::{Args, Subcommand};

use self::kpi::ImportKpi;
use super::board::ImportBoard;
use super::{Failure, FailureKind, connection};
use crate::domain::Id;

mod batch;
mod cells;
mod columns;
pub(super) mod creation;
mod gather;
mod kpi;
mod mapping;
mod naming;
mod notation;
mod numerals;
mod per_kpi;
pub(super) mod report;
mod rows;
mod send;
mod settle;
mod value_unit;
mod wanted;
mod when;
mod written;

/// Brings data from files into a workspace.
#[derive(Debug, Args)]
pub(super) struct Import {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Records the measurements that CSV, JSON or NDJSON files hold; what is known already stays as it is
    Kpi(Box<ImportKpi>),
    /// Makes drafts of the objectives that Markdown boards hold; what is there already stays as it is
    Board(ImportBoard),
}

impl Import {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.what {
            What::Kpi(import) => import.run(),
            What::Board(import) => import.run(),
        }
    }
}

/// A file, or standard input.
pub(super) fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let bytes = if file == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(Path::new(file))
    };
    bytes.map_err(|error| Failure::new(FailureKind::Usage, format!("{file}: it cannot be read: {error}")))
}

/// An id on the command line.
pub(super) fn id(text: &str) -> Result<Id, String> {
    Id::parse(text).map_err(|invalid| invalid.to_string())
}

/// A workspace's id, with or without its collection.
pub(super) fn workspace(text: &str) -> Result<Id, String> {
    id(text.strip_prefix("workspaces/").unwrap_or(text))
}
