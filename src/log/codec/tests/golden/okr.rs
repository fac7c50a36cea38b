//! What came with objectives that close: key results of every kind, results, reviews, deletions, the whole policy.
//!
//! One file for each event and for each shape of it; where an event is about any kind of resource, its one file has one of
//! each. The values are all different from what their absence means.

use jiff::civil::date;

use super::*;
use crate::domain::{
    Band, Closing, FrozenKeyResult, Grade, Grading, Maintain, MaintainMode, Milestone, Milestones,
    ObjectiveResult, Outcome, RelativeTarget, ResourceName, Review,
};

pub(super) fn events_by_file() -> Vec<(&'static str, Vec<Event>)> {
    let mut files = policy_files();
    files.extend(deletion_files());
    files.extend(cycle_files());
    files.extend(objective_files());
    files.extend(key_result_files());
    files.extend(check_in_files());
    files
}

fn policy_files() -> Vec<(&'static str, Vec<Event>)> {
    let created = WorkspaceCreated {
        id: id("acme"),
        fields: workspace_fields("Acme", Weekday::Monday),
        preset: Preset::Small,
        rules: rules("America/Sao_Paulo"),
        policy: whole_policy(),
    };
    let updated = Event::ScoringPolicyUpdated {
        before: Box::new(policy_of_v0_1()),
        after: Box::new(whole_policy()),
    };
    vec![
        (
            "workspace_created_with_limits",
            vec![Event::WorkspaceCreated(Box::new(created))],
        ),
        ("scoring_policy_updated", vec![updated]),
    ]
}

/// The rules of alerts came later: these are what their absence means.
pub(super) fn whole_policy() -> ScoringPolicy {
    ScoringPolicy {
        semantics: 2,
        committed_bar: 0.9,
        aspirational_bar: 0.6,
        on_track_gap: 0.05,
        behind_gap: 0.3,
        achieved_from: 0.8,
        partial_from: 0.5,
        roll_up: RollUp::OwnAndAligned,
        check_in_cadence_days: 14,
        check_in_grace_days: 4,
        hygiene: HygieneLimits {
            objectives_of_team_max: 5,
            key_results_min: 1,
            key_results_max: 6,
            kpis_of_area_min: 2,
            kpis_of_area_max: 7,
            confidence_min: 0.25,
            linked_kpis_share_max: 0.75,
            breached_periods_max: 8,
        },
        alerts: AlertRules {
            breach_after: 1,
            recover_after: 1,
            adverse_move_periods: 3,
            adverse_move_percent: 20.0,
            healthy_share_periods: 12,
        },
    }
}

/// A name of each kind of resource.
fn names() -> Vec<ResourceName> {
    vec![
        ResourceName::Workspace,
        ResourceName::Team(id("sales")),
        ResourceName::Member(id("maria")),
        ResourceName::ScoringPolicy,
        ResourceName::Cycle(id("q3-2026")),
        ResourceName::Review(id("q3-2026"), id("mid-term")),
        ResourceName::Objective(id("win-brazil")),
        ResourceName::KeyResult(nps()),
        ResourceName::Initiative(InitiativeId {
            objective: id("win-brazil"),
            id: id("demos"),
        }),
        ResourceName::CheckIn(nps(), id("c-1")),
        ResourceName::Kpi(id("nps")),
        ResourceName::Target(id("nps"), date(1969, 12, 31)),
    ]
}

fn deletion_files() -> Vec<(&'static str, Vec<Event>)> {
    let deleted = names().into_iter().map(|name| Event::Deleted { name });
    let undeleted = names().into_iter().map(|name| Event::Undeleted {
        name,
        deletion: Revision(17),
    });
    vec![
        ("resource_deleted", deleted.collect()),
        ("resource_undeleted", undeleted.collect()),
    ]
}

fn cycle_files() -> Vec<(&'static str, Vec<Event>)> {
    let cycle = || id("q3-2026");
    let review = Review {
        team: Some(id("sales")),
        date: date(2026, 10, 5),
        attendees: vec![id("joao"), id("maria")],
        achieved: text("Two of three.\nThe third is close."),
        learned: text("Ask earlier."),
        next: text("São Paulo first."),
    };
    vec![
        (
            "cycle_review_begun",
            vec![Event::CycleReviewBegun {
                id: cycle(),
                before: CycleState::Active,
            }],
        ),
        (
            "cycle_closed",
            vec![Event::CycleClosed {
                id: cycle(),
                before: CycleState::Review,
            }],
        ),
        (
            "cycle_reopened",
            vec![Event::CycleReopened {
                id: cycle(),
                before: CycleState::Closed,
            }],
        ),
        (
            "review_recorded",
            vec![Event::ReviewRecorded {
                cycle: cycle(),
                id: id("retro"),
                review: Box::new(review),
            }],
        ),
    ]
}

