//! Wide tables, told locales and units, and dirty values, as a person meets them.

use std::collections::{BTreeMap, BTreeSet};

use binnacle::proto::api;

use crate::{CREATE, OPG_COLUMNS, Server, opg};

/// The published figures of a service: by time and KPI, as the file has them.
fn figures(file: &str) -> BTreeMap<(String, String), String> {
    let text = std::fs::read_to_string(opg(file)).expect("the published figures");
    let rows: Vec<serde_json::Value> = serde_json::from_str(&text).expect("rows");
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().expect(key).to_owned();
    rows.iter()
        .map(|row| {
            let kpi = format!("{}-{}", text(row, "service"), text(row, "dataType"));
            ((text(row, "_timestamp"), kpi), row["count"].to_string())
        })
        .collect()
}

/// A table of what was read, with a corner; the cells that nobody claims are empty.
fn table(corner: &str, rows: &[String], columns: &[String], cell: impl Fn(&str, &str) -> String) -> String {
    let mut text = format!("{corner};{}\n", columns.join(";"));
    for row in rows {
        let cells: Vec<_> = columns.iter().map(|column| cell(row, column)).collect();
        text += &format!("{row};{}\n", cells.join(";"));
    }
    text
}

#[test]
fn published_figures_laid_out_as_wide_tables_are_the_same_measurements() {
    let server = Server::start();
    let file = "complete_the_deputy_report_service.json";
    let path = opg(file);
    server
        .import(&[&[path.as_str()], OPG_COLUMNS, CREATE].concat())
        .done("234 rows read: 234 recorded, 0 superseded, 0 unchanged; 6 KPIs created");
    let before = server.state();

    let figures = figures(file);
    let times: BTreeSet<_> = figures.keys().map(|(time, _)| time.clone()).collect();
    let kpis: BTreeSet<_> = figures.keys().map(|(_, kpi)| kpi.clone()).collect();
    let (times, kpis): (Vec<_>, Vec<_>) = (times.into_iter().collect(), kpis.into_iter().collect());
    let figure = |time: &str, kpi: &str| {
        let found = figures.get(&(time.to_owned(), kpi.to_owned()));
        found.cloned().unwrap_or_default()
    };
    // The days of a German spreadsheet; the figures begin with a month, and the workspace is in UTC.
    let german = |time: &str| {
        let (date, rest) = time.split_at(10);
        assert_eq!(rest, "T00:00:00+00:00");
        let parts: Vec<_> = date.split('-').rev().collect();
        parts.join(".")
    };
    let days: Vec<_> = times.iter().map(|time| german(time)).collect();
    let by_day: BTreeMap<_, _> = days.iter().zip(&times).collect();
    let with_decimals = |figure: String| match figure.as_str() {
        "" => figure,
        _ => format!("{figure},0"),
    };

    let told = ["--delimiter", "semicolon", "--skip-empty"];
    let of_kpis = [&told[..], &["--layout", "kpi-columns"]].concat();
    let text = table("time", &times, &kpis, figure);
    let unchanged = "234 values read: 0 recorded, 0 superseded, 234 unchanged; 0 KPIs created";
    server
        .import_csv(&text, &of_kpis)
        .done(&format!("{} rows with {unchanged}", times.len()));

    let german_flags = ["--date-format", "DD.MM.YYYY", "--decimal", "comma"];
    let of_dates = [&told[..], &["--layout", "date-columns"], &german_flags].concat();
    let text = table("kpi", &kpis, &days, |kpi, day| {
        with_decimals(figure(by_day[&day.to_owned()], kpi))
    });
    server
        .import_csv(&text, &of_dates)
        .done(&format!("6 rows with {unchanged}"));

    let after = server.state();
    assert!(
        after.measurements == before.measurements,
        "the measurements are not the same"
    );
    assert!(after.events == before.events, "events were added");
}

/// The values of a KPI, by time.
fn values(server: &Server, kpi: &str) -> Vec<f64> {
    let name = format!("workspaces/acme/kpis/{kpi}");
    let measurements = server.state().measurements.into_iter();
    let mut values: Vec<_> = measurements
        .filter(|measurement| measurement.kpi == name)
        .map(|measurement: api::Measurement| {
            let at = measurement.effective_time.expect("a time").seconds;
            (at, measurement.value.expect("a value"))
        })
        .collect();
    values.sort_by_key(|(at, _)| *at);
    values.into_iter().map(|(_, value)| value).collect()
}

