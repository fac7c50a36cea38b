use clap::Parser;

use super::super::notation::Notation;
use super::super::rows::Format;
use super::super::when::Horizon;
use super::*;
use crate::domain::Timestamp;

#[derive(Debug, Parser)]
struct Flags {
    #[command(flatten)]
    wanted: Wanted,
    #[command(flatten)]
    notation: Notation,
}

/// Until 2026-07-01T00:00:00Z, and the date then in the earliest zone.
fn conventions(notation: &Notation) -> Conventions {
    let horizon = Horizon {
        moment: Timestamp::from_micros(1_782_864_000_000_000),
        date: jiff::civil::date(2026, 7, 1),
    };
    notation.conventions(horizon).expect("conventions")
}

/// Maps the rows of a file: `line: KPI time value source note`, `line: ! fault`, or what is wrong with the columns.
fn mapped(format: Format, text: &str, wanted: &Wanted) -> Vec<String> {
    mapped_as(format, text, wanted, &Notation::default())
}

/// Likewise of a CSV file, as the command line's words have it.
fn told(text: &str, words: &[&str]) -> Vec<String> {
    let flags = Flags::try_parse_from([&["x"], words].concat()).expect("flags");
    flags.wanted.check().expect("flags of one layout");
    mapped_as(Format::Csv, text, &flags.wanted, &flags.notation)
}

fn mapped_as(format: Format, text: &str, wanted: &Wanted, notation: &Notation) -> Vec<String> {
    let table = Table::parse(format, text.as_bytes());
    assert_eq!(table.faults, [], "{text}");
    let conventions = conventions(notation);
    let mapping = match Mapping::resolve(wanted, &table, &conventions) {
        Ok(mapping) => mapping,
        Err(faults) => return faults.iter().map(ToString::to_string).collect(),
    };
    let mut said = Vec::new();
    for row in table.rows.iter().filter(|row| mapping.takes(row)) {
        match mapping.readings(row) {
            Ok(found) => said.extend(found.into_iter().map(|(_, found)| match found {
                Ok(Some(reading)) => shown(row.line, reading),
                Ok(None) => format!("{}: none", row.line),
                Err(fault) => format!("! {fault}"),
            })),
            Err(faults) => said.extend(faults.iter().map(|fault| format!("! {fault}"))),
        }
    }
    said
}

fn shown(line: u64, reading: Reading) -> String {
    let Reading {
        kpi,
        name: _,
        effective,
        written,
        source_id,
        note,
    } = reading;
    let effective = match effective {
        Effective::Now => "now".to_owned(),
        Effective::At(moment) => moment.to_string(),
        Effective::On(date) => date.to_string(),
    };
    let said = format!("{line}: {kpi} {effective} {} {source_id} {note}", written.text);
    said.trim_end().to_owned()
}

const EMPTY: &str = "it is empty: fill it in, or leave empty values out with --skip-empty";

fn of_kpi(id: &str) -> Wanted {
    Wanted {
        kpi: Some(Id::parse(id).expect("an id")),
        ..Wanted::default()
    }
}

fn check_time(text: &str, expect: &str) {
    let got = mapped(Format::Csv, &format!("time,value\n\"{text}\",1\n"), &of_kpi("x"));
    let expect = match expect.strip_prefix("! ") {
        Some(fault) => format!("! 2: column \"time\": {fault}"),
        None => format!("2: x {expect} 1"),
    };
    assert_eq!(got, [expect], "{text:?}");
}

