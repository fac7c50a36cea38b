//! How readings become measurements once their units are known.

use proptest::prelude::*;

use super::super::notation::Notation;
use super::super::per_kpi::choice;
use super::super::rows::{Format, Table};
use super::super::wanted::{Layout, Wanted};
use super::super::when::Horizon;
use super::*;
use crate::domain::UnitKind;

fn gathered(wanted: &Wanted, files: &[(&str, &str)]) -> Gathered {
    let horizon = Horizon {
        moment: Timestamp::MAX,
        date: Date::MAX,
    };
    let conventions = Notation::default().conventions(horizon).expect("conventions");
    let mut gathered = Gathered::default();
    for (name, text) in files {
        let format = Format::of_name(name).expect("a format");
        gathered.add(name, &Table::parse(format, text.as_bytes()), wanted, &conventions);
    }
    gathered
}

/// What was read, with every KPI a plain number.
fn settled(files: &[(&str, &str)]) -> (Gathered, Settled) {
    let mut gathered = gathered(&Wanted::default(), files);
    let units = gathered.kpis.keys();
    let units = units.map(|id| (id.clone(), Ok(Unit::number()))).collect();
    let settled = settle(&mut gathered, &units, &told(&[]));
    (gathered, settled)
}

fn told(texts: &[&str]) -> PerKpi<ValueUnit> {
    let choices: Vec<_> = texts
        .iter()
        .map(|text| choice(text, str::parse).expect("a unit"))
        .collect();
    PerKpi::new("--value-unit", &choices).expect("units")
}

#[test]
fn identical_rows_count_once_also_over_several_files() {
    let (gathered, settled) = settled(&[
        (
            "a.csv",
            "date,value,kpi\n2026-01-01,5,nps\n2026-01-01,5.0,NPS\n2026-01-02,5,nps\n",
        ),
        (
            "b.ndjson",
            "{\"time\": \"2026-01-02\", \"value\": 5, \"kpi\": \"nps\"}\n",
        ),
    ]);
    assert_eq!(gathered.faults(), [] as [&str; 0]);
    assert_eq!((gathered.rows_read, settled.duplicates), (4, 2));
    let places: Vec<_> = settled
        .measurements
        .iter()
        .map(|(place, _)| gathered.at(*place))
        .collect();
    assert_eq!(places, ["a.csv:2", "a.csv:4"]);
}

#[test]
fn two_values_for_one_identity_are_bad_both_rows_are_named_and_neither_is_left() {
    let (gathered, settled) = settled(&[
        (
            "a.csv",
            "date,value,kpi,source\n2026-01-01,5,nps,x\n2026-01-01,6,nps,y\n2026-01-01,6,nps,x\n2026-01-01,5,nps,x\n",
        ),
        (
            "b.csv",
            "date,value,kpi,source\n2026-01-01,7,nps,y\n2026-01-02,8,nps,y\n",
        ),
    ]);
    let said = "for the same KPI, time and source: keep one, or tell them apart with --source-column";
    assert_eq!(
        gathered.faults(),
        [
            format!("a.csv:4: its value is 6 and in a.csv:2 5 {said}"),
            format!("b.csv:2: its value is 7 and in a.csv:3 6 {said}"),
        ]
    );
    assert_eq!((gathered.bad_lines(), gathered.bad_count()), (2, 5));
    let left: Vec<_> = settled
        .measurements
        .iter()
        .map(|(_, new)| new.value.get())
        .collect();
    assert_eq!((left, settled.duplicates), (vec![8.0], 0));
}

#[test]
fn the_same_moment_written_otherwise_is_the_same_identity() {
    let (gathered, _) = settled(&[(
        "a.csv",
        "time,value,kpi\n2026-01-01T01:00:00+01:00,5,nps\n2026-01-01T00:00:00Z,6,nps\n",
    )]);
    assert_eq!(gathered.bad_lines(), 1, "{:?}", gathered.faults());
}

#[test]
fn a_value_is_a_finite_number_within_bounds() {
    let check = |text: &str, expect: &str| {
        let (gathered, settled) =
            settled(&[("a.csv", &format!("date,value,kpi\n2026-01-01,\"{text}\",x\n"))]);
        let got = match gathered.faults().as_slice() {
            [] => settled.measurements[0].1.value.get().to_string(),
            faults => faults.join("; "),
        };
        let expect = match expect.strip_prefix("! ") {
            Some(fault) => format!("a.csv:2: column \"value\": kpis/x: {fault}"),
            None => expect.to_owned(),
        };
        assert_eq!(got, expect, "{text:?}");
    };
    for (text, value) in [
        ("1e3", "1000"),
        ("-0", "0"),
        ("+1.50", "1.5"),
        (" 7 ", "7"),
        ("1e15", "1000000000000000"),
        ("1e-400", "0"),
    ] {
        check(text, value);
    }
    for text in ["NaN", "Infinity", "-inf", "x", "-", "true"] {
        check(
            text,
            &format!("! {text:?} is no number: fill it in, or leave such ones out with --missing {text:?}"),
        );
    }
    for text in ["1_000", "1-2", "0x10"] {
        check(text, &format!("! {text:?} is not a number: write it as 1234.5"));
    }
    check(
        "1.234,56",
        "! \"1.234,56\" is not a number: --decimal comma would read 1234.56",
    );
    check("1e400", "! 1e400 is out of bounds: at most 1e15 either way");
    let digits = "9".repeat(400);
    check(
        &digits,
        &format!("! {digits} is out of bounds: at most 1e15 either way"),
    );
    check(
        "-1.1e15",
        "! -1100000000000000 is out of bounds: at most 1e15 either way",
    );
}

