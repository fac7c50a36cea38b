//! The rows of all files together: their readings, which KPIs they are about, and what is wrong by file and line.
//!
//! Invariant: each reading knows where it stands, and nothing that was read is dropped unless it is counted. Pure: it
//! deliberately does not know the server, nor what values mean (`settle`).

use std::collections::{BTreeMap, BTreeSet};

use super::mapping::{Mapping, Reading};
use super::naming::KpiName;
use super::notation::Conventions;
use super::rows::{Fault, Table};
use super::wanted::Wanted;
use crate::domain::Id;

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// The file, in the order of the command line.
    pub(super) file: usize,
    /// Its line.
    pub(super) line: u64,
    /// The column by its index; none: the row as a whole.
    pub(super) column: Option<usize>,
}

/// What all files hold.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    files: Vec<File>,
    /// The readings with their places.
    pub(super) readings: Vec<(Place, Reading)>,
    /// The KPIs, each with the first place that names it.
    pub(super) kpis: BTreeMap<Id, (Place, KpiName)>,
    /// The columns that were chosen by their usual names, a sentence a file.
    pub(super) by_default: Vec<String>,
    /// Rows that were wanted.
    pub(super) rows_read: usize,
    /// Rows that `--where` left out.
    pub(super) rows_left_out: usize,
    /// Values that are empty or missing, and left out as told.
    pub(super) blanks: usize,
    /// A file cannot be trusted as a whole.
    pub(super) is_spoilt: bool,
    faults: Vec<(Place, Fault)>,
    bad: BTreeSet<Place>,
}

/// A file as places need it.
#[derive(Debug)]
struct File {
    name: String,
    columns: Vec<String>,
    /// A line has several values: then a place needs its column.
    is_wide: bool,
}

impl Gathered {
    /// Adds a file.
    pub(super) fn add(&mut self, name: &str, table: &Table, wanted: &Wanted, conventions: &Conventions) {
        let file = self.files.len();
        self.files.push(File {
            name: name.to_owned(),
            columns: table.columns.clone(),
            is_wide: false,
        });
        for fault in &table.faults {
            self.fault(file, fault.clone());
        }
        if table.columns.is_empty() {
            // Either no row at all, or nothing that could be read: then that has been said.
            return;
        }
        let mapping = match Mapping::resolve(wanted, table, conventions) {
            Ok(mapping) => mapping,
            Err(faults) => {
                for fault in faults {
                    self.fault(file, fault.spoiling());
                }
                return;
            }
        };
        if let Some(file) = self.files.last_mut() {
            file.is_wide = mapping.is_wide();
        }
        if !mapping.by_default.is_empty() {
            self.by_default
                .push(format!("{name}: {}", mapping.by_default.join(", ")));
        }
        for row in &table.rows {
            if !mapping.takes(row) {
                self.rows_left_out += 1;
                continue;
            }
            self.rows_read += 1;
            let cells = match mapping.readings(row) {
                Ok(cells) => cells,
                Err(faults) => {
                    faults.into_iter().for_each(|fault| self.fault(file, fault));
                    continue;
                }
            };
            for (column, read) in cells {
                let place = Place {
                    file,
                    line: row.line,
                    column: Some(column),
                };
                match read {
                    Ok(Some(reading)) => self.reading(place, reading),
                    Ok(None) => self.blanks += 1,
                    Err(fault) => self.fault_at(place, fault),
                }
            }
        }
    }

    /// What is wrong, by file and line: `FILE:LINE: column "x": what is wrong: what to do`.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort_by_key(|(place, _)| *place);
        faults
            .into_iter()
            .map(|(place, fault)| format!("{}:{fault}", self.files[place.file].name))
            .collect()
    }

    /// How many lines have a fault.
    pub(super) fn bad_lines(&self) -> usize {
        let lines = self.faults.iter().map(|(place, _)| (place.file, place.line));
        lines.collect::<BTreeSet<_>>().len()
    }

    /// How many rows or values are no good.
    pub(super) fn bad_count(&self) -> usize {
        self.bad.len()
    }

    /// Adds what is wrong with a value, as somebody else judges it.
    pub(super) fn refuse_value(&mut self, place: Place, sentence: impl Into<String>) {
        let fault = match self.column(place) {
            Some(column) => Fault::of_column(place.line, column, sentence),
            None => Fault::of_line(place.line, sentence),
        };
        self.fault_at(place, fault);
    }

    /// Adds what is wrong with what a value is about; its column is named where a line has several.
    pub(super) fn refuse(&mut self, place: Place, sentence: impl Into<String>) {
        if self.files[place.file].is_wide {
            return self.refuse_value(place, sentence);
        }
        self.fault_at(place, Fault::of_line(place.line, sentence));
    }

    /// Leaves a value out for a reason that is said at another place.
    pub(super) fn leave_out(&mut self, place: Place) {
        self.bad.insert(place);
    }

    /// A place as text.
    pub(super) fn at(&self, place: Place) -> String {
        let file = &self.files[place.file];
        match self.column(place).filter(|_| file.is_wide) {
            Some(column) => format!("{}:{} (column {column:?})", file.name, place.line),
            None => format!("{}:{}", file.name, place.line),
        }
    }

    /// Whether a row has several values somewhere.
    pub(super) fn is_wide(&self) -> bool {
        self.files.iter().any(|file| file.is_wide)
    }

    fn column(&self, place: Place) -> Option<&String> {
        self.files[place.file].columns.get(place.column?)
    }

    fn fault(&mut self, file: usize, fault: Fault) {
        let place = Place {
            file,
            line: fault.line,
            column: None,
        };
        self.fault_at(place, fault);
    }

    fn fault_at(&mut self, place: Place, fault: Fault) {
        self.is_spoilt |= fault.spoils_file;
        self.bad.insert(place);
        self.faults.push((place, fault));
    }

    fn reading(&mut self, place: Place, reading: Reading) {
        let Reading { kpi, name, .. } = &reading;
        let (first, known) = self
            .kpis
            .entry(kpi.clone())
            .or_insert_with(|| (place, name.clone()));
        if known.folded != name.folded {
            let (other, first) = (known.title.as_str().to_owned(), *first);
            let sentence = format!(
                "{:?} and {other:?} ({}) would both be kpis/{kpi}: rename one, or say that they are one with --rename",
                name.title.as_str(),
                self.at(first)
            );
            return self.refuse(place, sentence);
        }
        self.readings.push((place, reading));
    }
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
