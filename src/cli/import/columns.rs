//! Which column of a file is meant: the one that a person named, or the one with a usual name.

use super::rows::{Delimiter, Fault};
use crate::cli::words::counted;

/// One column of a file.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Its index in the table.
    pub(super) index: usize,
    /// Its name.
    pub(super) name: String,
}

/// Looks columns up and keeps what is wrong.
pub(super) struct Finder<'a> {
    columns: &'a [String],
    /// What was chosen by its usual name: `time from "date"`.
    pub(super) by_default: Vec<String>,
    /// What is wrong.
    pub(super) faults: Vec<Fault>,
}

impl<'a> Finder<'a> {
    /// Over the columns of a file.
    pub(super) fn new(columns: &'a [String]) -> Self {
        Self {
            columns,
            by_default: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// The column that a person named, or the one with a usual name.
    pub(super) fn required(
        &mut self,
        role: &str,
        flag: &str,
        named: Option<&str>,
        usual: &[&str],
    ) -> Option<Column> {
        if let Some(name) = named {
            return self.named(name);
        }
        let faults = self.faults.len();
        let found = self.usual(role, usual);
        if found.is_none() && self.faults.len() == faults {
            let sentence = format!(
                "no column is called {}: say with {flag} which one has the {role}; {}",
                usual.join(" or "),
                self.there_are()
            );
            self.faults.push(Fault::of_line(1, sentence));
        }
        found
    }

    /// The column that a person named.
    pub(super) fn named(&mut self, name: &str) -> Option<Column> {
        let mut found = (0..).zip(self.columns).filter(|(_, column)| *column == name);
        let sentence = match (found.next(), found.next()) {
            (Some((index, _)), None) => {
                let name = name.to_owned();
                return Some(Column { index, name });
            }
            (Some(_), Some(_)) => "the header has it twice: rename one of them".to_owned(),
            (None, _) => format!("it is not in the file: correct the name; {}", self.there_are()),
        };
        self.faults.push(Fault::of_column(1, name, sentence));
        None
    }

    /// The one column with one of these names, whatever its case.
    pub(super) fn usual(&mut self, role: &str, names: &[&str]) -> Option<Column> {
        let is_usual = |column: &str| names.iter().any(|name| column.eq_ignore_ascii_case(name));
        let found: Vec<usize> = (0..self.columns.len())
            .filter(|at| is_usual(&self.columns[*at]))
            .collect();
        match found.as_slice() {
            [] => None,
            &[index] => {
                let name = self.columns[index].clone();
                self.by_default.push(format!("{role} from {name:?}"));
                Some(Column { index, name })
            }
            several => {
                let names: Vec<_> = several
                    .iter()
                    .map(|at| format!("{:?}", self.columns[*at]))
                    .collect();
                let sentence = format!(
                    "the {role} could be in {}: say which with --{}",
                    names.join(" or "),
                    if role == "KPI" { "kpi-column" } else { role }
                );
                self.faults.push(Fault::of_line(1, sentence));
                None
            }
        }
    }

    /// The columns of a wide table that are KPIs or dates: those that a person named, or all that are nothing else.
    pub(super) fn wide(
        &mut self,
        role: &str,
        named: &[String],
        ignored: &[String],
        taken: &[usize],
    ) -> Vec<Column> {
        if !named.is_empty() {
            return named.iter().filter_map(|name| self.named(name)).collect();
        }
        for name in ignored {
            if !self.columns.contains(name) {
                let sentence = format!("it is not in the file: correct the name; {}", self.there_are());
                self.faults.push(Fault::of_column(1, name, sentence));
            }
        }
        let is_one = |(index, name): &(usize, &String)| !taken.contains(index) && !ignored.contains(name);
        let found: Vec<Column> = (0..)
            .zip(self.columns)
            .filter(is_one)
            .map(|(index, name)| Column {
                index,
                name: name.clone(),
            })
            .collect();
        match found.as_slice() {
            [] => self.faults.push(Fault::of_line(
                1,
                format!("no column is left to be a {role}: {}", self.there_are()),
            )),
            [first, ..] => {
                let last = found.last().filter(|_| found.len() > 1);
                let to_last = last.map_or(String::new(), |last| format!(" to {:?}", last.name));
                self.by_default.push(format!(
                    "{} from {:?}{to_last}",
                    counted(found.len(), role),
                    first.name
                ));
            }
        }
        found
    }

    fn there_are(&self) -> String {
        const SHOWN_MAX: usize = 20;
        let names: Vec<_> = self
            .columns
            .iter()
            .take(SHOWN_MAX)
            .map(|name| format!("{name:?}"))
            .collect();
        let more = if self.columns.len() > SHOWN_MAX {
            ", …"
        } else {
            ""
        };
        let advice = match self.columns {
            [only] => Delimiter::advice(only),
            _ => None,
        };
        let advice = advice.map_or(String::new(), |advice| format!(": {advice}"));
        format!("the file has {}{more}{advice}", names.join(", "))
    }
}