fn objective_files() -> Vec<(&'static str, Vec<Event>)> {
    let objective = || id("win-brazil");
    let carried = Event::ObjectiveCreated {
        id: id("win-brazil-q4"),
        fields: objective_fields(Alignment::KeyResult(nps())),
        carried_from: Some(objective()),
        started_from: None,
    };
    vec![
        ("objective_created_carried_over", vec![carried]),
        (
            "objective_closed",
            vec![Event::ObjectiveClosed {
                id: objective(),
                before: ObjectiveState::Active,
                result: graded(),
            }],
        ),
        (
            "objective_closed_in_detail",
            vec![Event::ObjectiveClosed {
                id: objective(),
                before: ObjectiveState::Active,
                result: graded_in_detail(),
            }],
        ),
        (
            "objective_closed_postponed",
            vec![Event::ObjectiveClosed {
                id: objective(),
                before: ObjectiveState::Draft,
                result: postponed(),
            }],
        ),
        (
            "objective_reopened",
            vec![Event::ObjectiveReopened {
                id: objective(),
                before: ObjectiveState::Closed,
                after: ObjectiveState::Active,
                result: Some(graded()),
            }],
        ),
        (
            "objective_reopened_canceled",
            vec![Event::ObjectiveReopened {
                id: objective(),
                before: ObjectiveState::Canceled,
                after: ObjectiveState::Draft,
                result: None,
            }],
        ),
        (
            "objective_canceled",
            vec![Event::ObjectiveCanceled {
                id: objective(),
                before: ObjectiveState::Active,
            }],
        ),
    ]
}

fn graded() -> Box<ObjectiveResult> {
    Box::new(ObjectiveResult {
        score: Some(0.625),
        expected: Some(0.95),
        grading: Some(Grading {
            grade: grade(0.7),
            band: Band::Green,
            outcome: Outcome::Partial,
            too_easy: true,
            needs_explanation: true,
        }),
        postponed: false,
        closing: Closing {
            grade: Some(grade(0.7)),
            grade_reason: text("The survey came a day late."),
            explanation: text("One customer left."),
            achieved: text("NPS of 58."),
            learned: text("Call before you write."),
            next: text("Keep it there."),
        },
        with_cycle: true,
        date: date(2026, 10, 6),
        policy_version: Revision(9),
        key_results: vec![
            FrozenKeyResult {
                id: id("deals"),
                current: None,
                progress: 0.0,
                score: 0.0,
                expected: 0.95,
                ..bare()
            },
            FrozenKeyResult {
                id: id("nps"),
                current: Some(75.5),
                progress: 1.25,
                score: 1.0,
                expected: 0.5,
                ..bare()
            },
        ],
    })
}

/// Nothing was seen and nothing expected.
fn bare() -> FrozenKeyResult {
    FrozenKeyResult {
        id: id("kr"),
        current: None,
        progress: 0.0,
        score: 0.0,
        expected: 0.0,
        provisional: false,
        reached_milestones: Vec::new(),
        periods_held: 0,
        periods_with_data: 0,
    }
}

/// With which milestones were reached, how many periods held, and that one of them was running still.
fn graded_in_detail() -> Box<ObjectiveResult> {
    let steps = FrozenKeyResult {
        id: id("steps"),
        current: Some(3.0),
        progress: 0.75,
        score: 0.75,
        expected: 1.0,
        reached_milestones: vec![id("plan"), id("build")],
        ..bare()
    };
    let uptime = FrozenKeyResult {
        id: id("uptime"),
        current: Some(99.95),
        progress: 0.875,
        score: 0.875,
        expected: 1.0,
        provisional: true,
        periods_held: 7,
        periods_with_data: 8,
        ..bare()
    };
    Box::new(ObjectiveResult {
        key_results: vec![steps, uptime],
        ..*graded()
    })
}