#[test]
fn a_time_is_a_moment_with_an_offset_or_a_day_of_the_calendar() {
    check_time("2026-01-31", "2026-01-31");
    check_time(" 2024-02-29 ", "2024-02-29");
    check_time("2023-04-01T00:00:00+00:00", "2023-04-01T00:00:00Z");
    check_time(
        "2023-04-01T02:00:00.123456789+02:00",
        "2023-04-01T00:00:00.123456Z",
    );
    check_time("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z");
    check_time(
        "2026-02-30",
        "! \"2026-02-30\" is not in the calendar: correct the date",
    );
    check_time(
        "2026-13-01",
        "! \"2026-13-01\" is not in the calendar: correct the date",
    );
    check_time(
        "0000-01-01",
        "! \"0000-01-01\" is before the year 1: correct the date",
    );
    check_time(
        "0000-12-31T23:59:59Z",
        "! \"0000-12-31T23:59:59Z\" is before the year 1: correct the time",
    );
    check_time("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z");
    check_time(
        "2026-01-31T10:00:00",
        "! \"2026-01-31T10:00:00\" has no offset from UTC: end it with Z or for example +02:00",
    );
    for no_time in [
        "1680307200",
        "yesterday",
        "2026-02-30T00:00:00Z",
        "２０２６-01-01",
    ] {
        check_time(
            no_time,
            &format!(
                "! {no_time:?} is no time: write 2026-01-31 for a day or 2026-01-31T09:30:00Z for a moment, or say how it is written with --date-format"
            ),
        );
    }
    check_time(
        "31/01/2026",
        "! \"31/01/2026\" is no time: --date-format DD/MM/YYYY would read 2026-01-31",
    );
    check_time("", "! it is empty: fill it in, or leave the row out with --where");
}

#[test]
fn what_has_not_come_yet_is_refused_before_it_is_sent() {
    let ahead = |text| {
        format!("! {text} has not come yet by this machine's clock: measurements are of what has happened")
    };
    check_time("2026-07-01", "2026-07-01");
    check_time("2026-07-02", &ahead("2026-07-02"));
    check_time("2026-07-01T00:00:00Z", "2026-07-01T00:00:00Z");
    check_time("2026-07-01T00:00:01Z", &ahead("2026-07-01T00:00:01Z"));
}

#[test]
fn json_values_are_read_as_what_they_are() {
    let check = |value: &str, expect: &str| {
        let text = format!("[{{\"time\": \"2026-01-01\", \"value\": {value}}}]");
        let got = mapped(Format::Json, &text, &of_kpi("x"));
        let expect = match expect.strip_prefix("! ") {
            Some(fault) => format!("! 1: column \"value\": {fault}"),
            None => format!("1: x 2026-01-01 {expect}"),
        };
        assert_eq!(got, [expect], "{value}");
    };
    check("80", "80");
    check("1e3", "1e3");
    check("\"12.5\"", "12.5");
    check("true", "true");
    check("null", &format!("! {EMPTY}"));
    check(
        "{\"n\": 1}",
        "! it is an array or an object: write the rows with plain values",
    );
    check(
        "[1]",
        "! it is an array or an object: write the rows with plain values",
    );
}

#[test]
fn what_is_missing_is_left_out_only_as_told() {
    let text = "time,value\n2026-01-01,\n2026-01-02,N/A\n2026-01-03,-\n2026-01-04,n/a\n2026-01-05,5\n";
    let kpi = ["--kpi", "x"];
    assert_eq!(
        told(text, &kpi),
        [
            format!("! 2: column \"value\": {EMPTY}"),
            "3: x 2026-01-02 N/A".to_owned(),
            "4: x 2026-01-03 -".to_owned(),
            "5: x 2026-01-04 n/a".to_owned(),
            "6: x 2026-01-05 5".to_owned(),
        ]
    );
    let words = [&kpi[..], &["--skip-empty", "--missing", "N/A", "--missing", "-"]].concat();
    assert_eq!(
        told(text, &words),
        [
            "2: none",
            "3: none",
            "4: none",
            "5: x 2026-01-04 n/a",
            "6: x 2026-01-05 5"
        ]
    );
    // What claims nothing may be ahead; a date that is none is still wrong.
    let text = "time,value\n2026-12-31,\nTotal,\n";
    let no_time = &told(text, &words)[1];
    assert_eq!(told(text, &words)[0], "2: none");
    assert!(
        no_time.starts_with("! 3: column \"time\": \"Total\" is no time"),
        "{no_time}"
    );
}

