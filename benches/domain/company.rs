//! A company of any size: objectives in trees eight deep, each with four key results that have been heard of.

use std::sync::Arc;

use binnacle::domain::{
    Actor, Alignment, Ambition, Authentication, Baseline, Command, CreateWorkspace, CycleFields, Effective,
    Etag, FirstWeekday, Id, KeyResultFields, KeyResultId, KeyResultKind, Labels, Metric, NewCheckIn,
    ObjectiveFields, Origin, PlacedCheckIn, Preset, RollUp, ScoringPolicyPatch, TeamFields, Text,
    TimeZoneRules, Title, Value, Weight, Window, WorkspaceFields,
};
use binnacle::engine::{Engine, EngineConfig, Request, SystemClock};
use binnacle::log::MemoryLog;
use jiff::ToSpan;
use jiff::civil::Date;

/// How deep the trees are.
pub(crate) const DEPTH: usize = 8;
/// Key results of an objective.
pub(crate) const KEY_RESULTS: usize = 4;

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text).expect("an id")
}

fn title(text: &str) -> Title {
    Title::parse(text).expect("a title")
}

pub(crate) fn value(number: f64) -> Value {
    Value::parse(number).expect("a value")
}

pub(crate) fn objective_id(number: usize) -> Id {
    id(&format!("o{number:05}"))
}

pub(crate) fn key_result_id(objective: usize, number: usize) -> KeyResultId {
    KeyResultId {
        objective: objective_id(objective),
        id: id(&format!("k{number}")),
    }
}

/// The number of the objective that one is aligned to: rows of eight, each aligned to the one before.
fn above(number: usize) -> Option<usize> {
    (!number.is_multiple_of(DEPTH)).then(|| number - 1)
}

pub(crate) fn check_in(objective: usize, key_result: usize, name: &str, number: f64) -> Command {
    Command::CreateCheckIn(Box::new(PlacedCheckIn {
        key_result: key_result_id(objective, key_result),
        id: id(name),
        check_in: NewCheckIn {
            effective: Effective::Now,
            value: Some(value(number)),
            reached_milestones: None,
            confidence: None,
            comment: Text::empty(),
            status_override: None,
        },
    }))
}

/// An engine with so many objectives, a log in memory, and a policy that rolls up: the longest way for a check-in.
pub(crate) async fn with_objectives(count: usize) -> Engine {
    let log = Arc::new(MemoryLog::new());
    let clock = Arc::new(SystemClock::default());
    let engine = Engine::open(log, None, clock, EngineConfig::default()).expect("an engine");
    run(&engine, beginning(engine.now())).await;
    for number in 0..count {
        run(&engine, objective(number)).await;
    }
    engine
}

async fn run(engine: &Engine, commands: Vec<Command>) {
    for command in commands {
        let request = Request {
            workspace: id("acme"),
            command,
            origin: Origin {
                actor: Actor {
                    principal: "maria".into(),
                    authentication: Authentication::None,
                    on_behalf_of: "".into(),
                },
                ..Origin::system("bench")
            },
            size_bytes: 100,
        };
        engine.execute(request).await.expect("a command");
    }
}

fn beginning(now: binnacle::domain::Timestamp) -> Vec<Command> {
    let rules = TimeZoneRules::utc();
    let today: Date = rules.date(now);
    let fields = WorkspaceFields {
        title: title("Acme"),
        ultimate_goal: Text::empty(),
        time_zone: Text::parse("UTC").expect("a text"),
        fiscal_year_first_month: 1,
        first_weekday: FirstWeekday::MONDAY,
    };
    let cycle = CycleFields {
        title: title("Quarter"),
        first_date: today.saturating_sub(30.days()),
        last_date: today.saturating_add(60.days()),
        review_date: None,
        parent_cycle: None,
    };
    let mut commands = vec![
        Command::CreateWorkspace(Box::new(CreateWorkspace {
            id: id("acme"),
            fields,
            preset: Preset::Full,
            rules,
        })),
        Command::UpdateScoringPolicy {
            patch: Box::new(ScoringPolicyPatch {
                roll_up: Some(RollUp::OwnAndAligned),
                ..ScoringPolicyPatch::default()
            }),
            etag: Etag::Any,
        },
        Command::CreateCycle {
            id: id("q"),
            fields: Box::new(cycle),
        },
        Command::ActivateCycle {
            id: id("q"),
            etag: Etag::Any,
        },
    ];
    commands.extend((0..10).map(|team| Command::CreateTeam {
        id: id(&format!("t{team}")),
        fields: Box::new(TeamFields {
            title: title("Team"),
            parent_team: None,
            lead: None,
        }),
    }));
    commands
}

fn objective(number: usize) -> Vec<Command> {
    let fields = ObjectiveFields {
        title: title(&format!("Objective number {number} of the company")),
        description: Text::empty(),
        owner: Some(id("maria")),
        team: Some(id(&format!("t{}", number % 10))),
        contributing_teams: Vec::new(),
        cycle: id("q"),
        ambition: Ambition::Committed,
        aligned_to: above(number).map(|above| Alignment::Objective(objective_id(above))),
        weight: Weight::ONE,
        labels: Labels::default(),
        serves: Vec::new(),
    };
    let mut commands = vec![Command::CreateObjective {
        id: objective_id(number),
        fields: Box::new(fields),
    }];
    commands.extend((0..KEY_RESULTS).map(|key_result| Command::CreateKeyResult {
        id: key_result_id(number, key_result),
        fields: Box::new(KeyResultFields {
            title: title(&format!("Key result number {key_result}")),
            owner: None,
            kind: KeyResultKind::Metric(Metric {
                baseline: Some(Baseline {
                    value: value(0.0),
                    kpi_revision: None,
                }),
                target: value(1000.0),
                relative_target: None,
                reference_value: None,
            }),
            unit: None,
            weight: Weight::ONE,
            kpi: None,
            due_date: None,
            window: Window::Newest,
        }),
    }));
    commands.push(Command::ActivateObjective {
        id: objective_id(number),
        etag: Etag::Any,
    });
    commands.extend((0..KEY_RESULTS).map(|key_result| check_in(number, key_result, "first", 100.0)));
    commands
}
