//! A row becomes a measurement: which column means what, and what each text has to look like.
//!
//! Invariant: a measurement that leaves here has values that the domain has parsed. It deliberately does not know
//! other rows (`gather`), the server, or a clock: what is too far ahead is told.

use std::str::FromStr;

use jiff::civil::Date;
use smol_str::SmolStr;

use super::columns::{Column, Finder};
use super::rows::{Cell, Fault, Row, Table};
use crate::domain::{Effective, Id, NewMeasurement, Text, Timestamp, Title, Value};

/// Which columns a person named; what is absent is found by its usual name.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// When it was true.
    pub(super) time: Option<String>,
    /// The value.
    pub(super) value: Option<String>,
    /// The KPI of every row.
    pub(super) kpi: Option<Id>,
    /// The columns that name the KPI; not with `kpi`.
    pub(super) kpi_columns: Vec<String>,
    /// Tells two values of one moment apart.
    pub(super) source: Option<String>,
    /// For the auditor.
    pub(super) note: Option<String>,
    /// Only rows in which every one of these columns has this text.
    pub(super) only: Vec<(String, String)>,
}

/// The latest that a row may be true. Refused here it is refused before anything is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Horizon {
    /// The latest moment.
    pub(super) moment: Timestamp,
    /// The latest local date anywhere on Earth.
    pub(super) date: Date,
}

/// The columns of one file by their index.
#[derive(Debug)]
pub(super) struct Mapping {
    time: Column,
    value: Column,
    kpi: KpiFrom,
    source: Option<Column>,
    note: Option<Column>,
    only: Vec<(Column, String)>,
    horizon: Horizon,
    /// What was chosen by its usual name: `time from "date"`.
    pub(super) by_default: Vec<String>,
}

/// One row's measurement.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mapped {
    /// What the row names as its KPI.
    pub(super) kpi: KpiName,
    /// What to record.
    pub(super) measurement: NewMeasurement,
}

/// A KPI as a row names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KpiName {
    /// What it would be called if it has to be created.
    pub(super) title: Title,
    /// The texts without their case: two rows with the same mean the same KPI.
    pub(super) folded: Vec<String>,
}

#[derive(Debug)]
enum KpiFrom {
    Fixed(Id),
    Columns(Vec<Column>),
}

const TIME_NAMES: &[&str] = &["time", "date", "timestamp"];
/// The longest source, in characters.
const SOURCE_CHARS_MAX: usize = 128;

impl Mapping {
    /// Finds the columns in a file.
    ///
    /// # Errors
    /// A column is missing, is there twice, or could be one of several.
    pub(super) fn resolve(wanted: &Wanted, table: &Table, horizon: Horizon) -> Result<Self, Vec<Fault>> {
        let mut finder = Finder::new(&table.columns);
        let time = finder.required("time", "--time", wanted.time.as_deref(), TIME_NAMES);
        let value = finder.required("value", "--value", wanted.value.as_deref(), &["value"]);
        let kpi = match &wanted.kpi {
            Some(id) => Some(KpiFrom::Fixed(id.clone())),
            None if wanted.kpi_columns.is_empty() => finder
                .required("KPI", "--kpi-column (or --kpi ID for all rows)", None, &["kpi"])
                .map(|column| KpiFrom::Columns(vec![column])),
            None => {
                let columns = wanted.kpi_columns.iter().filter_map(|name| finder.named(name));
                Some(KpiFrom::Columns(columns.collect()))
            }
        };
        let source = match &wanted.source {
            Some(name) => finder.named(name),
            None => finder.usual("source", &["source"]),
        };
        let note = wanted.note.as_ref().and_then(|name| finder.named(name));
        let only = wanted.only.iter();
        let only = only.filter_map(|(name, text)| finder.named(name).map(|column| (column, text.clone())));
        let only = only.collect();
        match (time, value, kpi) {
            (Some(time), Some(value), Some(kpi)) if finder.faults.is_empty() => Ok(Self {
                time,
                value,
                kpi,
                source,
                note,
                only,
                horizon,
                by_default: finder.by_default,
            }),
            _ => Err(finder.faults),
        }
    }

    /// Whether a row is one of those that are wanted.
    pub(super) fn takes(&self, row: &Row) -> bool {
        self.only
            .iter()
            .all(|(column, text)| text_of(row.cell(column.index)).unwrap_or_default() == text)
    }

    /// A row as a measurement.
    ///
    /// # Errors
    /// Each column that is wrong, with what to do.
    pub(super) fn measurement(&self, row: &Row) -> Result<Mapped, Vec<Fault>> {
        let mut faults = Vec::new();
        let kpi = keep(&mut faults, self.kpi(row));
        let effective = keep(
            &mut faults,
            read(row, &self.time, |text| effective(text, self.horizon)),
        );
        let value = keep(&mut faults, read(row, &self.value, value));
        let source = keep(&mut faults, read_optional(row, self.source.as_ref(), source));
        let note = keep(&mut faults, read_optional(row, self.note.as_ref(), note));
        match (kpi, effective, value, source, note) {
            (Some((id, kpi)), Some(effective), Some(value), Some(source_id), Some(note)) => Ok(Mapped {
                kpi,
                measurement: NewMeasurement {
                    kpi: id,
                    effective,
                    value,
                    source_id,
                    note,
                },
            }),
            _ => Err(faults),
        }
    }

