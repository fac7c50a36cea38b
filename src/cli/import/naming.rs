//! Which KPI a text of a file means.
//!
//! It deliberately does not know whether there is such a KPI.

use super::cells::read;
use super::columns::{Column, Finder};
use super::rows::{Fault, Row};
use super::wanted::Wanted;
use crate::domain::{Id, Title};

/// A KPI as a file names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KpiName {
    /// What it would be called if it has to be created.
    pub(super) title: Title,
    /// The texts without their case: two rows with the same mean the same KPI.
    pub(super) folded: Vec<String>,
}

/// Where a row has its KPI from.
#[derive(Debug)]
pub(super) enum KpiFrom {
    /// It was told for all rows.
    Fixed(Id),
    /// From the texts of these columns.
    Columns(Vec<Column>),
}

impl KpiFrom {
    /// The columns that name the KPI; none: some are missing, and that is said.
    pub(super) fn find(wanted: &Wanted, finder: &mut Finder<'_>) -> Option<Self> {
        match &wanted.kpi {
            Some(id) => Some(Self::Fixed(id.clone())),
            None if wanted.kpi_columns.is_empty() => finder
                .required("KPI", "--kpi-column (or --kpi ID for all rows)", None, &["kpi"])
                .map(|column| Self::Columns(vec![column])),
            None => {
                let columns = wanted.kpi_columns.iter().filter_map(|name| finder.named(name));
                Some(Self::Columns(columns.collect()))
            }
        }
    }

    /// The columns that are taken for it.
    pub(super) fn columns(&self) -> &[Column] {
        match self {
            Self::Fixed(_) => &[],
            Self::Columns(columns) => columns,
        }
    }

    /// A row's KPI.
    ///
    /// # Errors
    /// A text is missing, or none that a KPI can be called.
    pub(super) fn kpi(&self, row: &Row, renamed: &[(String, Id)]) -> Result<(Id, KpiName), Fault> {
        let columns = match self {
            Self::Fixed(id) => {
                return told(id, id.as_str()).map_err(|sentence| Fault::of_line(row.line, sentence));
            }
            Self::Columns(columns) => columns,
        };
        let mut texts = Vec::with_capacity(columns.len());
        for column in columns {
            texts.push(read(row, column, |text| Ok(text.to_owned()))?);
        }
        let blame = columns.first().map_or("", |column| &column.name);
        named(&texts, renamed).map_err(|sentence| Fault::of_column(row.line, blame, sentence))
    }
}

/// The KPI that texts name together.
///
/// # Errors
/// It cannot be called so.
pub(super) fn named(texts: &[String], renamed: &[(String, Id)]) -> Result<(Id, KpiName), String> {
    let joined = texts.join("-");
    let shown = texts.join(" ");
    if let Some((_, id)) = renamed.iter().find(|(text, _)| *text == joined) {
        return told(id, &shown);
    }
    let id = Id::from_text(&joined).ok_or_else(|| {
        format!(
            "{joined:?} has no letter from a to z to make an id of: name the KPI with --rename {joined:?}=ID"
        )
    })?;
    let folded = texts.iter().map(|text| text.to_lowercase()).collect();
    Ok((
        id,
        KpiName {
            title: title(&shown)?,
            folded,
        },
    ))
}

/// A KPI whose id was told: whatever else is told to be it is the same.
fn told(id: &Id, text: &str) -> Result<(Id, KpiName), String> {
    let folded = vec![id.to_string()];
    Ok((
        id.clone(),
        KpiName {
            title: title(text)?,
            folded,
        },
    ))
}

fn title(text: &str) -> Result<Title, String> {
    Title::parse(text).map_err(|invalid| format!("the KPI's title would be {text:?}: {invalid}"))
}