fn postponed() -> Box<ObjectiveResult> {
    Box::new(ObjectiveResult {
        score: None,
        expected: None,
        grading: None,
        postponed: true,
        closing: Closing::silent(),
        with_cycle: false,
        date: date(2026, 9, 30),
        policy_version: Revision(1),
        key_results: Vec::new(),
    })
}

fn key_result_files() -> Vec<(&'static str, Vec<Event>)> {
    let created = |kind, window| {
        vec![Event::KeyResultCreated {
            id: nps(),
            fields: of_kind(kind, window),
            date: date(2026, 7, 2),
        }]
    };
    let updated = Event::KeyResultUpdated {
        id: nps(),
        before: of_kind(metric(RelativeTarget::Amount(value(15.0))), Window::Cycle),
        after: of_kind(maintain(MaintainMode::Share, 0.0), Window::Newest),
    };
    let percent = RelativeTarget::Percent(value(-12.5));
    vec![
        (
            "key_result_created_metric",
            created(metric(percent), Window::Cycle),
        ),
        (
            "key_result_created_maintain",
            created(maintain(MaintainMode::Now, 2.5), Window::Newest),
        ),
        (
            "key_result_created_milestones",
            created(milestones(), Window::Newest),
        ),
        (
            "key_result_created_binary",
            created(KeyResultKind::Binary, Window::Newest),
        ),
        ("key_result_updated_kind", vec![updated]),
    ]
}

fn of_kind(kind: KeyResultKind, window: Window) -> Box<KeyResultFields> {
    Box::new(KeyResultFields {
        kind,
        window,
        ..*key_result_fields(money())
    })
}

fn metric(relative_target: RelativeTarget) -> KeyResultKind {
    KeyResultKind::Metric(Metric {
        baseline: Some(Baseline {
            value: value(40.0),
            kpi_revision: Some(Revision(17)),
        }),
        target: value(35.0),
        relative_target: Some(relative_target),
        reference_value: Some(value(-3.25)),
    })
}

fn maintain(mode: MaintainMode, tolerance: f64) -> KeyResultKind {
    let bounds = (Some(value(-1.5)), Some(value(99.0)));
    let parsed = Maintain::parse(bounds.0, bounds.1, mode, value(tolerance));
    KeyResultKind::Maintain(parsed.expect("bounds"))
}

fn milestones() -> KeyResultKind {
    let steps = [("plan", "The plan stands", 1.0), ("ship", "It is out", 2.5)];
    let steps = steps.map(|(own, name, weight)| Milestone {
        id: id(own),
        title: title(name),
        weight: Weight::parse(weight).expect("a weight"),
    });
    KeyResultKind::Milestones(Milestones::parse(steps.to_vec()).expect("milestones"))
}

fn check_in_files() -> Vec<(&'static str, Vec<Event>)> {
    let recorded = Event::CheckInRecorded {
        key_result: nps(),
        id: id("c-2"),
        check_in: check_in(None, Some(vec![id("plan"), id("ship")])),
    };
    let corrected = Event::CheckInCorrected {
        key_result: nps(),
        id: id("c-2"),
        before: check_in(Some(-2.0), None),
        // It says that none is reached, which is not the same as saying nothing.
        after: check_in(Some(0.0), Some(Vec::new())),
    };
    let retracted = Event::CheckInRetracted {
        key_result: nps(),
        id: id("c-2"),
        before: check_in(Some(2.0), Some(vec![id("plan")])),
    };
    vec![
        ("check_in_recorded_milestones", vec![recorded]),
        ("check_in_corrected", vec![corrected]),
        ("check_in_retracted", vec![retracted]),
    ]
}

fn check_in(seen: Option<f64>, reached_milestones: Option<Vec<Id>>) -> Box<CheckIn> {
    Box::new(CheckIn {
        effective_time: Timestamp::from_micros(-1),
        value: seen.map(value),
        reached_milestones,
        confidence: Some(Confidence::parse(0.6).expect("a confidence")),
        comment: text("Both said yes."),
        status_override: Some(StatusOverride::Behind),
    })
}

fn nps() -> KeyResultId {
    KeyResultId {
        objective: id("win-brazil"),
        id: id("nps"),
    }
}

fn grade(number: f64) -> Grade {
    Grade::parse(number).expect("a grade")
}
