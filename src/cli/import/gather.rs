//! The rows of all files together: what is the same twice, what contradicts itself, which KPIs they are about.
//!
//! Invariant: no two of the gathered measurements have the same KPI, time and source, and each knows the rows it came
//! from. Pure: it deliberately does not know the server.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use smol_str::SmolStr;

use super::mapping::{Horizon, KpiName, Mapped, Mapping, Wanted};
use super::rows::{Fault, Table};
use crate::domain::{Effective, Id, NewMeasurement, Timestamp};

/// A row's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    /// The file, in the order of the command line.
    pub(super) file: usize,
    /// Its line.
    pub(super) line: u64,
}

/// What all files hold.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The files' names, for places.
    pub(super) files: Vec<String>,
    /// The measurements with their places.
    pub(super) measurements: Vec<(Place, NewMeasurement)>,
    /// The KPIs, each with the first row that names it.
    pub(super) kpis: BTreeMap<Id, (Place, KpiName)>,
    /// The columns that were chosen by their usual names, a sentence a file.
    pub(super) by_default: Vec<String>,
    /// Rows that were wanted.
    pub(super) rows_read: usize,
    /// Rows that `--where` left out.
    pub(super) rows_left_out: usize,
    /// Rows that repeat another one.
    pub(super) duplicates: usize,
    faults: Vec<(Place, Fault)>,
    identities: HashMap<(Id, Moment, SmolStr), usize>,
}

/// `Effective` as part of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Moment {
    Now,
    At(Timestamp),
    On(Date),
}

impl Gathered {
    /// Adds a file.
    pub(super) fn add(&mut self, name: &str, table: &Table, wanted: &Wanted, horizon: Horizon) {
        let file = self.files.len();
        self.files.push(name.to_owned());
        for fault in &table.faults {
            self.fault(file, fault.clone());
        }
        if table.columns.is_empty() {
            // Either no row at all, or nothing that could be read: then that has been said.
            return;
        }
        let mapping = match Mapping::resolve(wanted, table, horizon) {
            Ok(mapping) => mapping,
            Err(faults) => {
                for fault in faults {
                    self.fault(file, fault);
                }
                return;
            }
        };
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
            match mapping.measurement(row) {
                Ok(mapped) => self.measurement(Place { file, line: row.line }, mapped),
                Err(faults) => faults.into_iter().for_each(|fault| self.fault(file, fault)),
            }
        }
    }

    /// What is wrong, by file and line: `FILE:LINE: column "x": what is wrong: what to do`.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort_by_key(|(place, _)| *place);
        faults
            .into_iter()
            .map(|(place, fault)| format!("{}:{fault}", self.files[place.file]))
            .collect()
    }

    /// How many lines have a fault.
    pub(super) fn bad_lines(&self) -> usize {
        self.faults
            .iter()
            .map(|(place, _)| place)
            .collect::<BTreeSet<_>>()
            .len()
    }

    /// Adds what is wrong with a measurement as somebody else judges it.
    pub(super) fn refuse(&mut self, place: Place, sentence: String) {
        self.fault(place.file, Fault::of_line(place.line, sentence));
    }

    /// A place as text.
    pub(super) fn at(&self, place: Place) -> String {
        format!("{}:{}", self.files[place.file], place.line)
    }

    fn fault(&mut self, file: usize, fault: Fault) {
        self.faults.push((
            Place {
                file,
                line: fault.line,
            },
            fault,
        ));
    }

    fn measurement(&mut self, place: Place, mapped: Mapped) {
        let Mapped { kpi, measurement } = mapped;
        let id = measurement.kpi.clone();
        let (first, name) = self
            .kpis
            .entry(id.clone())
            .or_insert_with(|| (place, kpi.clone()));
        if name.folded != kpi.folded {
            let (other, first) = (name.title.as_str().to_owned(), *first);
            let sentence = format!(
                "{:?} and {other:?} ({}) would both be kpis/{id}: rename one, or import them apart with --where and --kpi",
                kpi.title.as_str(),
                self.at(first)
            );
            return self.refuse(place, sentence);
        }
        let moment = Moment::of(measurement.effective);
        let identity = (id, moment, measurement.source_id.clone());
        match self.identities.entry(identity) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.measurements.len());
                self.measurements.push((place, measurement));
            }
            Entry::Occupied(first) => {
                let (first, before) = &self.measurements[*first.get()];
                if before.value == measurement.value {
                    self.duplicates += 1;
                    return;
                }
                let sentence = format!(
                    "its value is {} and in {} {} for the same KPI, time and source: keep one, or tell them apart with --source-column",
                    measurement.value.get(),
                    self.at(*first),
                    before.value.get()
                );
                self.refuse(place, sentence);
            }
        }
    }
}

impl Moment {
    fn of(effective: Effective) -> Self {
        match effective {
            Effective::Now => Self::Now,
            Effective::At(moment) => Self::At(moment),
            Effective::On(date) => Self::On(date),
        }
    }
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
