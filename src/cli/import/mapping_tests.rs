use super::super::rows::Format;
use super::*;

/// 2026-07-01T00:00:00Z, and the date then in the earliest zone.
fn horizon() -> Horizon {
    Horizon {
        moment: Timestamp::from_micros(1_782_864_000_000_000),
        date: jiff::civil::date(2026, 7, 1),
    }
}

/// Maps the rows of a file: `line: KPI time value source note`, `line: ! fault`, or what is wrong with the columns.
fn mapped(format: Format, text: &str, wanted: &Wanted) -> Vec<String> {
    let table = Table::parse(format, text.as_bytes());
    assert_eq!(table.faults, [], "{text}");
    let mapping = match Mapping::resolve(wanted, &table, horizon()) {
        Ok(mapping) => mapping,
        Err(faults) => return faults.iter().map(ToString::to_string).collect(),
    };
    let rows = table.rows.iter().filter(|row| mapping.takes(row));
    rows.flat_map(|row| match mapping.measurement(row) {
        Ok(Mapped { kpi: _, measurement }) => {
            let effective = match measurement.effective {
                Effective::Now => "now".to_owned(),
                Effective::At(moment) => moment.to_string(),
                Effective::On(date) => date.to_string(),
            };
            let NewMeasurement {
                kpi,
                effective: _,
                value,
                source_id,
                note,
            } = measurement;
            let said = format!(
                "{}: {kpi} {effective} {} {source_id} {note}",
                row.line,
                value.get()
            );
            vec![said.trim_end().to_owned()]
        }
        Err(faults) => faults.iter().map(|fault| format!("! {fault}")).collect(),
    })
    .collect()
}

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
        "31/01/2026",
        "1680307200",
        "yesterday",
        "2026-02-30T00:00:00Z",
        "２０２６-01-01",
    ] {
        check_time(
            no_time,
            &format!(
                "! {no_time:?} is no time: write 2026-01-31 for a day or 2026-01-31T09:30:00Z for a moment"
            ),
        );
    }
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
fn a_value_is_a_finite_number_within_bounds() {
    let check = |text: &str, expect: &str| {
        let got = mapped(
            Format::Csv,
            &format!("time,value\n2026-01-01,\"{text}\"\n"),
            &of_kpi("x"),
        );
        let expect = match expect.strip_prefix("! ") {
            Some(fault) => format!("! 2: column \"value\": {fault}"),
            None => format!("2: x 2026-01-01 {expect}"),
        };
        assert_eq!(got, [expect], "{text:?}");
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
    for text in [
        "NaN", "nan", "Infinity", "-inf", "inf", "80%", "1,5", "1 000", "x", "-", "0x10", "1_000",
    ] {
        let said = "is not a number: write it as 1234.5, without a unit or separators of thousands";
        check(text, &format!("! {text:?} {said}"));
    }
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
    check("", "! it is empty: fill it in, or leave the row out with --where");
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
    check("1e3", "1000");
    check("\"12.5\"", "12.5");
    check("1e999", "! 1e999 is out of bounds: at most 1e15 either way");
    check(
        "null",
        "! it is empty: fill it in, or leave the row out with --where",
    );
    check(
        "{\"n\": 1}",
        "! it is an array or an object: write the rows with plain values",
    );
    check(
        "[1]",
        "! it is an array or an object: write the rows with plain values",
    );
    check(
        "true",
        "! \"true\" is not a number: write it as 1234.5, without a unit or separators of thousands",
    );
}

#[test]
fn columns_are_found_by_their_usual_names() {
    let table = Table::parse(Format::Csv, b"Date,KPI,Value,Source,Note\n");
    let mapping = Mapping::resolve(&Wanted::default(), &table, horizon()).expect("a mapping");
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
        "! 2: column \"team\": \"42-%\" has no letter from a to z to make an id of: name the KPI with --kpi",
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
