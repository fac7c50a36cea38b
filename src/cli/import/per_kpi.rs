//! What the command line says for all KPIs, and for one: `--unit count --unit nps=number`.
//!
//! It deliberately does not know what is said.

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::domain::Id;

/// One word of the command line: `VALUE`, or `KPI=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Choice<T> {
    kpi: Option<Id>,
    value: T,
}

/// What was said, by KPI.
#[derive(Clone, Debug)]
pub(super) struct PerKpi<T> {
    flag: &'static str,
    all: Option<T>,
    one: BTreeMap<Id, T>,
}

impl<T: Clone> PerKpi<T> {
    /// # Errors
    /// Something is said twice.
    pub(super) fn new(flag: &'static str, choices: &[Choice<T>]) -> Result<Self, String> {
        let mut all = None;
        let mut one = BTreeMap::new();
        for Choice { kpi, value } in choices {
            let before = match kpi {
                None => all.replace(value.clone()),
                Some(id) => one.insert(id.clone(), value.clone()),
            };
            if before.is_some() {
                let whom = kpi.as_ref().map_or("all KPIs", Id::as_str);
                return Err(format!("{flag} is given twice for {whom}: keep one"));
            }
        }
        Ok(Self { flag, all, one })
    }

    /// What holds for a KPI.
    pub(super) fn get(&self, kpi: &Id) -> Option<&T> {
        self.one.get(kpi).or(self.all.as_ref())
    }

    /// Of the KPIs that something is said for, the first that is none.
    ///
    /// # Errors
    /// There is one: its name is probably misspelt, and the KPI that was meant would get something else.
    pub(super) fn only_of(&self, is_one: impl Fn(&Id) -> bool) -> Result<(), String> {
        match self.one.keys().find(|id| !is_one(id)) {
            None => Ok(()),
            Some(id) => Err(format!(
                "{} {id}=…: neither the files nor the workspace have a KPI {id}: correct the name",
                self.flag
            )),
        }
    }
}

/// Parses a word of the command line.
///
/// # Errors
/// The value is none.
pub(super) fn choice<T>(text: &str, value: impl Fn(&str) -> Result<T, String>) -> Result<Choice<T>, String> {
    let (kpi, rest) = match text.split_once('=') {
        Some((id, rest)) if Id::parse(id).is_ok() => (Id::parse(id).ok(), rest),
        _ => (None, text),
    };
    Ok(Choice {
        kpi,
        value: value(rest)?,
    })
}

/// One of several words.
///
/// # Errors
/// It is none of them.
pub(super) fn word<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, false).map_err(|_| {
        let words: Vec<_> = T::value_variants()
            .iter()
            .filter_map(|variant| Some(variant.to_possible_value()?.get_name().to_owned()))
            .collect();
        format!(
            "write {}, for one KPI as ID={}",
            words.join(", "),
            words.join("|")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(texts: &[&str]) -> Result<PerKpi<String>, String> {
        let choices: Result<Vec<_>, _> = texts
            .iter()
            .map(|text| choice(text, |value| Ok(value.to_owned())))
            .collect();
        PerKpi::new("--unit", &choices?)
    }

    #[test]
    fn what_is_said_for_one_kpi_goes_before_what_is_said_for_all() {
        let id = |text| Id::parse(text).expect("an id");
        let units = said(&["count", "nps=number", "scale:a=b,c"]);
        assert_eq!(
            units.expect_err("two for all"),
            "--unit is given twice for all KPIs: keep one"
        );
        let units = said(&["count", "nps=number"]).expect("units");
        let of = |text| units.get(&id(text)).map(String::as_str);
        assert_eq!((of("nps"), of("mrr")), (Some("number"), Some("count")));
        assert_eq!(
            said(&["nps=a", "nps=b"]).expect_err("two for one"),
            "--unit is given twice for nps: keep one"
        );
        assert!(units.only_of(|kpi| kpi.as_str() == "nps").is_ok());
        assert_eq!(
            units.only_of(|_| false),
            Err(
                "--unit nps=…: neither the files nor the workspace have a KPI nps: correct the name"
                    .to_owned()
            )
        );
    }
}
