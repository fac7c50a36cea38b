//! Events in, sentences out.

use super::*;
use crate::proto::api::resource::Resource;

const KPI: &str = "workspaces/a/kpis/reply";
const KEY_RESULT: &str = "workspaces/a/objectives/o/keyResults/r";

fn directory() -> Directory {
    let mut directory = Directory::default();
    let minutes = api::Unit {
        symbol: "min".to_owned(),
        decimals: Some(0),
        ..api::Unit::default()
    };
    directory.resource(&api::Resource {
        resource: Some(Resource::Kpi(api::Kpi {
            name: KPI.to_owned(),
            title: "Average reply time".to_owned(),
            unit: Some(minutes),
            ..api::Kpi::default()
        })),
    });
    directory.resource(&api::Resource {
        resource: Some(Resource::KeyResult(api::KeyResult {
            name: KEY_RESULT.to_owned(),
            title: "Faster replies".to_owned(),
            kpi: KPI.to_owned(),
            ..api::KeyResult::default()
        })),
    });
    directory
}

fn text(text: &str) -> Option<Kind> {
    Some(Kind::StringValue(text.to_owned()))
}

fn number(number: f64) -> Option<Kind> {
    Some(Kind::NumberValue(number))
}

fn said(kind: &str, resource: &str, changes: &[(&str, Option<Kind>, Option<Kind>)]) -> String {
    let side = |kind: &Option<Kind>| kind.clone().map(|kind| prost_types::Value { kind: Some(kind) });
    let changes = changes.iter().map(|(path, before, after)| api::FieldChange {
        path: (*path).to_owned(),
        before: side(before),
        after: side(after),
    });
    let event = api::Event {
        r#type: kind.to_owned(),
        resource: resource.to_owned(),
        changes: changes.collect(),
        effective_time: (kind.starts_with("Measurement")).then_some(prost_types::Timestamp {
            seconds: 1_764_000_000,
            nanos: 0,
        }),
        ..api::Event::default()
    };
    sentence(&event, None, &directory(), &TimeZone::UTC).text
}

#[test]
fn a_value_has_its_unit_and_says_when_it_was_true() {
    let value = "measurement.value";
    for (kind, before, after, sentence) in [
        ("MeasurementRecorded", None, number(41.0), "41 min of T"),
        (
            "MeasurementRecorded",
            number(38.0),
            number(41.0),
            "38 min → 41 min of T, corrected",
        ),
        (
            "MeasurementRetracted",
            number(38.0),
            None,
            "38 min of T, retracted",
        ),
        (
            "MeasurementRecorded",
            None,
            None,
            "the same value of T, recorded again",
        ),
    ] {
        assert_eq!(
            said(kind, KPI, &[(value, before, after)]),
            format!(
                "KPI Average reply time: {}",
                sentence.replace('T', "2025-11-24 16:00:00")
            )
        );
    }
    let note = [
        (value, None, number(1.0)),
        ("measurement.note", None, text("by hand")),
    ];
    assert!(said("MeasurementRecorded", KPI, &note).ends_with(" – by hand"));
}

#[test]
fn a_value_of_now_needs_no_second_time() {
    for (recorded_s, sentence) in [
        (
            1_764_000_000,
            "KPI Average reply time: the same value, recorded again",
        ),
        (
            1_764_000_060,
            "KPI Average reply time: the same value, recorded again",
        ),
        (
            1_764_000_061,
            "KPI Average reply time: the same value of 2025-11-24 16:00:00, recorded again",
        ),
    ] {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let event = api::Event {
            r#type: "MeasurementRecorded".to_owned(),
            resource: KPI.to_owned(),
            effective_time: time(1_764_000_000),
            ..api::Event::default()
        };
        let said = super::sentence(&event, time(recorded_s), &directory(), &TimeZone::UTC);
        assert_eq!(said.text, sentence);
    }
}

