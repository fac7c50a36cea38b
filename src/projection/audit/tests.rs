//! What an auditor reads of an event: a line a field, `path: before → after`.

use jiff::civil::date;

use super::*;
use crate::domain::given::{id, key_result, key_result_id, metric, objective, title, value};
use crate::domain::{
    Band, CheckIn, Closing, Command, CycleState, FrozenKeyResult, Grade, Grading, HygieneLimits, Id,
    KeyResultFields, KeyResultKind, Maintain, MaintainMode, Metric, Milestone, Milestones, ObjectiveFields,
    ObjectiveResult, ObjectiveState, Outcome, RelativeTarget, ResourceName, Review, Revision, RollUp,
    ScoringPolicy, StatusOverride, Text, Timestamp, Weight, Window,
};

mod kpi;

/// 1970-01-02T00:00:00Z.
fn recorded() -> Timestamp {
    Timestamp::from_micros(86_400_000_000)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "a table reads better without borrowing"
)]
fn check(event: Event, expected: &[&str]) {
    let side = |json: &Json| match json {
        Json::Null => "none".to_owned(),
        json => json.to_string(),
    };
    let read: Vec<String> = field_changes(&event, recorded())
        .iter()
        .map(|FieldChange { path, before, after }| format!("{path}: {} → {}", side(before), side(after)))
        .collect();
    assert_eq!(read, expected, "{}", event.kind());
}

fn text(text: &str) -> Text {
    Text::parse(text).unwrap()
}

fn result() -> Box<ObjectiveResult> {
    let frozen = |name: &str, current: Option<f64>, progress: f64| FrozenKeyResult {
        id: id(name),
        current,
        progress,
        score: progress.clamp(0.0, 1.0),
        expected: 0.75,
        provisional: false,
        reached_milestones: Vec::new(),
        periods_held: 0,
        periods_with_data: 0,
    };
    Box::new(ObjectiveResult {
        score: Some(0.5),
        expected: Some(0.75),
        grading: Some(Grading {
            grade: Grade::parse(0.6).unwrap(),
            band: Band::Yellow,
            outcome: Outcome::Partial,
            too_easy: false,
            needs_explanation: true,
        }),
        postponed: false,
        closing: Closing {
            grade: Some(Grade::parse(0.6).unwrap()),
            grade_reason: text("a late survey"),
            explanation: text("one customer left"),
            ..Closing::silent()
        },
        with_cycle: true,
        date: date(2026, 3, 31),
        policy_version: Revision(1),
        key_results: vec![frozen("deals", None, 0.0), frozen("nps", Some(52.5), 1.25)],
    })
}

#[test]
fn a_closing_is_read_as_its_state_its_grade_and_what_it_froze() {
    let lines = [
        "result.close_date: none → \"2026-03-31\"",
        "result.closing.explanation: none → \"one customer left\"",
        "result.closing.grade: none → 0.6",
        "result.closing.grade_reason: none → \"a late survey\"",
        "result.expected: none → 0.75",
        "result.grading.band: none → \"YELLOW\"",
        "result.grading.grade: none → 0.6",
        "result.grading.needs_explanation: none → true",
        "result.grading.outcome: none → \"PARTIAL\"",
        "result.key_results: none → [\"deals\",\"nps\"]",
        "result.key_results.deals.expected: none → 0.75",
        "result.key_results.deals.progress: none → 0.0",
        "result.key_results.deals.score: none → 0.0",
        "result.key_results.nps.current: none → 52.5",
        "result.key_results.nps.expected: none → 0.75",
        "result.key_results.nps.progress: none → 1.25",
        "result.key_results.nps.score: none → 1.0",
        "result.policy_version: none → 1",
        "result.score: none → 0.5",
        "result.with_cycle: none → true",
        "state: \"ACTIVE\" → \"CLOSED\"",
    ];
    check(
        Event::ObjectiveClosed {
            id: id("win"),
            before: ObjectiveState::Active,
            result: result(),
        },
        &lines,
    );
    // What was frozen stays readable when it is taken back.
    let back: Vec<String> = lines
        .iter()
        .map(|line| {
            let (path, sides) = line.split_once(": ").unwrap();
            let (before, after) = sides.split_once(" → ").unwrap();
            format!("{path}: {after} → {before}")
        })
        .collect();
    let back: Vec<&str> = back.iter().map(String::as_str).collect();
    check(
        Event::ObjectiveReopened {
            id: id("win"),
            before: ObjectiveState::Closed,
            after: ObjectiveState::Active,
            result: Some(result()),
        },
        &back,
    );
    let postponed = ObjectiveResult {
        score: None,
        expected: None,
        grading: None,
        postponed: true,
        closing: Closing::silent(),
        with_cycle: false,
        key_results: Vec::new(),
        ..*result()
    };
    check(
        Event::ObjectiveClosed {
            id: id("win"),
            before: ObjectiveState::Draft,
            result: Box::new(postponed),
        },
        &[
            "result.close_date: none → \"2026-03-31\"",
            "result.grading.outcome: none → \"POSTPONED\"",
            "result.policy_version: none → 1",
            "state: \"DRAFT\" → \"CLOSED\"",
        ],
    );
}