#[test]
fn a_wide_table_has_values_in_several_units() {
    let wanted = Wanted {
        layout: Some(Layout::KpiColumns),
        ..Wanted::default()
    };
    let id = |text: &str| Id::parse(text).expect("an id");
    let of = |kind| {
        Ok(Unit {
            kind,
            ..Unit::number()
        })
    };
    let labels = UnitKind::scale(&["bad".into(), "good".into()]).expect("a scale");
    let units = BTreeMap::from([
        (id("wait"), of(UnitKind::Duration)),
        (id("mood"), of(labels)),
        (id("share"), of(UnitKind::Percent)),
    ]);
    let text = "date,wait,mood,share\n2026-01-01,48,good,0.942\n2026-02-01,x,fine,94 %\n";
    let mut all = gathered(&wanted, &[("a.csv", text)]);
    let settled = settle(&mut all, &units, &told(&["wait=min", "share=fraction"]));
    let values: Vec<_> = settled
        .measurements
        .iter()
        .map(|(_, new)| new.value.get())
        .collect();
    assert_eq!(values, [2880.0, 1.0, 94.2, 94.0]);
    let faults = all.faults();
    assert_eq!(faults.len(), 2, "{faults:#?}");
    assert!(
        faults[0].starts_with("a.csv:3: column \"wait\": kpis/wait: \"x\" is no number"),
        "{faults:#?}"
    );
    assert!(faults[1].starts_with("a.csv:3: column \"mood\": kpis/mood: \"fine\" is not on the scale"));

    // A unit that does not fit is said once for its KPI, and none of its values is left.
    let mut all = gathered(&wanted, &[("a.csv", text)]);
    let settled = settle(&mut all, &units, &told(&["min", "share=fraction", "mood=label"]));
    assert_eq!(settled.kpis().filter(|kpi| kpi.as_str() == "share").count(), 2);
    assert!(
        !all.faults().iter().any(|fault| fault.contains("in min")),
        "{:?}",
        all.faults()
    );
    let mut all = gathered(&wanted, &[("a.csv", text)]);
    let settled = settle(&mut all, &units, &told(&["min"]));
    assert_eq!(settled.kpis().map(Id::as_str).collect::<Vec<_>>(), ["wait"]);
    let faults = all.faults();
    assert_eq!(faults.len(), 3, "{faults:#?}");
    assert!(faults[0].starts_with("a.csv:2: column \"mood\": kpis/mood: its values cannot be in min"));
    assert_eq!(all.bad_count(), 5);
}

#[test]
fn a_kpi_that_cannot_be_measured_is_said_once_and_all_its_values_are_left_out() {
    let mut all = gathered(
        &Wanted::default(),
        &[(
            "a.csv",
            "date,value,kpi\n2026-01-01,5,nsp\n2026-01-02,5,nsp\n2026-01-02,5,nps\n",
        )],
    );
    let id = |text: &str| Id::parse(text).expect("an id");
    let units = BTreeMap::from([
        (id("nps"), Ok(Unit::number())),
        (
            id("nsp"),
            Err("kpis/nsp does not exist: correct the name".to_owned()),
        ),
    ]);
    let settled = settle(&mut all, &units, &told(&[]));
    assert_eq!(
        all.faults(),
        ["a.csv:2: kpis/nsp does not exist: correct the name"]
    );
    assert_eq!((all.bad_count(), settled.measurements.len()), (2, 1));
}

proptest! {
    #[test]
    fn no_file_makes_an_import_panic_or_send_what_does_not_fit(
        text in "([,;\"\r\n]|[0-9]{1,4}|[-.%/ ]|2026-01-0[1-3]|date|kpi|value|nps|mood|good|min|N/A|R\\$|\\PC){0,60}",
        header in prop_oneof![Just("date,value,kpi\n"), Just("date,nps,mood\n"), Just("kpi,2026-01-01,2026-01-02\n"), Just("")],
        layout in prop_oneof![Just(Layout::Rows), Just(Layout::KpiColumns), Just(Layout::DateColumns)],
    ) {
        let wanted = Wanted {
            layout: Some(layout),
            ..Wanted::default()
        };
        let mut all = gathered(&wanted, &[("a.csv", &format!("{header}{text}"))]);
        let labels = UnitKind::scale(&["bad".into(), "good".into()]).expect("a scale");
        let unit = Unit { kind: labels, ..Unit::number() };
        let readings = all.readings.len();
        let units = all.kpis.keys().map(|id| (id.clone(), Ok(unit.clone()))).collect();
        let settled = settle(&mut all, &units, &told(&[]));
        for (_, measurement) in &settled.measurements {
            prop_assert!(unit.check(measurement.value.get()).is_ok());
        }
        let identities: BTreeSet<String> = settled
            .measurements
            .iter()
            .map(|(_, measurement)| format!("{:?}", identity(measurement)))
            .collect();
        prop_assert_eq!(identities.len(), settled.measurements.len());
        prop_assert!(settled.measurements.len() + settled.duplicates + all.bad_count() >= readings);
        prop_assert_eq!(all.faults().is_empty(), all.bad_count() == 0);
    }
}
