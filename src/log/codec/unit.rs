//! The unit of a KPI's or a key result's values.
//!
//! Invariant: only a currency has a code and only a scale has labels; a record that says otherwise is damaged.

use super::fault::{At, Fault};
use crate::domain::{CurrencyCode, Unit, UnitKind};
use crate::proto::stored;
use crate::proto::stored::unit::Kind;

pub(super) fn unit_to_stored(unit: &Unit) -> stored::Unit {
    let Unit {
        kind,
        symbol,
        decimals,
    } = unit;
    let (kind, currency_code, scale_labels) = kind_to_stored(kind);
    stored::Unit {
        kind: i32::from(kind),
        currency_code,
        symbol: symbol.as_ref().to_owned(),
        decimals: decimals.map(u32::from),
        scale_labels,
    }
}

pub(super) fn unit_from_stored(stored: stored::Unit) -> Result<Unit, Fault> {
    let stored::Unit {
        kind,
        currency_code,
        symbol,
        decimals,
        scale_labels,
    } = stored;
    let kind = kind_from_stored(kind, &currency_code, &scale_labels)?;
    Unit::parse(kind, &symbol, decimals).map_err(|invalid| Fault::damaged(invalid.to_string()))
}

/// The kind, with the code of a currency and the labels of a scale.
fn kind_to_stored(kind: &UnitKind) -> (Kind, String, Vec<String>) {
    let plain = |kind| (kind, String::new(), Vec::new());
    match kind {
        UnitKind::Number => plain(Kind::Number),
        UnitKind::Percent => plain(Kind::Percent),
        UnitKind::Duration => plain(Kind::Duration),
        UnitKind::Count => plain(Kind::Count),
        UnitKind::Currency(code) => (Kind::Currency, code.as_str().to_owned(), Vec::new()),
        UnitKind::Scale(labels) => {
            let labels = labels.iter().map(|label| label.as_ref().to_owned()).collect();
            (Kind::Scale, String::new(), labels)
        }
    }
}

fn kind_from_stored(number: i32, currency_code: &str, scale_labels: &[String]) -> Result<UnitKind, Fault> {
    let kind = Kind::try_from(number)
        .map_err(|_| Fault::newer(format!("it has the unknown number {number}")))
        .at("kind")?;
    if kind != Kind::Currency && !currency_code.is_empty() {
        return Err(Fault::damaged("it belongs to no currency")).at("currency_code");
    }
    if kind != Kind::Scale && !scale_labels.is_empty() {
        return Err(Fault::damaged("they belong to no scale")).at("scale_labels");
    }
    match kind {
        Kind::Unspecified => Err(Fault::damaged("it is missing")).at("kind"),
        Kind::Number => Ok(UnitKind::Number),
        Kind::Percent => Ok(UnitKind::Percent),
        Kind::Currency => CurrencyCode::parse(currency_code)
            .map(UnitKind::Currency)
            .at("currency_code"),
        Kind::Duration => Ok(UnitKind::Duration),
        Kind::Count => Ok(UnitKind::Count),
        Kind::Scale => UnitKind::scale(scale_labels).at("scale_labels"),
    }
}