#[test]
fn a_state_is_read_before_and_after() {
    let win = || id("win");
    let q1 = || id("q1");
    check(
        Event::ObjectiveCanceled {
            id: win(),
            before: ObjectiveState::Active,
        },
        &["state: \"ACTIVE\" → \"CANCELED\""],
    );
    check(
        Event::ObjectiveReopened {
            id: win(),
            before: ObjectiveState::Canceled,
            after: ObjectiveState::Draft,
            result: None,
        },
        &["state: \"CANCELED\" → \"DRAFT\""],
    );
    check(
        Event::CycleReviewBegun {
            id: q1(),
            before: CycleState::Active,
        },
        &["state: \"ACTIVE\" → \"REVIEW\""],
    );
    check(
        Event::CycleClosed {
            id: q1(),
            before: CycleState::Review,
        },
        &["state: \"REVIEW\" → \"CLOSED\""],
    );
    check(
        Event::CycleReopened {
            id: q1(),
            before: CycleState::Closed,
        },
        &["state: \"CLOSED\" → \"REVIEW\""],
    );
    check(
        Event::Deleted {
            name: ResourceName::Team(id("sales")),
        },
        &["deleted: false → true"],
    );
    check(
        Event::Undeleted {
            name: ResourceName::Team(id("sales")),
            deletion: Revision(12),
        },
        &["deleted: true → false", "deletion_revision: 12 → none"],
    );
}

#[test]
fn a_review_is_read_as_what_was_said() {
    let review = Review {
        team: None,
        date: date(2026, 3, 31),
        attendees: vec![id("ana"), id("rui")],
        achieved: text("two of three"),
        learned: Text::empty(),
        next: text("Brazil first"),
    };
    check(
        Event::ReviewRecorded {
            cycle: id("q1"),
            id: id("retro"),
            review: Box::new(review),
        },
        &[
            "achieved: none → \"two of three\"",
            "attendees: none → [\"ana\",\"rui\"]",
            "date: none → \"2026-03-31\"",
            "next: none → \"Brazil first\"",
        ],
    );
}

#[test]
fn a_policy_is_read_by_the_numbers_that_changed() {
    let before = ScoringPolicy::default();
    let after = ScoringPolicy {
        aspirational_bar: 0.6,
        roll_up: RollUp::OwnAndAligned,
        hygiene: HygieneLimits {
            key_results_max: 6,
            ..before.hygiene
        },
        ..before
    };
    check(
        Event::ScoringPolicyUpdated {
            before: Box::new(before),
            after: Box::new(after),
        },
        &[
            "aspirational_bar: 0.7 → 0.6",
            "hygiene.key_results_max: 5 → 6",
            "roll_up: \"OWN\" → \"OWN_AND_ALIGNED\"",
        ],
    );
}

/// The fields that a command of the given's would create with.
fn objective_fields() -> Box<ObjectiveFields> {
    match objective("win", |_| {}) {
        Command::CreateObjective { fields, .. } => fields,
        other => panic!("{other:?}"),
    }
}

