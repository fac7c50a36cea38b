//! Values as people read them.

use super::super::given::*;
use super::super::{Aggregation, CurrencyCode, Transform, Unit, UnitKind, Value};

fn unit(kind: UnitKind, symbol: &str, decimals: Option<u32>) -> Unit {
    Unit::parse(kind, symbol, decimals).unwrap()
}

fn shows(unit: &Unit, texts: &[(f64, &str)]) {
    for (number, text) in texts {
        assert_eq!(unit.text(*number), *text, "{number} in {unit:?}");
    }
}

/// "number, percent (3.2 means 3.2 %), currency (ISO 4217)…, count, scale (ordered labels, index from 0); symbol; decimals
/// shown": grouped by thousands, rounded to the decimals, without a sign before nothing.
#[test]
fn a_value_is_shown_in_its_unit() {
    let labels = ["red", "yellow", "green"].map(str::to_owned);
    let real = UnitKind::Currency(CurrencyCode::parse("BRL").unwrap());
    shows(
        &Unit::number(),
        &[
            (0.0, "0"),
            (-0.0, "0"),
            (7.25, "7.25"),
            (-7.25, "-7.25"),
            (999.0, "999"),
            (1000.0, "1,000"),
            (-1000.0, "-1,000"),
            (-999.0, "-999"),
            (123_456.789, "123,456.789"),
            (1e15, "1,000,000,000,000,000"),
            (-1e15, "-1,000,000,000,000,000"),
            (1e-7, "0.0000001"),
            (0.1 + 0.2, "0.3"),
        ],
    );
    shows(
        &unit(UnitKind::Number, "", Some(2)),
        &[
            (7.0, "7.00"),
            (0.1 + 0.2, "0.30"),
            (1999.999, "2,000.00"),
            (999.995_1, "1,000.00"),
            (-0.004, "0.00"),
            (-0.0, "0.00"),
            (-0.006, "-0.01"),
            (1e15, "1,000,000,000,000,000.00"),
        ],
    );
    shows(
        &unit(UnitKind::Number, "points", Some(0)),
        &[(7.4, "7 points"), (-0.4, "0 points"), (1234.5, "1,234 points")],
    );
    shows(
        &unit(UnitKind::Percent, "", Some(1)),
        &[
            (3.2, "3.2 %"),
            (45.25, "45.2 %"),
            (-0.04, "0.0 %"),
            (1200.0, "1,200.0 %"),
        ],
    );
    shows(
        &unit(real, "", None),
        &[(50_000.0, "50,000 BRL"), (-0.5, "-0.5 BRL")],
    );
    shows(
        &unit(UnitKind::Count, "visitors", None),
        &[(0.0, "0 visitors"), (12_345.0, "12,345 visitors")],
    );
    shows(&unit(UnitKind::Count, "", None), &[(3.0, "3")]);
    let scale = unit(UnitKind::scale(&labels).unwrap(), "", None);
    // What lies between two labels, a bound on a ramp, is a number.
    shows(
        &scale,
        &[
            (0.0, "red"),
            (-0.0, "red"),
            (2.0, "green"),
            (3.0, "3"),
            (0.5, "0.5"),
            (-1.0, "-1"),
        ],
    );
}

/// "duration (seconds)": the two largest of days, hours, minutes and seconds; what rounding makes a full one is one.
#[test]
fn a_duration_is_shown_in_its_two_largest_units() {
    shows(
        &unit(UnitKind::Duration, "", None),
        &[
            (0.0, "0 s"),
            (-0.0, "0 s"),
            (0.25, "0.25 s"),
            (0.0004, "0 s"),
            (-0.0004, "0 s"),
            (59.6, "59.6 s"),
            (59.999, "59.999 s"),
            (59.9996, "1 min"),
            (60.0, "1 min"),
            (61.0, "1 min 1 s"),
            (119.4, "1 min 59 s"),
            (119.7, "2 min"),
            (3599.0, "59 min 59 s"),
            (3599.6, "1 h"),
            (3600.0, "1 h"),
            (3629.0, "1 h"),
            (3631.0, "1 h 1 min"),
            (7199.0, "2 h"),
            (9000.0, "2 h 30 min"),
            (-9000.0, "-2 h 30 min"),
            (86_340.0, "23 h 59 min"),
            (86_399.0, "1 d"),
            (86_400.0, "1 d"),
            (90_000.0, "1 d 1 h"),
            (172_799.0, "2 d"),
            (86_400.0 * 1234.0, "1,234 d"),
            (1e15, "11,574,074,074 d 2 h"),
            (-1e15, "-11,574,074,074 d 2 h"),
        ],
    );
}

/// Whatever is shown is in bounds and has the unit's own words once.
#[test]
fn a_bound_of_all_values_is_shown_without_an_exponent() {
    for number in [Value::MAX, -Value::MAX, 1e-15, -1e-15, f64::MIN_POSITIVE] {
        for decimals in [None, Some(0), Some(9)] {
            let text = unit(UnitKind::Number, "", decimals).text(number);
            assert!(
                !text.contains(['e', 'E']) && !text.contains("--"),
                "{number}: {text}"
            );
        }
    }
}

/// "scale (ordered labels, index from 0, no SUM or MEAN)": nor is there a change in percent from label to label.
#[test]
fn labels_are_not_reckoned_with() {
    let scale = |aggregation: Aggregation, transform: Option<Transform>| {
        kpi("light", |fields| {
            let labels = ["red", "green"].map(str::to_owned);
            fields.unit = unit(UnitKind::scale(&labels).unwrap(), "", None);
            (fields.aggregation, fields.transform) = (aggregation, transform);
        })
    };
    let change = Some(Transform::ChangePercent);
    for (aggregation, transform, expected) in [
        (Aggregation::Last, None, Ok(vec!["KpiCreated"])),
        (Aggregation::Max, None, Ok(vec!["KpiCreated"])),
        (Aggregation::Sum, None, Err("INVALID_FIELD")),
        (Aggregation::Mean, None, Err("INVALID_FIELD")),
        (Aggregation::Last, change, Err("INVALID_FIELD")),
        (Aggregation::Min, change, Err("INVALID_FIELD")),
        (Aggregation::Count, change, Ok(vec!["KpiCreated"])),
    ] {
        let outcome = given([]).when(scale(aggregation, transform));
        assert_eq!(outcome, expected, "{aggregation:?} {transform:?}");
    }
}
