//! Random commands: which command a step is, on which things, with which numbers.

use binnacle::domain::{
    Aggregation, Alignment, Ambition, Baseline, Cadence, CarryOver, CascadeTo, Category, CheckInPatch,
    Closing, Command, CycleFields, CyclePatch, Direction, Effective, Etag, Grade, Id, KeyResultFields,
    KeyResultId, KeyResultKind, KeyResultPatch, KpiFields, KpiPatch, Labels, Maintain, MaintainMode, Metric,
    Milestone, Milestones, NewCheckIn, NewMeasurement, NewReview, ObjectiveFields, ObjectivePatch,
    ObjectiveState, PlacedCheckIn, RelativeTarget, ResourceName, RollUp, ScoringPolicyPatch, StatusOverride,
    Target, TeamFields, Text, Timestamp, Unit, Value, Weight, Window, WorkspacePatch,
};

use crate::kpi_commands;
use crate::world::{World, day, id, key_result_id, rules, title, value};

/// What a random step is made of: which command, on which things, with which numbers.
pub(crate) type Step = (u8, u8, u8, i16, u8);

pub(crate) fn cycle_fields(first: u8, days: u8) -> CycleFields {
    CycleFields {
        title: title("cycle"),
        first_date: day(first),
        last_date: day(first.saturating_add(days)),
        review_date: None,
        parent_cycle: None,
    }
}

pub(crate) fn team_fields(parent_team: Option<Id>) -> TeamFields {
    TeamFields {
        title: title("team"),
        parent_team,
        lead: None,
    }
}

pub(crate) fn objective_fields(a: u8, b: u8, number: i16) -> ObjectiveFields {
    ObjectiveFields {
        title: title("objective"),
        description: Text::empty(),
        owner: Some(Id::parse("maria").expect("an id")),
        team: (b % 4 != 3).then(|| id("t", b, 4)).filter(|_| b > 3),
        contributing_teams: Vec::new(),
        cycle: id("c", b, 3),
        ambition: if a.is_multiple_of(2) {
            Ambition::Committed
        } else {
            Ambition::Aspirational
        },
        aligned_to: (number % 5 == 0).then(|| Alignment::Objective(id("o", b, 4))),
        weight: Weight::parse(f64::from(number.unsigned_abs() % 4)).expect("a weight"),
        labels: Labels::default(),
        serves: b.is_multiple_of(3).then(|| id("p", a, 3)).into_iter().collect(),
    }
}

pub(crate) fn key_result_fields(a: u8, b: u8, number: i16) -> KeyResultFields {
    let kind = kind(a, b, number);
    let measured = matches!(kind, KeyResultKind::Metric(_) | KeyResultKind::Maintain(_));
    let shared = matches!(
        kind,
        KeyResultKind::Maintain(Maintain {
            mode: MaintainMode::Share,
            ..
        })
    );
    let linked = b % 3 == 1 && measured;
    KeyResultFields {
        title: title("key result"),
        owner: None,
        kind,
        unit: None,
        weight: Weight::parse(f64::from(a % 3)).expect("a weight"),
        kpi: linked.then(|| id("p", a, 3)),
        due_date: (a.is_multiple_of(5)).then(|| day(b / 8)),
        window: if linked && !shared && b.is_multiple_of(4) {
            Window::Cycle
        } else {
            Window::Newest
        },
    }
}

/// Every second one a METRIC, as in life.
fn kind(a: u8, b: u8, number: i16) -> KeyResultKind {
    let baseline = Baseline {
        value: value(number / 2),
        kpi_revision: None,
    };
    match b / 16 % 8 {
        0 => KeyResultKind::Maintain(
            Maintain::parse(
                Some(value(number)),
                a.is_multiple_of(2).then(|| value(number.saturating_add(40))),
                MaintainMode::Now,
                value(i16::from(a % 3) * 20),
            )
            .expect("bounds"),
        ),
        1 => KeyResultKind::Maintain(
            Maintain::parse(None, Some(value(number)), MaintainMode::Share, Value::ZERO).expect("bounds"),
        ),
        2 => KeyResultKind::Milestones(
            Milestones::parse(
                (0..=a % 4)
                    .map(|step| Milestone {
                        id: id("m", step, 4),
                        title: title("step"),
                        weight: Weight::parse(f64::from(step + 1)).expect("a weight"),
                    })
                    .collect(),
            )
            .expect("steps"),
        ),
        3 => KeyResultKind::Binary,
        _ => KeyResultKind::Metric(Metric {
            baseline: (!a.is_multiple_of(4) || b % 3 != 1).then_some(baseline),
            target: value(number),
            relative_target: (a % 7 == 3).then(|| RelativeTarget::Amount(value(number / 3 + 1))),
            reference_value: None,
        }),
    }
}

