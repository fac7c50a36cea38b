//! A small picture, line by line.

use jiff::civil::date;

use super::*;
use crate::cli::picture::{Bounds, CyclePicture, InitiativePicture, ObjectivePicture};

const PLAIN: Style = Style {
    columns: 100,
    key_results: true,
    colours: false,
};

fn picture() -> Picture {
    let mut picture = Picture {
        revision: 142,
        today: Some(date(2026, 3, 4)),
        title: "Acme".to_owned(),
        ultimate_goal: "Everything for everybody".to_owned(),
        ..Picture::default()
    };
    let cycle = CyclePicture {
        title: "Q1".to_owned(),
        first_date: Some(date(2026, 1, 1)),
        last_date: Some(date(2026, 3, 31)),
        score: Some(0.5),
    };
    picture.cycles.insert("w/a/cycles/q1".to_owned(), cycle);
    add_objectives(&mut picture);
    add_kpis(&mut picture);
    picture
}

fn add_objectives(picture: &mut Picture) {
    let mut progress = api::ObjectiveProgress {
        score: Some(0.5),
        expected: Some(0.75),
        ..api::ObjectiveProgress::default()
    };
    progress.set_status(api::Status::AtRisk);
    for (id, title, progress) in [
        ("a", "Better customer support", Some(progress)),
        // Its name begins as the other's does.
        ("a-draft", "Something else", None),
    ] {
        let title = title.to_owned();
        let objective = ObjectivePicture { title, progress };
        picture
            .objectives
            .insert(format!("w/a/objectives/{id}"), objective);
    }
    let mut progress = api::KeyResultProgress {
        current: Some(39.0),
        score: 0.5,
        expected: f64::NAN,
        ..api::KeyResultProgress::default()
    };
    progress.set_status(api::Status::AtRisk);
    let key_result = KeyResultPicture {
        title: "Average reply time".to_owned(),
        kpi: "w/a/kpis/reply".to_owned(),
        baseline: Some(48.0),
        target: Some(30.0),
        progress: Some(progress),
        ..KeyResultPicture::default()
    };
    picture
        .key_results
        .insert("w/a/objectives/a/keyResults/r".to_owned(), key_result);
    for (id, state) in [
        ("i", api::initiative::State::Done),
        ("j", api::initiative::State::Planned),
    ] {
        let title = "Hire".to_owned();
        let initiative = InitiativePicture { title, state };
        picture
            .initiatives
            .insert(format!("w/a/objectives/a/initiatives/{id}"), initiative);
    }
}

fn add_kpis(picture: &mut Picture) {
    let mut health = api::KpiHealth {
        period_value: Some(api::PeriodValue {
            value: 48.0,
            ..api::PeriodValue::default()
        }),
        latest_value: Some(48.0),
        target: "t".to_owned(),
        ..api::KpiHealth::default()
    };
    health.set_health(api::Health::Breached);
    let kpi = KpiPicture {
        title: "Average reply time".to_owned(),
        unit: api::Unit {
            symbol: "min".to_owned(),
            ..api::Unit::default()
        },
        health: Some(health),
        series: [29.0, 33.0, 41.0, 48.0]
            .into_iter()
            .zip(0i64..)
            .map(|(value, at)| ((at, 0), value))
            .collect(),
        in_trouble: true,
        ..KpiPicture::default()
    };
    picture.kpis.insert("w/a/kpis/reply".to_owned(), kpi);
    picture
        .kpis
        .insert("w/a/kpis/silent".to_owned(), KpiPicture::default());
    let bounds = Bounds {
        at_least: None,
        at_most: Some(30.0),
    };
    picture.targets.insert("t".to_owned(), bounds);
}

fn trimmed(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.trim_end()).collect()
}

#[test]
fn a_frame_of_100_columns_reads_like_this() {
    let lines = frame(&picture(), PLAIN);
    let expected = [
        "Acme: Everything for everybody                                              2026-03-04  revision 142",
        "Q1                                     ████████░░░░░░░░ 0.50  day 63 of 90",
        "",
        "OBJECTIVES                             score, ┊ expected                                 status",
        "Better customer support                ████████░░░┊░░░░ 0.50  initiatives 1 of 2 done    AT RISK",
        "  Average reply time                   ████████░░░░░░░░ 0.50  39 → 30 min                AT RISK",
        "Something else                         ················    –                             draft",
        "",
        "KPIS                                   week by week                                      health",
        "Average reply time                     ▁▂▅█                     48 min at most 30        BREACHED",
        "                                                                     – no target",
    ];
    assert_eq!(trimmed(&lines), expected);
}

#[test]
fn without_lines_for_key_results_the_objectives_stay() {
    let style = Style {
        key_results: false,
        ..PLAIN
    };
    assert_eq!(frame(&picture(), style).len(), frame(&picture(), PLAIN).len() - 1);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_colours_change_no_width() {
    for columns in [60, 80, 95, 96, 100, 250] {
        let plain = Style { columns, ..PLAIN };
        let coloured = Style {
            colours: true,
            ..plain
        };
        let lines = frame(&picture(), plain);
        for (line, coloured) in lines.iter().zip(frame(&picture(), coloured)) {
            assert!(line.chars().count() <= columns.min(100), "{columns}: {line}");
            assert!(!line.contains('\x1b'), "{line:?}");
            assert!(!line.contains("NaN") && !line.contains("inf"), "{line}");
            assert_eq!(&without_escapes(&coloured), line);
        }
    }
    let coloured = Style {
        colours: true,
        ..PLAIN
    };
    assert!(
        frame(&picture(), coloured)
            .iter()
            .any(|line| line.contains("\x1b[31m"))
    );
}

fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, after)| after)
    })
}

#[test]
fn what_happened_is_one_sentence() {
    let health = |before, after, recovered| Notable::Health {
        kpi: "w/a/kpis/reply".to_owned(),
        before,
        after,
        recovered,
    };
    let objective = "w/a/objectives/a".to_owned();
    for (notable, sentence) in [
        (
            health(api::Health::Watch, api::Health::Breached, false),
            "KPI Average reply time: watch → BREACHED at 48 min (at most 30)",
        ),
        (
            health(api::Health::Watch, api::Health::Healthy, true),
            "KPI Average reply time RECOVERED: watch → healthy at 48 min (at most 30)",
        ),
        (
            Notable::Status {
                objective: objective.clone(),
                before: api::Status::OnTrack,
                after: api::Status::Behind,
            },
            "objective Better customer support: on track → behind",
        ),
        (
            Notable::Asks {
                kpi: "w/a/kpis/reply".to_owned(),
                about: api::alert::Kind::Breach,
            },
            "alert (breach): KPI Average reply time asks for action",
        ),
        (
            Notable::Asked {
                kpi: "w/a/kpis/reply".to_owned(),
                about: api::alert::Kind::AdverseMove,
                why: api::alert::CloseReason::Recovered,
            },
            "alert (moves for the worse) is over: KPI Average reply time has recovered",
        ),
        (
            Notable::Begun { objective },
            "objective Better customer support begins",
        ),
        (
            Notable::Done {
                initiative: "w/a/objectives/a/initiatives/i".to_owned(),
            },
            "initiative Hire is done",
        ),
    ] {
        assert_eq!(notable_line(&picture(), &notable, PLAIN), sentence);
    }
}