#[test]
fn a_table_with_a_column_a_kpi_gives_a_value_a_cell() {
    let text = "date,nps,Revenue (R$),comment\n2026-01-01,5,1000,fine\n2026-02-01,,1100,\n";
    let wide = ["--layout", "kpi-columns"];
    let empty = |column: &str| format!("! 3: column {column:?}: {EMPTY}");
    assert_eq!(
        told(text, &[&wide[..], &["--ignore", "comment"]].concat()),
        [
            "2: nps 2026-01-01 5".to_owned(),
            "2: revenue-r 2026-01-01 1000".to_owned(),
            empty("nps"),
            "3: revenue-r 2026-02-01 1100".to_owned(),
        ]
    );
    let words = [
        "--column",
        "Revenue (R$)",
        "--rename",
        "Revenue (R$)=revenue",
        "--note-column",
        "comment",
    ];
    assert_eq!(
        told(text, &[&wide[..], &words].concat()),
        ["2: revenue 2026-01-01 1000  fine", "3: revenue 2026-02-01 1100"]
    );
    assert_eq!(
        told(
            text,
            &[&wide[..], &["--note-column", "comment", "--skip-empty"]].concat()
        )[2],
        "3: none"
    );
    // A bad date is said once for its row.
    let said = told(
        "date,a,b\n2026-02-30,1,2\n2026-12-31,1,2\n2026-12-31,,\n",
        &[&wide[..], &["--skip-empty"]].concat(),
    );
    assert_eq!(said.len(), 4, "{said:#?}");
    assert!(said[0].starts_with("! 2: column \"date\"") && said[1].starts_with("! 3: column \"date\""));
    assert_eq!(said[2..], ["4: none", "4: none"]);
}

#[test]
fn columns_that_cannot_be_kpis_are_named_with_the_flag_that_helps() {
    let check = |header: &str, words: &[&str], expect: &str| {
        let words = [&["--layout", "kpi-columns"], words].concat();
        assert_eq!(told(&format!("{header}\n"), &words), [expect], "{header}");
    };
    check(
        "date,nps,NPS",
        &[],
        "1: column \"NPS\": it and \"nps\" would both be kpis/nps: rename one, or leave it out with --ignore \"NPS\"",
    );
    check(
        "date,nps,42",
        &[],
        "1: column \"42\": \"42\" has no letter from a to z to make an id of: name the KPI with --rename \"42\"=ID, or leave the column out with --ignore \"42\"",
    );
    check(
        "date",
        &[],
        "1: no column is left to be a KPI: the file has \"date\"",
    );
    check(
        "date,nps",
        &["--ignore", "x"],
        "1: column \"x\": it is not in the file: correct the name; the file has \"date\", \"nps\"",
    );
    check(
        "date,nps",
        &["--rename", "x=y"],
        "1: column \"x\": it is not in the file: correct the name; the file has \"date\", \"nps\"",
    );
    check(
        "date,nps",
        &["--column", "x"],
        "1: column \"x\": it is not in the file: correct the name; the file has \"date\", \"nps\"",
    );
}

#[test]
fn a_table_with_a_column_a_date_gives_a_value_a_cell() {
    let wide = ["--layout", "date-columns"];
    assert_eq!(
        told(
            "kpi,unit,2026-01-31,2026-02-28\nnps,points,5,6\nWin rate,%,30,31\n",
            &[&wide[..], &["--ignore", "unit", "--rename", "Win rate=wins"]].concat()
        ),
        [
            "2: nps 2026-01-31 5",
            "2: nps 2026-02-28 6",
            "3: wins 2026-01-31 30",
            "3: wins 2026-02-28 31",
        ]
    );
    let months = [
        &wide[..],
        &[
            "--date-format",
            "MMM YYYY",
            "--skip-empty",
            "--kpi-column",
            "Figure",
        ],
    ]
    .concat();
    // The rest of a year's plan is empty: it claims nothing.
    assert_eq!(
        told("Figure,Jun 2026,Dec 2026\nnps,5,\n", &months),
        ["2: nps 2026-06-01 5", "2: none"]
    );
    assert_eq!(
        told("Figure,Jun 2026,Dec 2026\nnps,,7\n", &months),
        [
            "2: none",
            "! 2: column \"Dec 2026\": Dec 2026 has not come yet by this machine's clock: measurements are of what has happened",
        ]
    );
    assert_eq!(
        told(
            "Jan 2026\n5\n",
            &[&wide[..], &["--date-format", "MMM YYYY", "--kpi", "x"]].concat()
        ),
        ["2: x 2026-01-01 5"]
    );
}

