//! Values in other units than their KPI's.

use proptest::prelude::*;

use super::super::numerals::{DecimalMark, Numerals};
use super::*;

fn unit(kind: UnitKind) -> Unit {
    Unit {
        kind,
        ..Unit::number()
    }
}

fn currency(code: &str) -> UnitKind {
    UnitKind::Currency(CurrencyCode::parse(code).expect("a currency"))
}

fn labels(labels: &[&str]) -> UnitKind {
    let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
    UnitKind::scale(&labels).expect("a scale")
}

/// A value, or `! why not`.
fn read(text: &str, unit: &Unit, told: &str) -> String {
    let told: Option<ValueUnit> = (!told.is_empty()).then(|| told.parse().expect(told));
    if let Some(told) = told {
        assert_eq!(told.fits(unit), Ok(()), "{told}");
    }
    match value(&Written::of_text(text, Numerals::PLAIN), unit, told) {
        Ok(value) => value.get().to_string(),
        Err(sentence) => format!("! {sentence}"),
    }
}

#[test]
fn a_value_becomes_one_in_its_kpis_unit() {
    for (kind, told, text, expect) in [
        (UnitKind::Duration, "", "48", "48"),
        (UnitKind::Duration, "", "48 min", "2880"),
        (UnitKind::Duration, "", "1.1h", "3960"),
        (UnitKind::Duration, "", "250 ms", "0.25"),
        (UnitKind::Duration, "", "2 days", "172800"),
        (UnitKind::Duration, "min", "48", "2880"),
        (UnitKind::Duration, "ms", "1500", "1.5"),
        (UnitKind::Duration, "h", "0.1", "360"),
        (UnitKind::Duration, "h", "48 min", "2880"),
        (UnitKind::Percent, "", "94.1 %", "94.1"),
        (UnitKind::Percent, "", "94.1", "94.1"),
        (UnitKind::Percent, "fraction", "0.942", "94.2"),
        (UnitKind::Percent, "fraction", "-0.07", "-7"),
        (UnitKind::Percent, "fraction", "94.2%", "94.2"),
        (UnitKind::Percent, "percent", "3.2", "3.2"),
        (currency("BRL"), "", "R$ 50", "50"),
        (currency("BRL"), "", "50 BRL", "50"),
        (currency("BRL"), "", "-R$50", "-50"),
        (currency("BRL"), "", "R$ 5 M", "5000000"),
        (currency("EUR"), "", "1.5k€", "1500"),
        (currency("EUR"), "", "1.5 million EUR", "1500000"),
        (currency("EUR"), "thousand", "1.5", "1500"),
        (currency("EUR"), "thousand", "€ 1.5", "1500"),
        (currency("EUR"), "thousand", "€ 1.5 M", "1500000"),
        (currency("EUR"), "currency:EUR", "7", "7"),
        (UnitKind::Count, "", "3k", "3000"),
        (UnitKind::Count, "million", "1.005", "1005000"),
        (UnitKind::Number, "", "5 M", "5000000"),
        (UnitKind::Number, "percent", "5 %", "5"),
        (UnitKind::Number, "min", "48 min", "48"),
        (UnitKind::Number, "min", "48", "48"),
        (UnitKind::Number, "currency:EUR", "€5", "5"),
    ] {
        assert_eq!(read(text, &unit(kind), told), expect, "{text} told {told:?}");
    }
}

#[test]
fn a_unit_that_is_not_the_kpis_is_refused_with_a_sentence() {
    for (kind, told, text, expect) in [
        (
            UnitKind::Number,
            "",
            "94.1 %",
            "say --value-unit percent if all its values are in that",
        ),
        (
            UnitKind::Number,
            "min",
            "2 h",
            "say --value-unit h if all its values are in that",
        ),
        (UnitKind::Percent, "", "48 min", "the KPI is measured in percent"),
        (
            UnitKind::Percent,
            "",
            "5k",
            "\"k\" is a factor, and the KPI is measured in percent",
        ),
        (
            UnitKind::Duration,
            "",
            "5 %",
            "write the number alone, in seconds or with --value-unit",
        ),
        (
            UnitKind::Duration,
            "",
            "5 m",
            "\"m\" may be minutes, months, metres or millions",
        ),
        (currency("BRL"), "", "$ 50", "the KPI is measured in BRL"),
        (currency("BRL"), "", "€50", "the KPI is measured in BRL"),
        (currency("JPY"), "", "¥ 50", "\"¥\" is two currencies"),
        (currency("USD"), "", "$5 EUR", "it has two units"),
        (
            UnitKind::Number,
            "",
            "5 pts",
            "\"pts\" is no unit that is known here",
        ),
        (UnitKind::Number, "", "~5", "\"~\" is no unit that is known here"),
        (UnitKind::Number, "", "(5)", "\"(\" is no unit that is known here"),
        (UnitKind::Count, "", "5.5", "5.5 is no count"),
        (UnitKind::Number, "", "2e15", "at most 1e15"),
    ] {
        let said = read(text, &unit(kind), told);
        assert!(said.starts_with("! ") && said.contains(expect), "{text}: {said}");
    }
}