fn key_result_fields(kind: KeyResultKind) -> Box<KeyResultFields> {
    match key_result("win/nps", |fields| fields.kind = kind) {
        Command::CreateKeyResult { fields, .. } => fields,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_carried_over_is_read_with_its_source() {
    check(
        Event::ObjectiveCreated {
            id: id("win-q2"),
            fields: objective_fields(),
            carried_from: Some(id("win")),
            started_from: None,
        },
        &[
            "ambition: none → \"COMMITTED\"",
            "cycle: none → \"q1\"",
            "owner: none → \"maria\"",
            "title: none → \"win\"",
            "weight: none → 1.0",
            "carried_from: none → \"win\"",
        ],
    );
}

fn milestones(steps: &[(&str, f64)]) -> KeyResultKind {
    let steps = steps.iter().map(|(name, weight)| Milestone {
        id: id(name),
        title: title(name),
        weight: Weight::parse(*weight).unwrap(),
    });
    KeyResultKind::Milestones(Milestones::parse(steps.collect()).unwrap())
}

#[test]
fn a_kind_is_read_as_the_fields_of_its_kind() {
    let relative = KeyResultKind::Metric(Metric {
        relative_target: Some(RelativeTarget::Percent(value(10.0))),
        reference_value: Some(value(3.5)),
        ..match metric(Some(40.0), 44.0) {
            KeyResultKind::Metric(metric) => metric,
            other => panic!("{other:?}"),
        }
    });
    let maintain = Maintain::parse(Some(value(1.0)), None, MaintainMode::Now, value(0.5)).unwrap();
    let kept = KeyResultKind::Maintain(maintain);
    let none: &[&str] = &[];
    for (before, after, expected) in [
        (metric(None, 44.0), metric(None, 44.0), none),
        (
            metric(Some(40.0), 65.0),
            relative,
            &[
                "metric.reference_value: none → 3.5",
                "metric.relative_target.percent: none → 10.0",
                "metric.target: 65.0 → 44.0",
            ],
        ),
        (
            metric(None, 65.0),
            kept,
            &[
                "maintain.at_least: none → 1.0",
                "maintain.mode: none → \"NOW\"",
                "maintain.tolerance: none → 0.5",
                "metric.target: 65.0 → none",
            ],
        ),
        (
            metric(None, 65.0),
            KeyResultKind::Binary,
            &["binary: none → true", "metric.target: 65.0 → none"],
        ),
        (
            KeyResultKind::Binary,
            milestones(&[("plan", 1.0)]),
            &[
                "binary: true → none",
                "milestones: none → [\"plan\"]",
                "milestones.plan.title: none → \"plan\"",
                "milestones.plan.weight: none → 1.0",
            ],
        ),
        (
            milestones(&[("plan", 1.0), ("ship", 1.0)]),
            milestones(&[("ship", 1.0), ("plan", 2.0)]),
            &[
                "milestones: [\"plan\",\"ship\"] → [\"ship\",\"plan\"]",
                "milestones.plan.weight: 1.0 → 2.0",
            ],
        ),
    ] {
        check(
            Event::KeyResultUpdated {
                id: key_result_id("win/nps"),
                before: key_result_fields(before),
                after: key_result_fields(after),
            },
            expected,
        );
    }
    let newest = key_result_fields(metric(None, 65.0));
    let cycle = KeyResultFields {
        window: Window::Cycle,
        ..(*newest).clone()
    };
    check(
        Event::KeyResultUpdated {
            id: key_result_id("win/nps"),
            before: newest,
            after: Box::new(cycle),
        },
        &["window: \"NEWEST\" → \"CYCLE\""],
    );
}

fn check_in(reached: Option<&[&str]>) -> Box<CheckIn> {
    Box::new(CheckIn {
        effective_time: Timestamp::from_micros(0),
        value: None,
        reached_milestones: reached.map(|reached| reached.iter().map(|name| id(name)).collect::<Vec<Id>>()),
        confidence: None,
        comment: text("on the way"),
        status_override: Some(StatusOverride::Behind),
    })
}

#[test]
fn a_check_in_is_read_as_it_was_said_corrected_and_taken_back() {
    let (key_result, c1) = (|| key_result_id("win/nps"), || id("c1"));
    let said = check_in(Some(&["plan", "ship"]));
    check(
        Event::CheckInRecorded {
            key_result: key_result(),
            id: c1(),
            check_in: said.clone(),
        },
        &[
            "comment: none → \"on the way\"",
            "effective_time: none → \"1970-01-01T00:00:00Z\"",
            "reached_milestones: none → [\"plan\",\"ship\"]",
            "status_override: none → \"BEHIND\"",
        ],
    );
    for (before, after, expected) in [
        (
            &["plan", "ship"][..],
            Some(&["plan"][..]),
            "reached_milestones: [\"plan\",\"ship\"] → [\"plan\"]",
        ),
        (&["plan"], Some(&[]), "reached_milestones: [\"plan\"] → []"),
        (&[], None, "reached_milestones: [] → none"),
    ] {
        check(
            Event::CheckInCorrected {
                key_result: key_result(),
                id: c1(),
                before: check_in(Some(before)),
                after: check_in(after),
            },
            &[expected],
        );
    }
    check(
        Event::CheckInRetracted {
            key_result: key_result(),
            id: c1(),
            before: said,
        },
        &[
            "comment: \"on the way\" → none",
            "effective_time: \"1970-01-01T00:00:00Z\" → none",
            "reached_milestones: [\"plan\",\"ship\"] → none",
            "status_override: \"BEHIND\" → none",
        ],
    );
}

#[test]
fn a_label_without_a_value_is_a_label() {
    let before = objective_fields();
    let labels = crate::domain::Labels::parse([("beta", ""), ("region", "south")]).unwrap();
    let after = ObjectiveFields {
        labels,
        ..(*before).clone()
    };
    check(
        Event::ObjectiveUpdated {
            id: id("win"),
            before,
            after: Box::new(after),
        },
        &["labels.beta: none → \"\"", "labels.region: none → \"south\""],
    );
}