const SHEET: &str = "\
quarter,wait,uptime,revenue,mood
2025-Q1,48,0.942,R$ 1.5 M,good
2025-Q2,36.5,0.998,R$ 2 M,Bad
";
const SHEET_FLAGS: &[&str] = &[
    "--layout",
    "kpi-columns",
    "--time",
    "quarter",
    "--date-format",
    "YYYY-Q",
    "--value-unit",
    "wait=min",
    "--value-unit",
    "uptime=fraction",
];
const SHEET_CREATION: &[&str] = &[
    "--create",
    "--direction",
    "higher",
    "--direction",
    "wait=lower",
    "--cadence",
    "quarterly",
    "--unit",
    "wait=duration",
    "--unit",
    "uptime=percent",
    "--unit",
    "revenue=currency:BRL",
    "--unit",
    "mood=scale:bad,ok,good",
];

#[test]
fn each_column_is_in_its_own_unit_and_a_second_run_records_nothing() {
    let server = Server::start();
    let before = server.state();
    let creating = [SHEET_FLAGS, SHEET_CREATION].concat();
    server.import_csv(SHEET, &[&creating[..], &["--dry-run"]].concat()).done(
        "2 rows with 8 values read: would send 8 measurements of 4 KPIs in 1 batch, and create 4 KPIs: mood, revenue, uptime, wait",
    );
    assert_eq!(server.state(), before);
    server
        .import_csv(SHEET, &creating)
        .done("2 rows with 8 values read: 8 recorded, 0 superseded, 0 unchanged; 4 KPIs created");
    for (kpi, expect) in [
        ("wait", [2880.0, 2190.0]),
        ("uptime", [94.2, 99.8]),
        ("revenue", [1.5e6, 2e6]),
        ("mood", [2.0, 0.0]),
    ] {
        assert_eq!(values(&server, kpi), expect, "{kpi}");
    }
    let first = server.state();
    // The KPIs' own units are known now: nothing about them has to be said again.
    server
        .import_csv(SHEET, SHEET_FLAGS)
        .done("2 rows with 8 values read: 0 recorded, 0 superseded, 8 unchanged; 0 KPIs created");
    let second = server.state();
    assert!(second.measurements == first.measurements && second.events == first.events);
}

#[test]
fn what_is_dirty_is_named_and_sent_only_as_told() {
    let server = Server::start();
    server
        .import_csv("date,value,kpi\n2025-01-01,1,nps\n", CREATE)
        .done("1 row read: 1 recorded, 0 superseded, 0 unchanged; 1 KPI created");
    let before = server.state();
    let text = "date,value,kpi\n2025-01-02,5,nps\n2025-01-02,5,nps\n2025-01-03,N/A,nps\n2025-01-04,,nps\n\
                2025-01-05,12x,nps\n2025-01-06,6,nsp\n2025-01-07,7,nps\n2025-01-07,8,nps\n2025-01-08,9,nps\n";
    server.import_csv(text, &[]).refused(
        2,
        &[
            "rows.csv:4: column \"value\": kpis/nps: \"N/A\" is no number",
            "rows.csv:5: column \"value\": it is empty",
            "rows.csv:6: column \"value\": kpis/nps: \"12x\" has more than a number",
            "rows.csv:7: workspaces/acme/kpis/nsp does not exist",
            "rows.csv:9: its value is 8 and in rows.csv:8 7",
            "nothing was written: 5 lines are wrong",
        ],
    );
    server
        .import_csv(text, &["--skip-empty", "--missing", "N/A"])
        .refused(2, &["nothing was written: 3 lines are wrong"]);
    assert_eq!(server.state(), before);

    let skipping = ["--skip-empty", "--missing", "N/A", "--skip-bad"];
    let run = server.import_csv(text, &[&skipping[..], &["--dry-run"]].concat());
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(server.state(), before);
    for (recorded, unchanged) in [(2, 0), (0, 2)] {
        let run = server.import_csv(text, &skipping);
        let line = format!(
            "9 rows read (1 of them repeat another), 2 without a value left out, 4 bad skipped: {recorded} recorded, 0 superseded, {unchanged} unchanged; 0 KPIs created\n"
        );
        assert_eq!((run.code, run.stdout), (Some(1), line), "{}", run.stderr);
        for said in [
            "rows.csv:6: ",
            "rows.csv:7: ",
            "rows.csv:9: ",
            "4 bad rows or values were skipped; the rest is recorded",
        ] {
            assert!(run.stderr.contains(said), "{said:?} is not in: {}", run.stderr);
        }
    }
    assert_eq!(values(&server, "nps"), [1.0, 5.0, 9.0]);
    assert_eq!(server.state().kpis, before.kpis);
}

