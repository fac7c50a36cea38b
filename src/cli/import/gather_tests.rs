use jiff::civil::Date;

use super::super::notation::Notation;
use super::super::rows::Format;
use super::super::wanted::Layout;
use super::super::when::Horizon;
use super::*;
use crate::domain::Timestamp;

fn gathered(files: &[(&str, &str)]) -> Gathered {
    gathered_as(&Wanted::default(), files)
}

fn gathered_as(wanted: &Wanted, files: &[(&str, &str)]) -> Gathered {
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

#[test]
fn two_names_that_would_become_one_kpi_are_bad() {
    let got = gathered(&[(
        "a.csv",
        "date,value,kpi\n2026-01-01,5,Win rate\n2026-01-02,6,win-rate\n2026-01-03,7,WIN RATE\n",
    )]);
    assert_eq!(
        got.faults(),
        [
            "a.csv:3: \"win-rate\" and \"Win rate\" (a.csv:2) would both be kpis/win-rate: rename one, or say that they are one with --rename"
        ]
    );
    let wanted = Wanted {
        kpi_columns: vec!["a".into(), "b".into()],
        ..Wanted::default()
    };
    let got = gathered_as(
        &wanted,
        &[(
            "a.csv",
            "date,value,a,b\n2026-01-01,5,x-y,z\n2026-01-02,6,x,y-z\n",
        )],
    );
    assert_eq!(got.bad_lines(), 1, "{:?}", got.faults());
}

#[test]
fn every_bad_row_is_named_in_the_order_of_the_files() {
    let got = gathered(&[
        (
            "a.csv",
            "date,value,kpi\n2026-02-30,,nps\n1,2\n2026-01-01,5,nps\n",
        ),
        ("b.json", "[{\"time\": \"2026-01-01\", \"value\": 1}"),
        ("c.csv", "when,value,kpi\n"),
    ]);
    let faults = got.faults();
    let begins = [
        "a.csv:2: column \"date\"",
        "a.csv:2: column \"value\"",
        "a.csv:3: the row has 2",
        "b.json:1: EOF",
        "c.csv:1: no column",
    ];
    assert_eq!(faults.len(), begins.len(), "{faults:#?}");
    for (fault, begin) in faults.iter().zip(begins) {
        assert!(fault.starts_with(begin), "{fault}");
    }
    assert_eq!((got.bad_lines(), got.readings.len()), (4, 1));
    assert_eq!((got.bad_count(), got.is_spoilt), (4, true));
}

#[test]
fn a_bad_row_spoils_no_other_and_an_unreadable_file_or_a_missing_column_does() {
    let is_spoilt = |name, text| gathered(&[(name, text)]).is_spoilt;
    assert!(!is_spoilt(
        "a.csv",
        "date,value,kpi\nx,1,nps\n1,2\n2026-01-01,,nps\n"
    ));
    assert!(!is_spoilt(
        "a.ndjson",
        "{\"time\": \"2026-01-01\", \"value\": 1, \"kpi\": \"x\"}\n{\n5\n"
    ));
    assert!(is_spoilt("a.csv", "date,value,kpi\n2026-01-01,\"1,nps\n"));
    assert!(is_spoilt("a.csv", "date,value\n2026-01-01,1\n"));
    assert!(is_spoilt("a.csv", ""));
    assert!(is_spoilt("a.json", "[{"));
}

#[test]
fn a_place_in_a_wide_table_has_its_column() {
    let wanted = Wanted {
        layout: Some(Layout::KpiColumns),
        ..Wanted::default()
    };
    let mut got = gathered_as(&wanted, &[("a.csv", "date,nps,mrr\n2026-01-01,5,\n")]);
    let place = got.readings[0].0;
    assert_eq!(got.at(place), "a.csv:2 (column \"nps\")");
    got.refuse(place, "no");
    assert_eq!(
        got.faults(),
        [
            "a.csv:2: column \"nps\": no",
            "a.csv:2: column \"mrr\": it is empty: fill it in, or leave empty values out with --skip-empty",
        ]
    );
    assert_eq!((got.bad_lines(), got.bad_count()), (1, 2));
}

#[test]
fn a_file_with_a_header_and_no_rows_is_good() {
    for (name, text) in [("a.csv", "date,value,kpi\n"), ("a.json", "[]")] {
        let got = gathered(&[(name, text)]);
        assert_eq!((got.faults().len(), got.rows_read), (0, 0), "{name}");
    }
}

#[test]
fn the_published_figures_of_two_services_are_read_in_full() {
    let wanted = Wanted {
        time: Some("_timestamp".into()),
        value: Some("count".into()),
        kpi_columns: vec!["service".into(), "dataType".into()],
        ..Wanted::default()
    };
    let figures = [
        "dissatisfied",
        "neither",
        "satisfied",
        "user-satisfaction-percent",
        "very-dissatisfied",
        "very-satisfied",
    ];
    for (file, service, rows) in [
        ("complete_the_deputy_report_service.json", "deputy-reporting", 234),
        ("use_a_lasting_power_of_attorney_service.json", "use-an-lpa", 384),
    ] {
        let path = format!("{}/../shared/data/opg/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("the published figures belong beside the project, in {path}: {error}")
        });
        let got = gathered_as(&wanted, &[(file, &text)]);
        assert_eq!(got.faults(), [] as [&str; 0]);
        assert_eq!((got.rows_read, got.readings.len()), (rows, rows));
        let kpis: Vec<_> = got.kpis.keys().map(ToString::to_string).collect();
        assert_eq!(kpis.len(), figures.len(), "{kpis:?}");
        for kpi in &kpis {
            assert!(kpi.starts_with(service), "{kpi}");
        }
        // Another way to the same lines: in these files a row begins where a brace stands alone.
        let lines = (1..).zip(text.lines()).filter(|(_, text)| text.trim() == "{");
        let lines: Vec<u64> = lines.map(|(line, _)| line).collect();
        let got_lines: Vec<_> = got.readings.iter().map(|(place, _)| place.line).collect();
        assert_eq!(got_lines, lines);
    }
}