#[test]
fn the_kpis_own_symbol_says_nothing_more() {
    let points = Unit::parse(UnitKind::Number, "pts", None).expect("a unit");
    assert_eq!(read("5 pts", &points, ""), "5");
    let dollars = Unit::parse(currency("CAD"), "$", None).expect("a unit");
    assert_eq!(read("$5", &dollars, ""), "5");
    let kelvin = Unit::parse(UnitKind::Number, "K", None).expect("a unit");
    assert_eq!(read("5 K", &kelvin, ""), "5");
    let visitors = Unit::parse(UnitKind::Count, "visitors", None).expect("a unit");
    assert_eq!(read("5k visitors", &visitors, ""), "5000");
}

#[test]
fn a_label_is_its_index() {
    let mood = unit(labels(&["bad", "ok", "good"]));
    for (text, told, expect) in [
        ("bad", "", "0"),
        ("GOOD", "", "2"),
        ("1", "", "1"),
        ("good", "label", "2"),
        ("2", "index", "2"),
    ] {
        assert_eq!(read(text, &mood, told), expect, "{text}");
    }
    for (text, told, expect) in [
        (
            "fine",
            "",
            "write one of bad, ok, good, or leave such ones out with --missing \"fine\"",
        ),
        (
            "3",
            "",
            "3 is not on the scale: send the index of a label, 0 to 2",
        ),
        ("1 good", "", "\"1 good\" is not on the scale"),
        ("1", "label", "\"1\" is not on the scale"),
        ("good", "index", "write the index of a label, from 0"),
    ] {
        let said = read(text, &mood, told);
        assert!(said.starts_with("! ") && said.contains(expect), "{text}: {said}");
    }
    let cases = unit(labels(&["Ok", "OK"]));
    assert_eq!(read("OK", &cases, ""), "1");
    assert!(
        read("ok", &cases, "").starts_with("! "),
        "two labels are folded the same"
    );
}

#[test]
fn a_label_that_may_be_an_index_is_refused_unless_told() {
    let stars = unit(labels(&["1", "2", "3"]));
    let said = read("2", &stars, "");
    assert!(
        said.contains("of index 1, and may be the index 2: say --value-unit label or index"),
        "{said}"
    );
    assert_eq!(
        (read("2", &stars, "label"), read("2", &stars, "index")),
        ("1".to_owned(), "2".to_owned())
    );
    assert_eq!(read("0", &stars, ""), "0");
    let same = unit(labels(&["0", "1"]));
    assert_eq!(read("1", &same, ""), "1");
}

#[test]
fn a_told_unit_has_to_fit_the_kpi() {
    for (told, kind) in [
        ("min", UnitKind::Percent),
        ("fraction", UnitKind::Number),
        ("thousand", UnitKind::Duration),
        ("currency:EUR", currency("BRL")),
        ("label", UnitKind::Number),
        ("percent", UnitKind::Count),
    ] {
        let told: ValueUnit = told.parse().expect(told);
        assert!(told.fits(&unit(kind.clone())).is_err(), "{told} fits {kind:?}");
    }
    let told: ValueUnit = "min".parse().expect("a unit");
    assert_eq!(
        told.fits(&unit(UnitKind::Percent)),
        Err("its values cannot be in min, it is measured in percent: say for which KPI that is with --value-unit ID=min".to_owned())
    );
}

#[test]
fn a_unit_of_values_is_written_as_it_is_read() {
    for text in [
        "ms",
        "s",
        "min",
        "h",
        "d",
        "week",
        "percent",
        "fraction",
        "currency:EUR",
        "thousand",
        "million",
        "billion",
        "label",
        "index",
    ] {
        let read: ValueUnit = text.parse().expect(text);
        assert_eq!(read.to_string(), text);
    }
    for bad in ["", "m", "%", "currency:eur", "EUR", "seconds"] {
        assert!(bad.parse::<ValueUnit>().is_err(), "{bad:?} was taken");
    }
}

proptest! {
    #[test]
    fn no_text_makes_a_value_panic_or_leave_its_bounds(
        text in "([0-9]|[-+−.,'’ eE%$€]|R\\$|min|k|M|bn|ms|good|\\PC){0,12}",
        decimal in prop_oneof![Just(DecimalMark::Point), Just(DecimalMark::Comma)],
        told in prop_oneof![Just(None), Just(Some("min")), Just(Some("fraction")), Just(Some("billion"))],
    ) {
        let numerals = Numerals::told(decimal, None).expect("a convention");
        let written = Written::of_text(&text, numerals);
        let told: Option<ValueUnit> = told.map(|told| told.parse().expect("a unit"));
        for kind in [
            UnitKind::Number, UnitKind::Percent, currency("BRL"), UnitKind::Duration, UnitKind::Count,
            labels(&["bad", "good"]),
        ] {
            let unit = unit(kind);
            if let Ok(value) = value(&written, &unit, told.filter(|told| told.fits(&unit).is_ok())) {
                prop_assert!(unit.check(value.get()).is_ok());
            }
        }
    }
}