pub(crate) fn kpi_fields(a: u8, b: u8) -> KpiFields {
    let cadences = [
        Cadence::Daily,
        Cadence::Weekly,
        Cadence::Monthly,
        Cadence::Quarterly,
        Cadence::Irregular,
    ];
    let aggregations = [
        Aggregation::Last,
        Aggregation::Sum,
        Aggregation::Mean,
        Aggregation::Min,
        Aggregation::Max,
        Aggregation::Count,
    ];
    KpiFields {
        title: title("KPI"),
        description: Text::empty(),
        owner: None,
        team: None,
        area: Text::empty(),
        category: Category::Operational,
        unit: Unit::number(),
        direction: [
            Direction::HigherIsBetter,
            Direction::LowerIsBetter,
            Direction::InRange,
        ][usize::from(a % 3)],
        cadence: cadences[usize::from(b % 5)],
        grace_days: u32::from(a % 3),
        review_cadence: None,
        aggregation: aggregations[usize::from(b % 6)],
        data_source: Text::empty(),
        replaces: None,
        labels: Labels::default(),
        transform: None,
    }
}

/// One of the key results that there are.
pub(crate) fn existing(world: &World, number: u8) -> KeyResultId {
    let key_results = world.state.workspace().key_results();
    let all: Vec<_> = key_results.keys().collect();
    all[usize::from(number) % all.len()].clone()
}

/// A check-in that fits the kind of its key result most of the time.
fn check_in(world: &World, a: u8, b: u8, number: i16, back: Timestamp) -> PlacedCheckIn {
    let key_result = existing(world, a);
    let kind = &world.state.workspace().key_results()[&key_result].fields.kind;
    let (value, reached) = match kind {
        KeyResultKind::Milestones(steps) => {
            let reached = steps.as_slice().iter().take(usize::from(b % 5));
            (None, Some(reached.map(|step| step.id.clone()).collect()))
        }
        KeyResultKind::Binary => (Some(Value::parse(f64::from(b % 2)).expect("a value")), None),
        // Somewhere on the way, now and then before its beginning or behind its end.
        KeyResultKind::Metric(metric) => {
            let baseline = metric.baseline.map_or(0.0, |baseline| baseline.value.get());
            let way = (metric.target.get() - baseline) * (f64::from(b) / 210.0 - 0.1);
            (
                (!b.is_multiple_of(3)).then(|| Value::parse(baseline + way).expect("a value")),
                None,
            )
        }
        KeyResultKind::Maintain(_) => ((!b.is_multiple_of(3)).then(|| value(number.rem_euclid(80))), None),
    };
    PlacedCheckIn {
        key_result,
        id: Id::parse(&format!("x{number}").replace('-', "m")).expect("an id"),
        check_in: NewCheckIn {
            effective: Effective::At(back),
            value,
            reached_milestones: reached,
            confidence: None,
            comment: Text::parse("seen").expect("a text"),
            status_override: b.is_multiple_of(5).then_some(StatusOverride::AtRisk),
        },
    }
}

/// One of the check-ins that there are.
fn recorded(world: &World, number: u8) -> Option<(KeyResultId, Id)> {
    let all: Vec<_> = world
        .state
        .workspace()
        .key_results()
        .iter()
        .flat_map(|(id, key_result)| {
            key_result
                .check_in_keys
                .keys()
                .map(move |own| (id.clone(), own.clone()))
        })
        .collect();
    all.get(usize::from(number) % all.len().max(1)).cloned()
}

/// Something that can be deleted, there or not.
fn deletable(world: &World, a: u8, b: u8) -> ResourceName {
    match b % 8 {
        0 => ResourceName::Team(id("t", a, 4)),
        1 | 2 => ResourceName::KeyResult(existing(world, a)),
        3 => ResourceName::Kpi(id("p", a, 3)),
        _ => ResourceName::Objective(id("o", a, 4)),
    }
}