#[test]
fn columns_that_cannot_be_dates_are_named_with_the_flag_that_helps() {
    let check = |header: &str, words: &[&str], expect: &str| {
        let words = [&["--layout", "date-columns"], words].concat();
        assert_eq!(told(&format!("{header}\n"), &words), [expect], "{header}");
    };
    check(
        "kpi,2026-01",
        &[],
        "1: column \"2026-01\": \"2026-01\" is no time: --date-format YYYY-MM would read 2026-01-01; or leave the column out with --ignore \"2026-01\"",
    );
    check(
        "kpi,1.2.2026,01.02.2026",
        &["--date-format", "DD.MM.YYYY"],
        "1: column \"01.02.2026\": it and \"1.2.2026\" are the same date: rename one",
    );
    check(
        "kpi,unit,2026",
        &["--date-format", "YYYY"],
        "1: column \"unit\": \"unit\" is not written as YYYY: correct it, or the format; or leave the column out with --ignore \"unit\"",
    );
}

#[test]
fn columns_are_found_by_their_usual_names() {
    let table = Table::parse(Format::Csv, b"Date,KPI,Value,Source,Note\n");
    let (wanted, conventions) = (Wanted::default(), conventions(&Notation::default()));
    let mapping = Mapping::resolve(&wanted, &table, &conventions).expect("a mapping");
    let chosen = [
        "time from \"Date\"",
        "value from \"Value\"",
        "KPI from \"KPI\"",
        "source from \"Source\"",
    ];
    assert_eq!(mapping.by_default, chosen);
    let text = "Date,KPI,Value,Source,Note\n2026-01-01,NPS Brazil,5,crm,n\n";
    assert_eq!(
        mapped(Format::Csv, text, &Wanted::default()),
        ["2: nps-brazil 2026-01-01 5 crm"]
    );
}

#[test]
fn columns_that_cannot_be_found_are_named_with_the_flag_that_helps() {
    let check = |header: &str, wanted: &Wanted, expect: &[&str]| {
        assert_eq!(
            mapped(Format::Csv, &format!("{header}\n"), wanted),
            expect,
            "{header}"
        );
    };
    check(
        "when,value",
        &of_kpi("x"),
        &[
            "1: no column is called time or date or timestamp: say with --time which one has the time; the file has \"when\", \"value\"",
        ],
    );
    check(
        "time,date,value",
        &of_kpi("x"),
        &["1: the time could be in \"time\" or \"date\": say which with --time"],
    );
    check(
        "time,count",
        &Wanted::default(),
        &[
            "1: no column is called value: say with --value which one has the value; the file has \"time\", \"count\"",
            "1: no column is called kpi: say with --kpi-column (or --kpi ID for all rows) which one has the KPI; the file has \"time\", \"count\"",
        ],
    );
    let wanted = Wanted {
        time: Some("a".into()),
        note: Some("b".into()),
        ..of_kpi("x")
    };
    check(
        "a,a,value",
        &wanted,
        &[
            "1: column \"a\": the header has it twice: rename one of them",
            "1: column \"b\": it is not in the file: correct the name; the file has \"a\", \"a\", \"value\"",
        ],
    );
    let wanted = Wanted {
        only: vec![("x".into(), "y".into())],
        ..of_kpi("x")
    };
    check(
        "time,value",
        &wanted,
        &["1: column \"x\": it is not in the file: correct the name; the file has \"time\", \"value\""],
    );
}

#[test]
fn a_file_with_another_delimiter_is_told_from_one_with_one_column() {
    assert_eq!(
        mapped(Format::Csv, "date;value\n", &of_kpi("x"))[0],
        "1: no column is called time or date or timestamp: say with --time which one has the time; the file has \"date;value\": say --delimiter semicolon if these are several"
    );
}

