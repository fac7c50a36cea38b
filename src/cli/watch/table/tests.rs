//! A small workspace with titles from everywhere, in terminals of several sizes.

use jiff::civil::date;

use super::*;
use crate::cli::picture::{AlertPicture, Bounds, CyclePicture};
use crate::cli::text::columns;

const HOSTILE: &str = "\x1b[2J\u{9b}31m\nred\u{202e}";

fn screen(columns: usize) -> Screen {
    Screen {
        columns,
        rows: 40,
        colours: false,
    }
}

fn condition() -> Condition {
    Condition {
        state: "live".to_owned(),
        is_bad: false,
        head: 142,
        silent_s: 3,
    }
}

fn objective(title: &str, score: Option<f64>, status: api::Status) -> ObjectivePicture {
    let mut progress = api::ObjectiveProgress {
        score,
        expected: Some(0.75),
        ..api::ObjectiveProgress::default()
    };
    progress.set_status(status);
    ObjectivePicture {
        title: title.to_owned(),
        progress: Some(progress),
    }
}

fn kpi(title: &str, value: f64, health: api::Health) -> KpiPicture {
    let mut known = api::KpiHealth {
        period_value: Some(api::PeriodValue {
            value,
            ..api::PeriodValue::default()
        }),
        target: "t".to_owned(),
        ..api::KpiHealth::default()
    };
    known.set_health(health);
    KpiPicture {
        title: title.to_owned(),
        unit: api::Unit {
            symbol: "min".to_owned(),
            ..api::Unit::default()
        },
        health: Some(known),
        ..KpiPicture::default()
    }
}

fn picture() -> Picture {
    use api::Status::{AtRisk, Closed, OnTrack};
    let mut picture = Picture {
        revision: 140,
        today: Some(date(2026, 11, 25)),
        title: "Acme 売上".to_owned(),
        score: Some(0.55),
        ..Picture::default()
    };
    let cycle = CyclePicture {
        title: "Q4 2026".to_owned(),
        score: Some(0.5),
        ..CyclePicture::default()
    };
    picture.cycles.insert("w/a/cycles/q4".to_owned(), cycle);
    for (id, shown) in [
        ("a", objective("Grow", Some(0.75), OnTrack)),
        (
            "b",
            objective(
                "売上高を二倍にして世界で一番愛される会社になる",
                Some(0.25),
                AtRisk,
            ),
        ),
        ("c", objective("🚀 To the moon 👩‍🚀", None, OnTrack)),
        ("d", objective("Long ago", Some(1.0), Closed)),
        (
            "e",
            ObjectivePicture {
                title: "A draft".to_owned(),
                progress: None,
            },
        ),
        ("f", objective(HOSTILE, Some(f64::NAN), OnTrack)),
    ] {
        picture.objectives.insert(format!("w/a/objectives/{id}"), shown);
    }
    picture.kpis.insert(
        "w/a/kpis/reply".to_owned(),
        kpi("Average reply time", 41.0, api::Health::Breached),
    );
    picture
        .kpis
        .insert("w/a/kpis/silent".to_owned(), KpiPicture::default());
    picture.targets.insert(
        "t".to_owned(),
        Bounds {
            at_least: None,
            at_most: Some(30.0),
        },
    );
    for (id, needs_action) in [("breach-3", true), ("stale-4", false)] {
        let alert = AlertPicture {
            about: api::alert::Kind::Breach,
            needs_action,
        };
        picture
            .alerts
            .insert(format!("w/a/kpis/reply/alerts/{id}"), alert);
    }
    picture
}

fn trail() -> Trail {
    let mut trail = Trail::default();
    let mut picture = picture();
    for value in [29.0, 33.0, 41.0, 48.0] {
        picture
            .kpis
            .insert("w/a/kpis/reply".to_owned(), kpi("", value, api::Health::Breached));
        trail.take(&picture, ["w/a/kpis/reply", "w/a/objectives/a"].into_iter());
    }
    trail
}