    fn kpi(&self, row: &Row) -> Result<(Id, KpiName), Fault> {
        let columns = match &self.kpi {
            KpiFrom::Fixed(id) => {
                let folded = vec![id.to_string()];
                let title = title(id.as_str()).map_err(|sentence| Fault::of_line(row.line, sentence))?;
                return Ok((id.clone(), KpiName { title, folded }));
            }
            KpiFrom::Columns(columns) => columns,
        };
        let mut texts = Vec::with_capacity(columns.len());
        for column in columns {
            texts.push(read(row, column, |text| Ok(text.to_owned()))?);
        }
        let blame = columns.first().map_or("", |column| &column.name);
        let joined = texts.join("-");
        let id = Id::from_text(&joined).ok_or_else(|| {
            let sentence =
                format!("{joined:?} has no letter from a to z to make an id of: name the KPI with --kpi");
            Fault::of_column(row.line, blame, sentence)
        })?;
        let title =
            title(&texts.join(" ")).map_err(|sentence| Fault::of_column(row.line, blame, sentence))?;
        let folded = texts.iter().map(|text| text.to_lowercase()).collect();
        Ok((id, KpiName { title, folded }))
    }
}

fn keep<T>(faults: &mut Vec<Fault>, read: Result<T, Fault>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

/// What a filter compares with; nothing of what is nested.
fn text_of(cell: Option<&Cell>) -> Option<&str> {
    match cell? {
        Cell::Text(text) | Cell::Number(text) => Some(text),
        Cell::Bool(true) => Some("true"),
        Cell::Bool(false) => Some("false"),
        Cell::Nested => None,
    }
}

fn read<T>(row: &Row, column: &Column, parse: impl FnOnce(&str) -> Result<T, String>) -> Result<T, Fault> {
    let wrong = |sentence: String| Fault::of_column(row.line, &column.name, sentence);
    match row.cell(column.index) {
        Some(Cell::Nested) => Err(wrong(
            "it is an array or an object: write the rows with plain values".to_owned(),
        )),
        cell => match text_of(cell).filter(|text| !text.is_empty()) {
            Some(text) => parse(text).map_err(wrong),
            None => Err(wrong(
                "it is empty: fill it in, or leave the row out with --where".to_owned(),
            )),
        },
    }
}

/// What is empty, or has no column at all, is the empty text.
fn read_optional(
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

fn effective(text: &str, horizon: Horizon) -> Result<Effective, String> {
    let ahead =
        || format!("{text} has not come yet by this machine's clock: measurements are of what has happened");
    let refused = |why: &str| format!("{text:?} {why}");
    if is_date(text) {
        let date = Date::from_str(text).map_err(|_| refused("is not in the calendar: correct the date"))?;
        return match date {
            _ if date.year() < 1 => Err(refused("is before the year 1: correct the date")),
            _ if date > horizon.date => Err(ahead()),
            _ => Ok(Effective::On(date)),
        };
    }
    let moment = jiff::Timestamp::from_str(text).map_err(|_| {
        let has_no_offset = jiff::civil::DateTime::from_str(text).is_ok();
        refused(if has_no_offset {
            "has no offset from UTC: end it with Z or for example +02:00"
        } else {
            "is no time: write 2026-01-31 for a day or 2026-01-31T09:30:00Z for a moment"
        })
    })?;
    // The log keeps microseconds; what is finer is cut towards the past.
    let micros = moment.as_nanosecond().div_euclid(1_000);
    let micros = i64::try_from(micros).map_err(|_| refused("is out of bounds: correct the time"))?;
    let moment = Timestamp::from_micros(micros);
    match moment {
        _ if micros < YEAR_1_MICROS => Err(refused("is before the year 1: correct the time")),
        _ if moment > horizon.moment => Err(ahead()),
        _ => Ok(Effective::At(moment)),
    }
}

/// 0001-01-01T00:00:00Z, the earliest that the API can say.
const YEAR_1_MICROS: i64 = -62_135_596_800_000_000;

fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

fn value(text: &str) -> Result<Value, String> {
    let number = f64::from_str(text).ok().filter(|number| {
        // Rust reads "inf" and "nan" too; digits that overflow are told what the bound is.
        !number.is_nan() && text.bytes().any(|byte| byte.is_ascii_digit())
    });
    match number {
        Some(number) if number.is_infinite() => {
            Err(format!("{text} is out of bounds: at most 1e15 either way"))
        }
        Some(number) => Value::parse(number).map_err(|invalid| invalid.to_string()),
        None => Err(format!(
            "{text:?} is not a number: write it as 1234.5, without a unit or separators of thousands"
        )),
    }
}

fn source(text: &str) -> Result<SmolStr, String> {
    match text.chars().count() {
        0..=SOURCE_CHARS_MAX => Ok(text.into()),
        chars => Err(format!("it has {chars} characters: at most {SOURCE_CHARS_MAX}")),
    }
}

fn note(text: &str) -> Result<SmolStr, String> {
    Text::parse(text).map_err(|invalid| invalid.to_string())?;
    Ok(text.into())
}

fn title(text: &str) -> Result<Title, String> {
    Title::parse(text).map_err(|invalid| format!("the KPI's title would be {text:?}: {invalid}"))
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
