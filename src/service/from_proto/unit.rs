//! The unit of a KPI's or a key result's values, and the enums that are read with it.

use super::findings::Findings;
use super::scalar::unknown;
use crate::domain::{CurrencyCode, Invalid, Unit, UnitKind};
use crate::proto::api;
use crate::proto::api::unit::Kind;

/// Reads a unit; `path` is where it stands in the request.
pub(super) fn unit(path: &str, message: &api::Unit, findings: &mut Findings) -> Option<Unit> {
    let api::Unit {
        kind,
        currency_code,
        symbol,
        decimals,
        scale_labels,
    } = message;
    let kind = Kind::try_from(*kind).map_err(|_| unknown(message.kind));
    let stray = |there: bool, only: Kind, of: &str| {
        if there && kind.as_ref().is_ok_and(|kind| *kind != only) {
            Err(Invalid::new(format!(
                "it belongs to the kind {of}: leave it out, or set unit.kind"
            )))
        } else {
            Ok(())
        }
    };
    let stray_currency = stray(!currency_code.is_empty(), Kind::Currency, "CURRENCY");
    let stray_labels = stray(!scale_labels.is_empty(), Kind::Scale, "SCALE");
    findings.field(&format!("{path}.currency_code"), stray_currency)?;
    findings.field(&format!("{path}.scale_labels"), stray_labels)?;
    let kind = match findings.field(&format!("{path}.kind"), kind)? {
        Kind::Unspecified | Kind::Number => UnitKind::Number,
        Kind::Percent => UnitKind::Percent,
        Kind::Currency => {
            let code = CurrencyCode::parse(currency_code);
            UnitKind::Currency(findings.field(&format!("{path}.currency_code"), code)?)
        }
        Kind::Duration => UnitKind::Duration,
        Kind::Count => UnitKind::Count,
        Kind::Scale => {
            let labels = UnitKind::scale(scale_labels);
            findings.field(&format!("{path}.scale_labels"), labels)?
        }
    };
    findings.field(path, Unit::parse(kind, symbol, *decimals))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(message: &api::Unit) -> Result<Unit, Vec<String>> {
        let mut findings = Findings::default();
        unit("kpi.unit", message, &mut findings).ok_or_else(|| findings.into_fields())
    }

    #[test]
    fn a_unit_has_what_its_kind_needs_and_nothing_else() {
        let of = |kind: Kind, currency_code: &str, labels: &[&str]| api::Unit {
            kind: kind.into(),
            currency_code: currency_code.to_owned(),
            scale_labels: labels.iter().map(ToString::to_string).collect(),
            ..api::Unit::default()
        };
        assert_eq!(read(&api::Unit::default()), Ok(Unit::number()));
        for good in [
            of(Kind::Percent, "", &[]),
            of(Kind::Currency, "BRL", &[]),
            of(Kind::Duration, "", &[]),
            of(Kind::Count, "", &[]),
            of(Kind::Scale, "", &["red", "green"]),
        ] {
            assert!(read(&good).is_ok(), "{good:?} was refused");
        }
        let unknown = api::Unit {
            kind: 99,
            ..api::Unit::default()
        };
        let decimals = api::Unit {
            decimals: Some(10),
            ..api::Unit::default()
        };
        for (bad, field) in [
            (of(Kind::Currency, "", &[]), "kpi.unit.currency_code"),
            (of(Kind::Currency, "brl", &[]), "kpi.unit.currency_code"),
            (of(Kind::Number, "BRL", &[]), "kpi.unit.currency_code"),
            (of(Kind::Unspecified, "BRL", &[]), "kpi.unit.currency_code"),
            (of(Kind::Scale, "", &["red"]), "kpi.unit.scale_labels"),
            (of(Kind::Count, "", &["red", "green"]), "kpi.unit.scale_labels"),
            (unknown, "kpi.unit.kind"),
            (decimals, "kpi.unit"),
        ] {
            assert_eq!(read(&bad), Err(vec![field.to_owned()]), "{bad:?}");
        }
    }
}
