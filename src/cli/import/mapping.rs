//! A row becomes readings: which column means what, in a table with a row a measurement, a column a KPI or a column a
//! date.
//!
//! Invariant: a reading that leaves here has an id, a time, a source and a note that the domain has parsed; its value is
//! not, because what that means depends on the KPI's unit (`settle`). It deliberately does not know other rows
//! (`gather`) or the server.

use std::collections::BTreeMap;

use smol_str::SmolStr;

use super::cells::{self, read, text_of};
use super::columns::{Column, Finder};
use super::naming::{KpiFrom, KpiName, named};
use super::notation::Conventions;
use super::rows::{Fault, Row, Table};
use super::wanted::{Layout, Wanted};
use super::when;
use super::written::Written;
use crate::domain::{Effective, Id};

/// The columns of one file by their index.
#[derive(Debug)]
pub(super) struct Mapping<'a> {
    shape: Shape,
    source: Option<Column>,
    note: Option<Column>,
    only: Vec<(Column, String)>,
    renamed: &'a [(String, Id)],
    conventions: &'a Conventions,
    /// What was chosen by its usual name: `time from "date"`.
    pub(super) by_default: Vec<String>,
}

/// What a file says about a KPI at a time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// The KPI.
    pub(super) kpi: Id,
    /// How the file names it.
    pub(super) name: KpiName,
    /// When it was true.
    pub(super) effective: Effective,
    /// The value as it is written.
    pub(super) written: Written,
    /// Tells two values of one moment apart.
    pub(super) source_id: SmolStr,
    /// For the auditor.
    pub(super) note: SmolStr,
}

/// What stands in one cell, by the column's index: a reading, or none where it is left out as told.
pub(super) type Found = (usize, Result<Option<Reading>, Fault>);

#[derive(Debug)]
enum Shape {
    Rows {
        time: Column,
        value: Column,
        kpi: KpiFrom,
    },
    KpiColumns {
        time: Column,
        kpis: Vec<(Column, Id, KpiName)>,
    },
    DateColumns {
        kpi: KpiFrom,
        dates: Vec<(Column, Effective)>,
    },
}

/// What all values of a row share.
struct Beside {
    source_id: SmolStr,
    note: SmolStr,
}

const TIME_NAMES: &[&str] = &["time", "date", "timestamp"];

impl<'a> Mapping<'a> {
    /// Finds the columns in a file.
    ///
    /// # Errors
    /// A column is missing, is there twice, could be one of several, or is neither a KPI nor a date where it has to be.
    pub(super) fn resolve(
        wanted: &'a Wanted,
        table: &Table,
        conventions: &'a Conventions,
    ) -> Result<Self, Vec<Fault>> {
        let mut finder = Finder::new(&table.columns);
        let layout = wanted.layout.unwrap_or_default();
        let time = match layout {
            Layout::DateColumns => None,
            _ => finder.required("time", "--time", wanted.time.as_deref(), TIME_NAMES),
        };
        let value = match layout {
            Layout::Rows => finder.required("value", "--value", wanted.value.as_deref(), &["value"]),
            _ => None,
        };
        let kpi = match layout {
            Layout::KpiColumns => None,
            _ => KpiFrom::find(wanted, &mut finder),
        };
        let source = match &wanted.source {
            Some(name) => finder.named(name),
            None => finder.usual("source", &["source"]),
        };
        let note = wanted.note.as_ref().and_then(|name| finder.named(name));
        let only = wanted.only.iter();
        let only = only.filter_map(|(name, text)| finder.named(name).map(|column| (column, text.clone())));
        let only: Vec<(Column, String)> = only.collect();
        let taken: Vec<usize> = [&time, &value, &source, &note]
            .into_iter()
            .flatten()
            .chain(kpi.iter().flat_map(KpiFrom::columns))
            .chain(only.iter().map(|(column, _)| column))
            .map(|column| column.index)
            .collect();
        let shape = match (layout, time, value, kpi) {
            (Layout::Rows, Some(time), Some(value), Some(kpi)) => Some(Shape::Rows { time, value, kpi }),
            (Layout::KpiColumns, Some(time), _, _) => {
                let kpis = kpi_columns(&mut finder, wanted, &taken);
                Some(Shape::KpiColumns { time, kpis })
            }
            (Layout::DateColumns, _, _, Some(kpi)) => {
                let dates = date_columns(&mut finder, wanted, &taken, conventions);
                Some(Shape::DateColumns { kpi, dates })
            }
            _ => None,
        };
        match shape {
            Some(shape) if finder.faults.is_empty() => Ok(Self {
                shape,
                source,
                note,
                only,
                renamed: &wanted.renamed,
                conventions,
                by_default: finder.by_default,
            }),
            _ => Err(finder.faults),
        }
    }

