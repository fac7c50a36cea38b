//! Messages in, text out.

use super::*;
use crate::proto::api::resource::Resource;

const KPI: &str = "workspaces/a/kpis/k";

fn commit(revision: i64, principal: &str, reason: &str) -> Option<api::Commit> {
    Some(api::Commit {
        revision,
        recorded_time: Some(prost_types::Timestamp {
            seconds: 1_764_000_000,
            nanos: 0,
        }),
        principal: principal.to_owned(),
        reason: reason.to_owned(),
        method: "binnacle.v1.KpiService/RecordMeasurement".to_owned(),
        ..api::Commit::default()
    })
}

fn event(kind: &str, resource: &str) -> api::Event {
    api::Event {
        r#type: kind.to_owned(),
        resource: resource.to_owned(),
        ..api::Event::default()
    }
}

fn score(after: f64) -> api::DerivedChange {
    api::DerivedChange {
        resource: "workspaces/a".to_owned(),
        figure: Some(Figure::Score(api::ScoreChange {
            before: None,
            after: Some(after),
        })),
    }
}

fn opened() -> api::DerivedChange {
    let mut alert = api::Alert::default();
    alert.set_state(api::alert::State::Open);
    alert.set_kind(api::alert::Kind::Breach);
    api::DerivedChange {
        resource: format!("{KPI}/alerts/breach-1"),
        figure: Some(Figure::Alert(api::AlertChange {
            before: None,
            after: Some(alert),
        })),
    }
}

fn kpi(title: &str) -> api::Resource {
    api::Resource {
        resource: Some(Resource::Kpi(api::Kpi {
            name: KPI.to_owned(),
            title: title.to_owned(),
            ..api::Kpi::default()
        })),
    }
}

fn written(colours: bool, parts: Vec<api::Update>) -> String {
    let mut lines = Lines::new(Vec::new(), Directory::default(), TimeZone::UTC, colours);
    let messages = parts.into_iter().map(|update| api::SubscribeResponse {
        resume_token: "t".to_owned(),
        event: Some(Event::Update(update)),
    });
    assert!(lines.take(&Step::Messages(messages.collect())).is_ok());
    String::from_utf8(lines.out).expect("text")
}

#[test]
fn what_followed_stands_below_all_events_of_its_commit() {
    let first = api::Update {
        commit: commit(42, "maria", "the audit"),
        events: vec![event("KpiUpdated", KPI)],
        derived_changes: vec![score(0.5)],
        ..api::Update::default()
    };
    let second = api::Update {
        commit: commit(42, "maria", "the audit"),
        events: vec![event("KpiArchived", KPI)],
        derived_changes: vec![score(0.25)],
        ..api::Update::default()
    };
    assert_eq!(
        written(false, vec![first, second]),
        "2025-11-24 16:00:00  #42  maria  KPI k updated (reason: the audit)\n\
         2025-11-24 16:00:00  #42  maria  KPI k archived (reason: the audit)\n\
         \x20   workspace: – → 0.50\n\
         \x20   workspace: – → 0.25\n"
    );
}

#[test]
fn an_alert_that_opens_is_said_once_and_figures_without_an_event_have_a_cause() {
    let alert = format!("{KPI}/alerts/breach-1");
    let update = api::Update {
        commit: commit(7, "binnacle", ""),
        events: vec![event("AlertOpened", &alert)],
        derived_changes: vec![opened()],
        entered: vec![api::Resource {
            resource: Some(Resource::Alert(api::Alert {
                name: alert,
                ..api::Alert::default()
            })),
        }],
        ..api::Update::default()
    };
    assert_eq!(
        written(false, vec![update]),
        "2025-11-24 16:00:00  #7  binnacle  what followed from RecordMeasurement\n\
         \x20   alert (breach): KPI k asks for action\n"
    );
    let nothing = api::Update {
        commit: commit(8, "maria", ""),
        ..api::Update::default()
    };
    assert_eq!(written(false, vec![nothing]), "");
}

#[test]
fn what_comes_into_view_and_leaves_is_said_unless_its_event_says_it() {
    let moved = api::Update {
        commit: commit(9, "maria", ""),
        entered: vec![kpi("Revenue")],
        left: vec!["workspaces/a/objectives/o".to_owned()],
        ..api::Update::default()
    };
    assert_eq!(
        written(false, vec![moved]),
        "2025-11-24 16:00:00  #9  maria  what followed from RecordMeasurement\n\
         \x20   now in view: KPI Revenue\n\
         \x20   out of view: objective o\n"
    );
    let created = api::Update {
        commit: commit(10, "maria", ""),
        events: vec![event("KpiCreated", KPI)],
        entered: vec![kpi("Revenue")],
        ..api::Update::default()
    };
    assert_eq!(
        written(false, vec![created]),
        "2025-11-24 16:00:00  #10  maria  KPI Revenue created\n"
    );
}

#[test]
fn a_net_change_says_since_when() {
    let net = api::Update {
        commit: commit(60, "", ""),
        from_revision: Some(42),
        changed: vec![kpi("Revenue")],
        derived_changes: vec![score(0.5)],
        ..api::Update::default()
    };
    assert_eq!(
        written(false, vec![net]),
        "2025-11-24 16:00:00  #60  all in all since #42\n\
         \x20   workspace: – → 0.50\n\
         \x20   now: KPI Revenue\n"
    );
}

#[test]
fn a_resource_that_is_another_figure_is_not_said_a_second_time() {
    let net = api::Update {
        commit: commit(60, "", ""),
        from_revision: Some(42),
        changed: vec![api::Resource {
            resource: Some(api::resource::Resource::Workspace(api::Workspace {
                name: "workspaces/a".to_owned(),
                ..api::Workspace::default()
            })),
        }],
        derived_changes: vec![score(0.5)],
        ..api::Update::default()
    };
    assert_eq!(
        written(false, vec![net]),
        "2025-11-24 16:00:00  #60  all in all since #42\n\
         \x20   workspace: – → 0.50\n"
    );
}

#[test]
fn nothing_that_people_write_reaches_the_terminal_raw() {
    let hostile = "\x1b[2J\u{9b}31m\r\n\u{202e}\x07";
    let update = api::Update {
        commit: commit(1, hostile, hostile),
        events: vec![event("KpiUpdated", KPI)],
        entered: vec![kpi(hostile)],
        left: vec![format!("workspaces/a/kpis/{hostile}")],
        ..api::Update::default()
    };
    let text = written(false, vec![update.clone()]);
    assert_eq!(text.lines().count(), 2, "{text:?}");
    let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(raw), "{text:?}");
    // With colours the only escape sequences are the colours.
    let coloured = written(true, vec![update]);
    let mut rest = coloured.as_str();
    while let Some((_, after)) = rest.split_once('\x1b') {
        assert!(
            ["[0m", "[2m"].iter().any(|code| after.starts_with(code)),
            "{coloured:?}"
        );
        rest = after;
    }
}