fn trimmed(screen: Screen) -> Vec<String> {
    let lines = frame(&picture(), &trail(), &condition(), screen);
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

#[test]
fn in_80_columns_it_reads_like_this() {
    let expected = [
        "Acme 売上  score 0.55  2026-11-25",
        "live  revision 140, 2 behind  last heard 3 s ago",
        "Q4 2026                         █████░░░░░ 0.50",
        "",
        "OBJECTIVES                      progress            score recent     status",
        "売上高を二倍にして世界で一番愛… ███░░░░┊░░           0.25            AT RISK",
        "Grow                            ████████░░           0.75 ▅          on track",
        "🚀 To the moon 👩\u{200d}🚀               ··········              –            on track",
        "�[2J�31m red�                   ··········              –            on track",
        "",
        "KPIS                            target              value recent     health",
        "Average reply time              at most 30         41 min ▁▂▅█       BREACHED",
        "silent                                                  –",
        "",
        "ALERTS THAT NEED ACTION",
        "KPI Average reply time (breach)",
    ];
    assert_eq!(trimmed(screen(80)), expected);
}

#[test]
fn in_40_columns_there_are_titles_figures_and_status() {
    let expected = [
        "Acme 売上  score 0.55  2026-11-25",
        "live  revision 140, 2 behind  last hear…",
        "Q4 2026          0.50",
        "",
        "OBJECTIVES             score status",
        "売上高を二倍に…         0.25 AT RISK",
        "Grow                    0.75 on track",
        "🚀 To the moon…            – on track",
        "�[2J�31m red�              – on track",
        "",
        "KPIS                   value health",
        "Average reply …       41 min BREACHED",
        "silent                     –",
        "",
        "ALERTS THAT NEED ACTION",
        "KPI Average reply time (breach)",
    ];
    assert_eq!(trimmed(screen(40)), expected);
}

#[test]
fn no_line_is_wider_than_the_terminal_and_colours_change_no_width() {
    for columns_of in [
        0, 1, 19, 20, 35, 36, 39, 40, 59, 60, 80, 99, 100, 159, 160, 200, 500,
    ] {
        let plain = screen(columns_of);
        let coloured = Screen {
            colours: true,
            ..plain
        };
        let lines = frame(&picture(), &trail(), &condition(), plain);
        for (line, coloured) in lines
            .iter()
            .zip(frame(&picture(), &trail(), &condition(), coloured))
        {
            assert!(columns(line) <= columns_of, "{columns_of}: {line}");
            assert!(
                !line.contains(char::is_control) && !line.contains('\u{202e}'),
                "{line:?}"
            );
            assert!(!line.contains("NaN"), "{line}");
            assert_eq!(&console::strip_ansi_codes(&coloured), line);
        }
    }
}

#[test]
fn in_200_columns_all_of_a_title_is_there() {
    let text = trimmed(screen(200)).join("\n");
    for title in [
        "売上高を二倍にして世界で一番愛される会社になる",
        "🚀 To the moon 👩‍🚀",
        "Average reply time",
    ] {
        assert!(text.contains(title), "{text}");
    }
}

#[test]
fn there_are_never_more_lines_than_rows_and_what_is_hidden_is_counted() {
    let mut many = picture();
    for index in 0..50 {
        many.objectives.insert(
            format!("w/a/objectives/z{index:02}"),
            objective("Z", Some(0.5), api::Status::Behind),
        );
    }
    for rows in 0..70 {
        let screen = Screen { rows, ..screen(80) };
        let lines = frame(&many, &trail(), &condition(), screen);
        assert!(lines.len() <= rows, "{rows}: {} lines", lines.len());
        let shown = lines
            .iter()
            .filter(|line| line.contains("░") && line.contains("0."))
            .count();
        let hidden: usize = lines
            .iter()
            .filter_map(|line| {
                line.trim()
                    .strip_prefix("… and ")?
                    .strip_suffix(" more")?
                    .parse::<usize>()
                    .ok()
            })
            .sum();
        if rows >= 20 {
            assert!(shown > 0, "{rows}: {lines:#?}");
            assert!(
                lines
                    .iter()
                    .any(|line| line.contains("KPI Average reply time (breach)")),
                "{rows}: {lines:#?}"
            );
            assert!(hidden > 0 || rows >= 64, "{rows}: {lines:#?}");
        }
    }
    // What is worst is not what is hidden.
    let screen = Screen {
        rows: 20,
        ..screen(80)
    };
    let lines = frame(&many, &trail(), &condition(), screen);
    assert!(lines.iter().any(|line| line.contains("AT RISK")), "{lines:#?}");
}

#[test]
fn nothing_at_all_is_a_heading_alone() {
    let lines = frame(
        &Picture::default(),
        &Trail::default(),
        &Condition::default(),
        screen(80),
    );
    assert_eq!(lines.len(), 2, "{lines:?}");
}

#[test]
fn who_is_behind_sees_by_how_much() {
    let behind = Condition {
        head: 1_140,
        ..condition()
    };
    let lines = frame(&picture(), &trail(), &behind, screen(80));
    assert_eq!(lines[1], "live  revision 140, 1000 behind  last heard 3 s ago");
}