/// What people say as an objective closes; now and then with a grade of their own.
fn closing(b: u8) -> Closing {
    Closing {
        grade: b.is_multiple_of(3).then(|| Grade::from_tenths(f64::from(b % 11))),
        grade_reason: Text::parse("we know better").expect("a text"),
        explanation: Text::parse("it rained").expect("a text"),
        ..Closing::silent()
    }
}

/// The command of a step. Most steps measure and check in, as in life.
pub(crate) fn command(world: &World, (kind, a, b, number, hours): Step) -> Command {
    let back = Timestamp::from_micros(world.now.as_micros() - i64::from(b) * 7_200_000_000);
    match kind % 48 {
        0 => Command::CreateTeam {
            id: id("t", a, 4),
            fields: Box::new(team_fields((b > 128).then(|| id("t", b, 4)))),
        },
        1 => Command::CreateCycle {
            id: id("c", a, 3),
            fields: Box::new(cycle_fields(b / 4, hours)),
        },
        2 => Command::UpdateCycle {
            id: id("c", a, 3),
            patch: Box::new(CyclePatch {
                last_date: Some(day(b / 2)),
                ..CyclePatch::default()
            }),
            etag: Etag::Any,
        },
        3 => Command::CreateObjective {
            id: id("o", a, 4),
            fields: Box::new(objective_fields(a, b, number)),
        },
        4 | 5 => Command::ActivateObjective {
            id: id("o", a, 4),
            etag: Etag::Any,
        },
        6 => {
            let fields = objective_fields(a, b, number);
            Command::UpdateObjective {
                id: id("o", a, 4),
                patch: Box::new(ObjectivePatch {
                    team: Some(fields.team),
                    weight: Some(fields.weight),
                    ambition: Some(fields.ambition),
                    aligned_to: Some(fields.aligned_to),
                    serves: Some(fields.serves),
                    cycle: (hours % 2 == 0).then_some(fields.cycle),
                    ..ObjectivePatch::default()
                }),
                etag: Etag::Any,
            }
        }
        7 | 8 => Command::CreateKeyResult {
            id: key_result_id(a, b),
            fields: Box::new(key_result_fields(a, b, number)),
        },
        9 => {
            let fields = key_result_fields(a, hours, number);
            Command::UpdateKeyResult {
                id: key_result_id(a, b),
                patch: Box::new(KeyResultPatch {
                    kind: Some(fields.kind),
                    kpi: Some(fields.kpi),
                    weight: Some(fields.weight),
                    ..KeyResultPatch::default()
                }),
                etag: Etag::Any,
            }
        }
        10 | 11 | 29..=31 => Command::CreateCheckIn(Box::new(check_in(world, a, b, number, back))),
        12 => Command::CreateCheckIns(
            (0..=hours % 3)
                .map(|n| check_in(world, a.wrapping_add(n), b, number + i16::from(n), back))
                .collect(),
        ),
        13 => {
            let fields = kpi_fields(a, b);
            Command::UpdateKpi {
                id: id("p", a, 3),
                patch: Box::new(KpiPatch {
                    grace_days: Some(u32::from(hours)),
                    cadence: Some(fields.cadence),
                    aggregation: Some(fields.aggregation),
                    title: Some(title(if a.is_multiple_of(2) { "KPI" } else { "gauge" })),
                    team: Some(Some(id("t", b, 4)).filter(|team| world.state.workspace().team(team).is_ok())),
                    ..KpiPatch::default()
                }),
                etag: Etag::Any,
            }
        }
        14 => Command::SetTarget {
            kpi: id("p", a, 3),
            date: day(b),
            target: Target {
                at_least: (a % 3 != 1).then(|| value(number)),
                at_most: (a % 3 != 0).then(|| value(number.saturating_add(9))),
                ..Target::default()
            },
        },
        15 => {
            let zone = ["Pacific/Kiritimati", "America/New_York", "Pacific/Pago_Pago"][usize::from(a % 3)];
            Command::UpdateWorkspace {
                patch: Box::new(WorkspacePatch {
                    time_zone: Some(Text::parse(zone).expect("a text")),
                    fiscal_year_first_month: Some(i8::try_from(b % 12 + 1).expect("a month")),
                    ..WorkspacePatch::default()
                }),
                rules: Some(rules(zone)),
                etag: Etag::Any,
            }
        }
        16 => Command::ActivateCycle {
            id: id("c", a, 3),
            etag: Etag::Any,
        },
        17 => Command::BeginCycleReview {
            id: id("c", a, 3),
            etag: Etag::Any,
        },
        18 => {
            let cycle = id("c", a, 3);
            let workspace = world.state.workspace();
            let closings = workspace
                .objectives_of_cycle(&cycle)
                .filter(|id| {
                    workspace
                        .objective(id)
                        .is_ok_and(|objective| objective.state == ObjectiveState::Active)
                })
                .map(|id| (id.clone(), closing(b)))
                .collect();
            Command::CloseCycle {
                id: cycle,
                closings,
                etag: Etag::Any,
            }
        }
        19 => Command::ReopenCycle {
            id: id("c", a, 3),
            etag: Etag::Any,
        },
        20 => Command::CloseObjective {
            id: id("o", a, 4),
            closing: Box::new(closing(b)),
            etag: Etag::Any,
        },
        21 if b.is_multiple_of(4) => Command::CancelObjective {
            id: id("o", a, 4),
            etag: Etag::Any,
        },
        21 => Command::ReopenObjective {
            id: id("o", a, 4),
            etag: Etag::Any,
        },
        22 => Command::CarryOverObjective {
            id: id("o", a, 4),
            to: CarryOver {
                new_id: id("v", b, 6),
                cycle: id("c", hours, 3),
            },
            etag: Etag::Any,
        },
        23 => Command::CascadeObjective {
            id: id("o", a, 4),
            teams: vec![CascadeTo {
                team: id("t", b, 4),
                new_id: id("w", hours, 4),
                title: None,
            }],
            etag: Etag::Any,
        },
        24 | 25 => {
            let name = deletable(world, a, b);
            match (hours % 3, b % 2) {
                (0, _) => Command::Delete {
                    name,
                    etag: Etag::Any,
                },
                _ => Command::Undelete {
                    name,
                    etag: Etag::Any,
                },
            }
        }
        26 => match recorded(world, a) {
            Some((key_result, id)) if b.is_multiple_of(3) => Command::RetractCheckIn { key_result, id },
            Some((key_result, id)) => Command::CorrectCheckIn {
                key_result,
                id,
                patch: Box::new(CheckInPatch {
                    effective: b.is_multiple_of(2).then_some(Effective::At(back)),
                    comment: Some(Text::parse(&format!("corrected {number}")).expect("a text")),
                    status_override: Some(None),
                    ..CheckInPatch::default()
                }),
            },
            None => Command::ActivateObjective {
                id: id("o", a, 4),
                etag: Etag::Any,
            },
        },
        27 => Command::UpdateScoringPolicy {
            patch: Box::new(ScoringPolicyPatch {
                roll_up: Some(match a % 2 {
                    0 => RollUp::Own,
                    _ => RollUp::OwnAndAligned,
                }),
                aspirational_bar: Some(f64::from(b % 10 + 1) / 10.0),
                achieved_from: Some(f64::from(hours % 5 + 5) / 10.0),
                ..ScoringPolicyPatch::default()
            }),
            etag: Etag::Any,
        },
        28 => Command::CreateReview {
            cycle: id("c", a, 3),
            id: id("r", b, 4),
            review: Box::new(NewReview {
                team: None,
                date: None,
                attendees: vec![Id::parse("maria").expect("an id")],
                achieved: Text::empty(),
                learned: Text::parse("much").expect("a text"),
                next: Text::empty(),
            }),
        },
        36..=43 => kpi_commands::command(world, (a, b, hours, number, kind), back),
        _ => Command::RecordMeasurements(
            (0..=hours % 3)
                .map(|n| NewMeasurement {
                    kpi: id("p", a, 3),
                    effective: Effective::At(back.plus_seconds(-3600 * i64::from(n))),
                    value: value(number),
                    source_id: if b % 2 == 0 { "".into() } else { "deal".into() },
                    note: "".into(),
                })
                .collect(),
        ),
    }
}