    /// Whether a row has several values.
    pub(super) fn is_wide(&self) -> bool {
        !matches!(self.shape, Shape::Rows { .. })
    }

    /// Whether a row is one of those that are wanted.
    pub(super) fn takes(&self, row: &Row) -> bool {
        self.only
            .iter()
            .all(|(column, text)| text_of(row.cell(column.index)).unwrap_or_default() == text)
    }

    /// What a row says, cell by cell.
    ///
    /// # Errors
    /// What is wrong with the row as a whole, each column that is with what to do.
    pub(super) fn readings(&self, row: &Row) -> Result<Vec<Found>, Vec<Fault>> {
        match &self.shape {
            Shape::Rows { time, value, kpi } => self.one(row, time, value, kpi),
            Shape::KpiColumns { time, kpis } => self.of_kpis(row, time, kpis),
            Shape::DateColumns { kpi, dates } => self.of_dates(row, kpi, dates),
        }
    }

    fn one(&self, row: &Row, time: &Column, value: &Column, kpi: &KpiFrom) -> Result<Vec<Found>, Vec<Fault>> {
        let mut faults = Vec::new();
        let kpi = keep(&mut faults, kpi.kpi(row, self.renamed));
        let effective = keep(&mut faults, self.effective(row, time));
        let written = keep(&mut faults, self.conventions.written(row, value));
        let beside = self.beside(row, &mut faults);
        let (Some((id, name)), Some(effective), Some(written), Some(beside)) =
            (kpi, effective, written, beside)
        else {
            return Err(faults);
        };
        let Some(written) = written else {
            return Ok(vec![(value.index, Ok(None))]);
        };
        self.not_ahead(row, time, effective)
            .map_err(|fault| vec![fault])?;
        let reading = beside.reading(&id, &name, effective, written);
        Ok(vec![(value.index, Ok(Some(reading)))])
    }

    fn of_kpis(
        &self,
        row: &Row,
        time: &Column,
        kpis: &[(Column, Id, KpiName)],
    ) -> Result<Vec<Found>, Vec<Fault>> {
        let mut faults = Vec::new();
        let effective = keep(&mut faults, self.effective(row, time));
        let beside = self.beside(row, &mut faults);
        let (Some(effective), Some(beside)) = (effective, beside) else {
            return Err(faults);
        };
        let mut found = Vec::with_capacity(kpis.len());
        for (column, id, name) in kpis {
            let read = self.conventions.written(row, column);
            let read =
                read.map(|written| written.map(|written| beside.reading(id, name, effective, written)));
            found.push((column.index, read));
        }
        // A plan's rows may be ahead as long as nothing is claimed.
        if found.iter().any(|(_, read)| matches!(read, Ok(Some(_)))) {
            self.not_ahead(row, time, effective)
                .map_err(|fault| vec![fault])?;
        }
        Ok(found)
    }