#[test]
fn a_kpi_with_only_bad_values_is_not_created_and_of_many_skipped_twenty_are_shown() {
    let server = Server::start();
    let text = format!(
        "date,value,kpi\n2025-01-01,1,nps\n{}",
        "2025-01-01,x,mrr\n".repeat(25)
    );
    let run = server.import_csv(&text, &[CREATE, &["--skip-bad"]].concat());
    let line = "26 rows read, 25 bad skipped: 1 recorded, 0 superseded, 0 unchanged; 1 KPI created\n";
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), line), "{}", run.stderr);
    assert!(
        run.stderr.contains("and 5 more") && !run.stderr.contains("rows.csv:23: "),
        "{}",
        run.stderr
    );
    assert_eq!(server.state().kpis, ["workspaces/acme/kpis/nps"]);
}

#[test]
fn what_cannot_be_trusted_as_a_whole_is_never_skipped() {
    let server = Server::start();
    let before = server.state();
    let skipping = [CREATE, &["--skip-bad"]].concat();
    for text in [
        "date,value,kpi\n2025-01-01,1,nps\n2025-01-02,\"2,nps\n",
        "date;value;kpi\n2025-01-01;1;nps\n",
    ] {
        server
            .import_csv(text, &skipping)
            .refused(2, &["nothing was written"]);
    }
    assert_eq!(server.state(), before);
}

#[test]
fn a_flag_that_contradicts_the_files_or_another_is_refused() {
    let server = Server::start();
    let before = server.state();
    let text = "date,value,kpi\n2025-01-01,5,nps\n";
    for (flags, said) in [
        (
            &["--column", "x"][..],
            "--column means nothing with --layout rows",
        ),
        (
            &["--thousands", "point"],
            "--decimal and --thousands are the same mark",
        ),
        (
            &["--date-format", "DD.MM"],
            "does not say a day, a month, a quarter, a week or a year",
        ),
        (
            &["--value-unit", "min", "--value-unit", "h"],
            "--value-unit is given twice for all KPIs",
        ),
        (
            &["--value-unit", "nsp=min"],
            "neither the files nor the workspace have a KPI nsp",
        ),
        (
            &["--unit", "nsp=count"],
            "neither the files nor the workspace have a KPI nsp",
        ),
        (
            &["--value-unit", "min", "--unit", "percent"],
            "its values cannot be in min, it is measured in percent",
        ),
    ] {
        let run = server.import_csv(text, &[CREATE, flags].concat());
        run.refused(2, &[said]);
    }
    server
        .import_csv("date,nps,note\n2025-01-01,5,6\n", &["--layout", "kpi-columns"])
        .refused(
            2,
            &["rows.csv:2: column \"note\": workspaces/acme/kpis/note does not exist: correct the name with --rename, leave the column out with --ignore"],
        );
    assert_eq!(server.state(), before);
}

#[test]
fn what_is_wrong_in_a_file_is_said_even_when_nobody_answers() {
    let server = Server::start();
    std::fs::write(server.files.path().join("rows.csv"), "date,value\n2025-02-30,5\n").expect("a file");
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|bound| bound.local_addr())
        .expect("a port");
    server
        .import_from(&format!("http://{free}"), "", &["rows.csv", "--kpi", "nps"])
        .refused(2, &["rows.csv:2: ", "nothing was written: 1 line is wrong"]);
}