#[test]
fn a_row_that_lacks_a_column_is_named_by_its_line() {
    let text = "{\"time\": \"2026-01-01\", \"value\": 1, \"kpi\": \"a\"}\n{\"value\": 2}\n";
    let empty = "it is empty: fill it in, or leave the row out with --where";
    assert_eq!(
        mapped(Format::Ndjson, text, &Wanted::default()),
        [
            "1: a 2026-01-01 1".to_owned(),
            format!("! 2: column \"kpi\": {empty}"),
            format!("! 2: column \"time\": {empty}"),
        ]
    );
}

#[test]
fn texts_of_several_columns_make_an_id_and_a_title() {
    let wanted = Wanted {
        kpi_columns: vec!["team".into(), "figure".into()],
        ..Wanted::default()
    };
    let check = |team: &str, figure: &str, expect: &str| {
        let text = format!("time,value,team,figure\n2026-01-01,1,{team},{figure}\n");
        assert_eq!(mapped(Format::Csv, &text, &wanted), [expect], "{team} {figure}");
    };
    check(
        "Use an LPA",
        "very-satisfied",
        "2: use-an-lpa-very-satisfied 2026-01-01 1",
    );
    check("2026", "Größe (m²)", "2: gr-e-m 2026-01-01 1");
    check(
        "42",
        "%",
        "! 2: column \"team\": \"42-%\" has no letter from a to z to make an id of: name the KPI with --rename \"42-%\"=ID",
    );
    check(
        "a",
        "",
        "! 2: column \"figure\": it is empty: fill it in, or leave the row out with --where",
    );
    let long = "x".repeat(80);
    check(&long, "y", &format!("2: {} 2026-01-01 1", "x".repeat(63)));
    let too_long = "x".repeat(201);
    assert!(
        mapped(
            Format::Csv,
            &format!("time,value,team,figure\n2026-01-01,1,{too_long},y\n"),
            &wanted
        )[0]
        .starts_with("! 2: column \"team\": the KPI's title would be")
    );
}

#[test]
fn sources_and_notes_are_optional_and_bounded() {
    let wanted = Wanted {
        source: Some("s".into()),
        note: Some("n".into()),
        ..of_kpi("x")
    };
    let check = |source: &str, note: &str, expect: &str| {
        let text = format!("time,value,s,n\n2026-01-01,1,{source},{note}\n");
        assert_eq!(mapped(Format::Csv, &text, &wanted), [expect]);
    };
    check("crm", "by hand", "2: x 2026-01-01 1 crm by hand");
    check("", "", "2: x 2026-01-01 1");
    check(
        &"ä".repeat(128),
        "",
        &format!("2: x 2026-01-01 1 {}", "ä".repeat(128)),
    );
    check(
        &"s".repeat(129),
        "",
        "! 2: column \"s\": it has 129 characters: at most 128",
    );
    let [refused] = &mapped(
        Format::Csv,
        &format!("time,value,s,n\n2026-01-01,1,,{}\n", "n".repeat(10_001)),
        &wanted,
    )[..] else {
        panic!("one row was mapped to several");
    };
    assert!(refused.starts_with("! 2: column \"n\": "), "{refused}");
}

#[test]
fn only_rows_with_every_wanted_text_are_taken() {
    let only = vec![
        ("channel".to_owned(), "digital".to_owned()),
        ("ok".to_owned(), "true".to_owned()),
    ];
    let wanted = Wanted { only, ..of_kpi("x") };
    let text = r#"[{"time": "2026-01-01", "value": 1, "channel": "digital", "ok": true},
        {"time": "bad, but not wanted", "value": 2, "channel": "paper", "ok": true},
        {"time": "2026-01-03", "value": 3, "channel": "digital", "ok": false},
        {"time": "2026-01-04", "value": 4, "channel": "digital"}]"#;
    assert_eq!(mapped(Format::Json, text, &wanted), ["1: x 2026-01-01 1"]);
}