#[test]
fn a_check_in_says_what_it_says() {
    let check_in = format!("{KEY_RESULT}/checkIns/c");
    for (changes, sentence) in [
        (&[][..], "key result Faster replies: checked in"),
        (
            &[("value", None, number(35.0))],
            "key result Faster replies: 35 min",
        ),
        (
            &[
                ("value", None, number(35.0)),
                ("confidence", None, number(0.7)),
                ("status_override", None, text("AT_RISK")),
                ("comment", None, text("Ana is ill")),
            ],
            "key result Faster replies: 35 min, confidence 0.70, said to be at risk – Ana is ill",
        ),
    ] {
        assert_eq!(said("CheckInRecorded", &check_in, changes), sentence);
    }
    assert_eq!(
        said(
            "CheckInCorrected",
            &check_in,
            &[("value", number(35.0), number(34.0))]
        ),
        "check-in of key result Faster replies corrected: value 35 min → 34 min"
    );
    assert_eq!(
        said("CheckInRetracted", &check_in, &[("value", number(35.0), None)]),
        "check-in of key result Faster replies retracted"
    );
}

#[test]
fn what_was_written_is_told_with_before_and_after() {
    let objective = "workspaces/a/objectives/o";
    for (changes, told) in [
        (&[][..], ""),
        (&[("title", text("A"), text("B"))], ": title A → B"),
        (&[("owner", text("maria"), None)], ": owner maria → none"),
        (&[("aligned_to", None, text("x"))], ": aligned to x"),
        (&[("weight", number(1.0), number(2.5))], ": weight 1 → 2.5"),
        (
            &[
                ("a", None, text("1")),
                ("b", None, text("2")),
                ("c", None, text("3")),
                ("d", None, text("4")),
                ("e", None, text("5")),
                ("f", None, text("6")),
                ("g", None, text("7")),
            ],
            ": a 1, b 2, c 3, d 4, e 5, and 2 more",
        ),
    ] {
        assert_eq!(
            said("ObjectiveUpdated", objective, changes),
            format!("objective o updated{told}")
        );
    }
    let target = format!("{KPI}/targets/2026-01-01");
    assert_eq!(
        said("TargetSet", &target, &[("at_most", number(40.0), number(30.0))]),
        "target 2026-01-01 of KPI Average reply time set: at most 40 min → 30 min"
    );
}

#[test]
fn every_event_has_a_sentence_also_one_that_nobody_knows_yet() {
    let alert = format!("{KPI}/alerts/breach-3");
    for (kind, resource, changes, sentence) in [
        (
            "ObjectiveCreated",
            "w/a/objectives/o",
            &[("title", None, text("A"))][..],
            "objective o created",
        ),
        (
            "ObjectiveActivated",
            "w/a/objectives/o",
            &[("state", text("DRAFT"), text("ACTIVE"))],
            "objective o activated",
        ),
        (
            "ObjectiveClosed",
            "w/a/objectives/o",
            &[("result.score", None, number(0.725))],
            "objective o closed at 0.72",
        ),
        ("ObjectiveClosed", "w/a/objectives/o", &[], "objective o closed"),
        ("CycleReviewBegun", "w/a/cycles/q4", &[], "cycle q4 review begun"),
        (
            "KeyResultDeleted",
            KEY_RESULT,
            &[],
            "key result Faster replies deleted",
        ),
        ("KpiArchived", KPI, &[], "KPI Average reply time archived"),
        (
            "ScoringPolicyUpdated",
            "w/a/scoringPolicy",
            &[],
            "scoring policy updated",
        ),
        ("WorkspaceUpdated", "workspaces/a", &[], "workspace updated"),
        (
            "DayStarted",
            "workspaces/a",
            &[("today", None, text("2026-11-25"))],
            "2026-11-25 begins",
        ),
        (
            "AlertOpened",
            &alert,
            &[("kind", None, text("BREACH"))],
            "alert (breach): KPI Average reply time asks for action",
        ),
        (
            "AlertClosed",
            &alert,
            &[("close_reason", None, text("RECOVERED"))],
            "alert breach-3 is over: KPI Average reply time has recovered",
        ),
        (
            "ActionPlanSet",
            &alert,
            &[("action_plan.text", None, text("Call them"))],
            "alert breach-3 of KPI Average reply time action plan set: text Call them",
        ),
        (
            "SomethingNewHappened",
            "w/a/somethings/x",
            &[],
            "resource x something new happened",
        ),
        ("", "", &[], "resource  "),
    ] {
        assert_eq!(said(kind, resource, changes), sentence, "{kind}");
    }
}

#[test]
fn a_time_that_is_none_is_no_reason_to_fail() {
    let never = prost_types::Timestamp {
        seconds: i64::MAX,
        nanos: -1,
    };
    assert_eq!(moment(never, &TimeZone::UTC), "at no time");
}
