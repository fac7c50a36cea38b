//! How values and dates are written in the files, as it was told.
//!
//! It deliberately does not know which columns they stand in (`mapping`).

use clap::Args;

use super::cells::{NESTED, text_of};
use super::columns::Column;
use super::numerals::{DecimalMark, Numerals, Separator};
use super::per_kpi::{Choice, PerKpi, choice};
use super::rows::{Cell, Fault, Row};
use super::value_unit::ValueUnit;
use super::when::{DateFormat, Horizon};
use super::written::Written;

/// How values and dates are written.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "How values and dates are written")]
pub(super) struct Notation {
    /// The mark before the decimals [default: point]
    #[arg(long, value_enum, value_name = "MARK")]
    decimal: Option<DecimalMark>,
    /// What separates thousands [default: nothing; with --decimal comma points, spaces or apostrophes]
    #[arg(long, value_enum, value_name = "MARK")]
    thousands: Option<Separator>,
    /// How dates are written, of YYYY, YY, MM, MMM (Jan), MMMM (January), DD, Q (Q1) and W (W05), or of strptime's
    /// directives: DD.MM.YYYY, MM/DD/YYYY, YYYY-MM, "MMM YYYY", YYYY-Q, "%d.%m.%Y %H:%M %z". A month, a quarter of the
    /// calendar year, a week or a year is recorded on its first day [default: YYYY-MM-DD, or an RFC 3339 time]
    #[arg(long, value_parser = DateFormat::parse, value_name = "FORMAT")]
    date_format: Option<DateFormat>,
    /// What the values are in that do not say so themselves, for all KPIs or as ID=… for one: ms, s, min, h, d, week,
    /// percent, fraction (0.942 is 94.2 %), currency:EUR, thousand, million, billion, and of a scale label or index
    /// [default: what the KPI is measured in]
    #[arg(long, value_parser = value_unit, value_name = "[ID=]UNIT")]
    value_unit: Vec<Choice<ValueUnit>>,
    /// Leaves out values that are exactly this text, which means that there is none; can be given several times
    #[arg(long, allow_hyphen_values = true, value_name = "TEXT")]
    missing: Vec<String>,
    /// Leaves out empty values
    #[arg(long)]
    skip_empty: bool,
}

/// The conventions of the files.
#[derive(Debug)]
pub(super) struct Conventions {
    /// How numbers are written.
    pub(super) numerals: Numerals,
    /// How dates are written.
    pub(super) date_format: Option<DateFormat>,
    /// What is too far ahead.
    pub(super) horizon: Horizon,
    missing: Vec<String>,
    skips_empty: bool,
}

impl Notation {
    /// # Errors
    /// One flag contradicts another.
    pub(super) fn conventions(&self, horizon: Horizon) -> Result<Conventions, String> {
        Ok(Conventions {
            numerals: Numerals::told(self.decimal.unwrap_or_default(), self.thousands)?,
            date_format: self.date_format.clone(),
            horizon,
            missing: self.missing.iter().map(|text| text.trim().to_owned()).collect(),
            skips_empty: self.skip_empty,
        })
    }

    /// What the values of KPIs are in.
    ///
    /// # Errors
    /// Something is said twice.
    pub(super) fn value_units(&self) -> Result<PerKpi<ValueUnit>, String> {
        PerKpi::new("--value-unit", &self.value_unit)
    }
}

impl Conventions {
    /// A row's value under a column; none: it is left out, as told.
    ///
    /// # Errors
    /// There is none, and nobody told what that means.
    pub(super) fn written(&self, row: &Row, column: &Column) -> Result<Option<Written>, Fault> {
        let wrong = |sentence: &str| Fault::of_column(row.line, &column.name, sentence);
        let cell = row.cell(column.index);
        match text_of(cell).unwrap_or_default() {
            "" if cell == Some(&Cell::Nested) => Err(wrong(NESTED)),
            text if self.missing.iter().any(|missing| missing == text) => Ok(None),
            "" if self.skips_empty => Ok(None),
            "" => Err(wrong(
                "it is empty: fill it in, or leave empty values out with --skip-empty",
            )),
            _ => Ok(cell.and_then(|cell| Written::of_cell(cell, self.numerals))),
        }
    }
}

fn value_unit(text: &str) -> Result<Choice<ValueUnit>, String> {
    choice(text, str::parse)
}