    fn of_dates(
        &self,
        row: &Row,
        kpi: &KpiFrom,
        dates: &[(Column, Effective)],
    ) -> Result<Vec<Found>, Vec<Fault>> {
        let mut faults = Vec::new();
        let kpi = keep(&mut faults, kpi.kpi(row, self.renamed));
        let beside = self.beside(row, &mut faults);
        let (Some((id, name)), Some(beside)) = (kpi, beside) else {
            return Err(faults);
        };
        let cell = |(column, effective): &(Column, Effective)| {
            let read = self.conventions.written(row, column).and_then(|written| {
                let Some(written) = written else {
                    return Ok(None);
                };
                let horizon = self.conventions.horizon;
                horizon
                    .check(*effective, &column.name)
                    .map_err(|sentence| Fault::of_column(row.line, &column.name, sentence))?;
                Ok(Some(beside.reading(&id, &name, *effective, written)))
            });
            (column.index, read)
        };
        Ok(dates.iter().map(cell).collect())
    }

    fn effective(&self, row: &Row, time: &Column) -> Result<Effective, Fault> {
        read(row, time, |text| {
            when::read(text, self.conventions.date_format.as_ref())
        })
    }

    fn not_ahead(&self, row: &Row, time: &Column, effective: Effective) -> Result<(), Fault> {
        let text = text_of(row.cell(time.index)).unwrap_or_default();
        let checked = self.conventions.horizon.check(effective, text);
        checked.map_err(|sentence| Fault::of_column(row.line, &time.name, sentence))
    }

    fn beside(&self, row: &Row, faults: &mut Vec<Fault>) -> Option<Beside> {
        let source_id = keep(faults, cells::source(row, self.source.as_ref()));
        let note = keep(faults, cells::note(row, self.note.as_ref()));
        Some(Beside {
            source_id: source_id?,
            note: note?,
        })
    }
}

impl Beside {
    fn reading(&self, kpi: &Id, name: &KpiName, effective: Effective, written: Written) -> Reading {
        Reading {
            kpi: kpi.clone(),
            name: name.clone(),
            effective,
            written,
            source_id: self.source_id.clone(),
            note: self.note.clone(),
        }
    }
}

/// The columns that are KPIs, each with its id.
fn kpi_columns(finder: &mut Finder<'_>, wanted: &Wanted, taken: &[usize]) -> Vec<(Column, Id, KpiName)> {
    for (text, _) in &wanted.renamed {
        // A misspelt one would make its column another KPI.
        let _said_when_missing = finder.named(text);
    }
    let mut by_id: BTreeMap<Id, String> = BTreeMap::new();
    let mut kpis = Vec::new();
    for column in finder.wide("KPI", &wanted.columns, &wanted.ignored, taken) {
        let (id, name) = match named(std::slice::from_ref(&column.name), &wanted.renamed) {
            Ok(named) => named,
            Err(sentence) => {
                let sentence = format!(
                    "{sentence}, or leave the column out with --ignore {:?}",
                    column.name
                );
                finder.faults.push(Fault::of_column(1, &column.name, sentence));
                continue;
            }
        };
        if let Some(other) = by_id.insert(id.clone(), column.name.clone()) {
            let sentence = format!(
                "it and {other:?} would both be kpis/{id}: rename one, or leave it out with --ignore {:?}",
                column.name
            );
            finder.faults.push(Fault::of_column(1, &column.name, sentence));
            continue;
        }
        kpis.push((column, id, name));
    }
    kpis
}

/// The columns that are dates.
fn date_columns(
    finder: &mut Finder<'_>,
    wanted: &Wanted,
    taken: &[usize],
    conventions: &Conventions,
) -> Vec<(Column, Effective)> {
    let mut dates: Vec<(Column, Effective)> = Vec::new();
    for column in finder.wide("date", &wanted.columns, &wanted.ignored, taken) {
        let fault = match when::read(&column.name, conventions.date_format.as_ref()) {
            Ok(effective) => match dates.iter().find(|(_, other)| *other == effective) {
                None => {
                    dates.push((column, effective));
                    continue;
                }
                Some((other, _)) => format!("it and {:?} are the same date: rename one", other.name),
            },
            Err(sentence) => format!(
                "{sentence}; or leave the column out with --ignore {:?}",
                column.name
            ),
        };
        finder.faults.push(Fault::of_column(1, &column.name, fault));
    }
    dates
}

fn keep<T>(faults: &mut Vec<Fault>, read: Result<T, Fault>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
