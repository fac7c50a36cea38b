//! Which columns a person named, and how they said the tables are laid out.
//!
//! It deliberately does not know a file's columns (`mapping`).

use clap::{Args, ValueEnum};

use super::id;
use crate::domain::Id;

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Layout {
    /// One row a measurement: date,kpi,value
    #[default]
    Rows,
    /// One row a date and one column a KPI: date,nps,revenue
    KpiColumns,
    /// One row a KPI and one column a date: kpi,2026-01-31,2026-02-28
    DateColumns,
}

/// Which columns a person named; what is absent is found by its usual name.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Columns")]
pub(super) struct Wanted {
    /// How the tables are laid out [default: rows]
    #[arg(long, value_enum, value_name = "LAYOUT")]
    pub(super) layout: Option<Layout>,
    /// When it was true: a day or an RFC 3339 time, see --date-format [default: time, date or timestamp]
    #[arg(long, value_name = "COLUMN")]
    pub(super) time: Option<String>,
    /// The value [default: value]
    #[arg(long, value_name = "COLUMN")]
    pub(super) value: Option<String>,
    /// The KPI of all rows
    #[arg(long, value_parser = id, value_name = "ID", conflicts_with = "kpi_columns")]
    pub(super) kpi: Option<Id>,
    /// The KPI's name; several columns are joined with "-" [default: kpi]
    #[arg(long = "kpi-column", value_name = "COLUMN")]
    pub(super) kpi_columns: Vec<String>,
    /// A KPI or a date of a wide table; can be given several times [default: all columns that are nothing else]
    #[arg(long = "column", value_name = "COLUMN", conflicts_with = "ignored")]
    pub(super) columns: Vec<String>,
    /// A column of a wide table that is none of them; can be given several times
    #[arg(long = "ignore", value_name = "COLUMN")]
    pub(super) ignored: Vec<String>,
    /// The KPI that the files call by this text, in a row or as a column; can be given several times
    #[arg(long = "rename", value_parser = renamed, value_name = "TEXT=ID")]
    pub(super) renamed: Vec<(String, Id)>,
    /// Tells two values of one moment apart [default: source, where there is one]
    #[arg(long = "source-column", value_name = "COLUMN")]
    pub(super) source: Option<String>,
    /// A note for the auditor
    #[arg(long = "note-column", value_name = "COLUMN")]
    pub(super) note: Option<String>,
    /// Takes only the rows with this text in this column; given several times, all of them have to hold
    #[arg(long = "where", value_parser = column_value, value_name = "COLUMN=VALUE")]
    pub(super) only: Vec<(String, String)>,
}

impl Wanted {
    /// # Errors
    /// A flag means nothing in this layout.
    pub(super) fn check(&self) -> Result<(), String> {
        let layout = self.layout.unwrap_or_default();
        let is_wide = layout != Layout::Rows;
        let has_kpi_columns = layout == Layout::KpiColumns;
        let meaningless = [
            ("--value", is_wide && self.value.is_some()),
            ("--time", layout == Layout::DateColumns && self.time.is_some()),
            ("--kpi", has_kpi_columns && self.kpi.is_some()),
            ("--kpi-column", has_kpi_columns && !self.kpi_columns.is_empty()),
            ("--column", !is_wide && !self.columns.is_empty()),
            ("--ignore", !is_wide && !self.ignored.is_empty()),
        ];
        match meaningless.iter().find(|(_, is_so)| *is_so) {
            None => Ok(()),
            Some((flag, _)) => {
                let name = layout.to_possible_value();
                let name = name.as_ref().map_or("", |value| value.get_name());
                Err(format!(
                    "{flag} means nothing with --layout {name}: leave it out, or say how the table is laid out with --layout"
                ))
            }
        }
    }

    /// # Errors
    /// A text is renamed to a KPI that is none: it is probably misspelt, and nothing was called so.
    pub(super) fn only_of(&self, is_one: impl Fn(&Id) -> bool) -> Result<(), String> {
        match self.renamed.iter().find(|(_, id)| !is_one(id)) {
            None => Ok(()),
            Some((text, id)) => Err(format!(
                "--rename {text:?}={id}: nothing in the files is called so, and the workspace has no KPI {id}: correct \
                 the text or the name"
            )),
        }
    }

    /// What to do about a KPI that does not exist.
    pub(super) fn remedy_of_unknown_kpi(&self) -> &'static str {
        match self.layout.unwrap_or_default() {
            Layout::KpiColumns => {
                "correct the name with --rename, leave the column out with --ignore, or let it be created with --create"
            }
            Layout::Rows | Layout::DateColumns => "correct the name, or let it be created with --create",
        }
    }
}

fn renamed(text: &str) -> Result<(String, Id), String> {
    let (name, kpi) = text.rsplit_once('=').ok_or("write TEXT=ID")?;
    Ok((name.trim().to_owned(), id(kpi)?))
}

fn column_value(text: &str) -> Result<(String, String), String> {
    let (column, value) = text.split_once('=').ok_or("write COLUMN=VALUE")?;
    Ok((column.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_means_nothing_in_a_layout_is_refused() {
        let some = || Some("x".to_owned());
        let id = || Id::parse("x").ok();
        let check = |wanted: Wanted, flag: &str| {
            let said = wanted.check().expect_err(flag);
            assert!(
                said.starts_with(&format!("{flag} means nothing with --layout ")),
                "{said}"
            );
        };
        let of = |layout| Wanted {
            layout: Some(layout),
            ..Wanted::default()
        };
        check(
            Wanted {
                value: some(),
                ..of(Layout::KpiColumns)
            },
            "--value",
        );
        check(
            Wanted {
                value: some(),
                ..of(Layout::DateColumns)
            },
            "--value",
        );
        check(
            Wanted {
                time: some(),
                ..of(Layout::DateColumns)
            },
            "--time",
        );
        check(
            Wanted {
                kpi: id(),
                ..of(Layout::KpiColumns)
            },
            "--kpi",
        );
        check(
            Wanted {
                kpi_columns: vec!["x".into()],
                ..of(Layout::KpiColumns)
            },
            "--kpi-column",
        );
        check(
            Wanted {
                columns: vec!["x".into()],
                ..Wanted::default()
            },
            "--column",
        );
        check(
            Wanted {
                ignored: vec!["x".into()],
                ..Wanted::default()
            },
            "--ignore",
        );
        for wanted in [
            Wanted {
                time: some(),
                columns: vec!["x".into()],
                ..of(Layout::KpiColumns)
            },
            Wanted {
                kpi: id(),
                ignored: vec!["x".into()],
                ..of(Layout::DateColumns)
            },
            Wanted {
                time: some(),
                value: some(),
                kpi: id(),
                ..Wanted::default()
            },
        ] {
            assert_eq!(wanted.check(), Ok(()));
        }
    }

    #[test]
    fn a_text_may_have_an_equals_sign_and_an_id_has_none() {
        let (text, id) = renamed("Rate (a=b) =rate").expect("a name");
        assert_eq!((text.as_str(), id.as_str()), ("Rate (a=b)", "rate"));
        assert!(renamed("x").is_err() && renamed("x=").is_err() && renamed("x=Y").is_err());
        assert_eq!(column_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
    }
}
