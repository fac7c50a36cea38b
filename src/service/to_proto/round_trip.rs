//! What is created from messages is answered with the same authored fields, and every answer can be sent back.

use prost_types::FieldMask;

use super::resource::resource_names;
use super::{event, resource};
use crate::domain::{Command, Commit, Id, Origin, RequestKey, ResourceName, Timestamp, decide};
use crate::log::LogId;
use crate::projection::{DerivedChange, State};
use crate::proto::api::resource::Resource;
use crate::proto::{api, google_type};
use crate::service::from_proto::{self, Asked};
use crate::service::names;

const LOG: LogId = LogId([7; 16]);

/// 2026-07-01T12:00:00Z.
const NOON: i64 = 1_782_907_200;

/// A workspace that runs commands as the engine does, without a log.
struct Running {
    state: State,
    commits: Vec<Commit>,
    derived: Vec<DerivedChange>,
}

impl Running {
    fn new() -> Self {
        Self {
            state: State::empty(),
            commits: Vec::new(),
            derived: Vec::new(),
        }
    }

    fn run(&mut self, asked: Result<Asked, crate::domain::Rejection>) {
        let Asked {
            workspace,
            command,
            request_id,
            reason,
        } = asked.unwrap();
        assert_eq!(workspace.as_str(), "acme");
        let revision = self.state.workspace().revision().next();
        let mut origin = Origin::system("test/Call");
        origin.reason = reason;
        origin.request = request_id.map(|id| RequestKey {
            id,
            fingerprint: [0; 32],
        });
        let mut commit = Commit {
            revision,
            recorded_time: Timestamp::from_micros(NOON * 1_000_000),
            epoch: 1,
            origin,
            events: Vec::new(),
        };
        commit.events = decide(self.state.workspace(), &command, &commit.stamp())
            .unwrap()
            .events;
        self.derived = self.state.apply(&commit).changes;
        self.commits.push(commit);
    }

    fn answer(&self, name: &str) -> Resource {
        let path = name.strip_prefix("workspaces/").unwrap();
        let (workspace, inside) = path.split_once('/').unwrap_or((path, ""));
        let (workspace, name) = (
            Id::parse(workspace).unwrap(),
            ResourceName::parse(inside).unwrap(),
        );
        resource(&workspace, &self.state, LOG, &name)
            .unwrap()
            .resource
            .unwrap()
    }
}

fn day(year: i32, month: i32, day: i32) -> Option<google_type::Date> {
    Some(google_type::Date { year, month, day })
}

fn acme() -> Running {
    let mut running = Running::new();
    running.run(from_proto::create_workspace(&api::CreateWorkspaceRequest {
        workspace_id: "acme".to_owned(),
        workspace: Some(workspace()),
        request_id: "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42".to_owned(),
    }));
    for (team_id, team) in [
        ("commerce", company("")),
        ("sales", company("workspaces/acme/teams/commerce")),
    ] {
        running.run(from_proto::create_team(&api::CreateTeamRequest {
            parent: "workspaces/acme".to_owned(),
            team_id: team_id.to_owned(),
            team: Some(team),
            ..api::CreateTeamRequest::default()
        }));
    }
    running.run(from_proto::create_member(&api::CreateMemberRequest {
        parent: "workspaces/acme".to_owned(),
        member_id: "maria".to_owned(),
        member: Some(maria()),
        ..api::CreateMemberRequest::default()
    }));
    running.run(from_proto::create_cycle(&api::CreateCycleRequest {
        parent: "workspaces/acme".to_owned(),
        cycle_id: "q3".to_owned(),
        cycle: Some(quarter()),
        ..api::CreateCycleRequest::default()
    }));
    running.run(from_proto::create_kpi(&api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: "nps".to_owned(),
        kpi: Some(gauge()),
        ..api::CreateKpiRequest::default()
    }));
    running.run(from_proto::set_target(&api::SetTargetRequest {
        parent: "workspaces/acme/kpis/nps".to_owned(),
        target: Some(bound()),
        ..api::SetTargetRequest::default()
    }));
    running.run(from_proto::create_objective(&api::CreateObjectiveRequest {
        parent: "workspaces/acme".to_owned(),
        objective_id: "win".to_owned(),
        objective: Some(goal()),
        ..api::CreateObjectiveRequest::default()
    }));
    running.run(from_proto::create_key_result(&api::CreateKeyResultRequest {
        parent: "workspaces/acme/objectives/win".to_owned(),
        key_result_id: "score".to_owned(),
        key_result: Some(measure()),
        ..api::CreateKeyResultRequest::default()
    }));
    running.run(from_proto::create_initiative(&api::CreateInitiativeRequest {
        parent: "workspaces/acme/objectives/win".to_owned(),
        initiative_id: "demos".to_owned(),
        initiative: Some(work()),
        ..api::CreateInitiativeRequest::default()
    }));
    running.run(from_proto::create_review(&api::CreateReviewRequest {
        parent: "workspaces/acme/cycles/q3".to_owned(),
        review_id: "kick-off".to_owned(),
        review: Some(look_back()),
        ..api::CreateReviewRequest::default()
    }));
    running
}

/// How many commits make it.
const COMMITS: usize = 11;

fn workspace() -> api::Workspace {
    api::Workspace {
        title: "Acme".to_owned(),
        ultimate_goal: "A better world".to_owned(),
        time_zone: "America/Sao_Paulo".to_owned(),
        fiscal_year_first_month: 4,
        first_weekday: api::workspace::Weekday::Sunday.into(),
        preset: api::workspace::Preset::Small.into(),
        ..api::Workspace::default()
    }
}

fn company(parent_team: &str) -> api::Team {
    api::Team {
        title: "A team".to_owned(),
        parent_team: parent_team.to_owned(),
        ..api::Team::default()
    }
}

fn maria() -> api::Member {
    api::Member {
        title: "Maria".to_owned(),
        principal: "maria@example.com".to_owned(),
        roles: vec![api::member::Role::Lead.into(), api::member::Role::Auditor.into()],
        ..api::Member::default()
    }
}

fn quarter() -> api::Cycle {
    api::Cycle {
        title: "Q3".to_owned(),
        first_date: day(2026, 7, 1),
        last_date: day(2026, 9, 30),
        review_date: day(2026, 10, 5),
        ..api::Cycle::default()
    }
}

fn gauge() -> api::Kpi {
    api::Kpi {
        title: "NPS".to_owned(),
        description: "Net promoter score".to_owned(),
        owner: "workspaces/acme/members/maria".to_owned(),
        team: "workspaces/acme/teams/sales".to_owned(),
        area: "care".to_owned(),
        category: api::kpi::Category::Strategic.into(),
        unit: Some(api::Unit {
            kind: api::unit::Kind::Currency.into(),
            currency_code: "BRL".to_owned(),
            symbol: "R$".to_owned(),
            decimals: Some(0),
            scale_labels: Vec::new(),
        }),
        direction: api::Direction::HigherIsBetter.into(),
        cadence: api::Cadence::Weekly.into(),
        grace_days: 3,
        review_cadence: api::Cadence::Monthly.into(),
        aggregation: api::Aggregation::Mean.into(),
        data_source: "a query".to_owned(),
        labels: [("region".to_owned(), "south".to_owned())].into(),
        ..api::Kpi::default()
    }
}

fn bound() -> api::Target {
    api::Target {
        effective_date: day(2026, 1, 1),
        at_least: Some(50.0),
        critical_at_least: Some(0.0),
        stretch: Some(70.0),
        ramp: Some(api::target::Ramp {
            date: day(2026, 12, 31),
            at_least: Some(60.0),
            critical_at_least: Some(10.0),
            ..api::target::Ramp::default()
        }),
        ..api::Target::default()
    }
}

fn goal() -> api::Objective {
    api::Objective {
        title: "Win".to_owned(),
        description: "Win Brazil".to_owned(),
        owner: "workspaces/acme/members/maria".to_owned(),
        team: "workspaces/acme/teams/sales".to_owned(),
        contributing_teams: vec!["workspaces/acme/teams/commerce".to_owned()],
        cycle: "workspaces/acme/cycles/q3".to_owned(),
        ambition: api::objective::Ambition::Aspirational.into(),
        weight: Some(0.0),
        labels: [("region".to_owned(), String::new())].into(),
        serves: vec!["workspaces/acme/kpis/nps".to_owned()],
        ..api::Objective::default()
    }
}

fn measure() -> api::KeyResult {
    api::KeyResult {
        title: "NPS to 65".to_owned(),
        owner: "workspaces/acme/members/maria".to_owned(),
        kind: Some(api::key_result::Kind::Metric(api::Metric {
            baseline: Some(40.0),
            target: Some(65.0),
            ..api::Metric::default()
        })),
        unit: Some(api::Unit {
            kind: api::unit::Kind::Scale.into(),
            scale_labels: vec!["red".to_owned(), "green".to_owned()],
            ..api::Unit::default()
        }),
        weight: Some(2.5),
        due_date: day(2026, 9, 15),
        ..api::KeyResult::default()
    }
}

fn work() -> api::Initiative {
    api::Initiative {
        title: "100 demos".to_owned(),
        owner: "workspaces/acme/members/maria".to_owned(),
        due_date: day(2026, 8, 1),
        state: api::initiative::State::InProgress.into(),
        planned_count: Some(100),
        done_count: Some(0),
        key_result: "workspaces/acme/objectives/win/keyResults/score".to_owned(),
        ..api::Initiative::default()
    }
}

fn look_back() -> api::Review {
    api::Review {
        team: "workspaces/acme/teams/sales".to_owned(),
        date: day(2026, 7, 1),
        attendees: vec!["workspaces/acme/members/maria".to_owned()],
        achieved: "A plan.".to_owned(),
        learned: "Ask earlier.".to_owned(),
        next: "Demos.".to_owned(),
        ..api::Review::default()
    }
}

/// `answered` with everything that the server writes taken from `asked`.
macro_rules! authored {
    ($answered:expr, $asked:expr, $($output:ident),+) => {{
        let (mut answered, asked) = ($answered, $asked);
        $( answered.$output = asked.$output.clone(); )+
        assert_eq!(answered, asked);
    }};
}

/// A resource of one kind.
macro_rules! read {
    ($running:expr, $Kind:ident, $name:expr) => {
        match $running.answer($name) {
            Resource::$Kind(it) => it,
            other => panic!("{other:?}"),
        }
    };
}

// Behind the macros that they use.
mod kpi;
mod okr;

const WIN: &str = "workspaces/acme/objectives/win";

fn all() -> Option<FieldMask> {
    Some(FieldMask {
        paths: vec!["*".to_owned()],
    })
}

#[test]
fn what_was_created_is_answered_with_the_same_authored_fields() {
    let running = acme();
    for name in resource_names(&running.state) {
        let name = names::full_name(&Id::parse("acme").unwrap(), &name);
        match running.answer(&name) {
            Resource::Workspace(answered) => {
                assert_eq!(answered.log_id, "07".repeat(16));
                assert_eq!((answered.revision, answered.etag.as_str()), (11, "r1"));
                assert_eq!(answered.today, day(2026, 7, 1));
                let asked = workspace();
                authored!(
                    answered,
                    asked,
                    name,
                    today,
                    revision,
                    log_id,
                    score,
                    create_time,
                    update_time,
                    etag
                );
            }
            Resource::Team(answered) => {
                let parent = answered.parent_team.clone();
                assert_eq!(parent.is_empty(), answered.name.ends_with("/commerce"));
                authored!(
                    answered,
                    company(&parent),
                    name,
                    scores,
                    foundation,
                    create_time,
                    update_time,
                    etag
                );
            }
            Resource::Member(answered) if answered.name.ends_with("/maria") => {
                authored!(answered, maria(), name, create_time, update_time, etag);
            }
            Resource::Member(owner) => assert_eq!(owner.principal, "binnacle"),
            Resource::Cycle(answered) => {
                assert_eq!(answered.state(), api::cycle::State::Planned);
                authored!(
                    answered,
                    quarter(),
                    name,
                    state,
                    score,
                    create_time,
                    update_time,
                    etag
                );
            }
            Resource::Kpi(answered) => {
                assert_eq!(answered.health.as_ref().unwrap().health(), api::Health::NoData);
                authored!(answered, gauge(), name, health, create_time, update_time, etag);
            }
            Resource::Target(answered) => {
                assert_eq!(
                    (answered.name.as_str(), answered.revision),
                    ("workspaces/acme/kpis/nps/targets/2026-01-01", 7)
                );
                assert_eq!(answered.text, "at least 50 BRL, at least 60 BRL by 2026-12-31");
                authored!(answered, bound(), name, update_time, revision, text);
            }
            Resource::Objective(answered) => {
                assert_eq!(answered.state(), api::objective::State::Draft);
                authored!(
                    answered,
                    goal(),
                    name,
                    state,
                    activation_date,
                    progress,
                    foundation,
                    create_time,
                    update_time,
                    etag
                );
            }
            Resource::KeyResult(mut answered) => {
                assert_eq!(take_baseline_source(&mut answered), Some(GIVEN));
                assert_eq!(answered.state(), api::objective::State::Draft);
                assert_eq!(answered.window(), api::key_result::Window::Newest);
                authored!(
                    answered,
                    measure(),
                    name,
                    window,
                    state,
                    confidence,
                    progress,
                    create_time,
                    update_time,
                    etag
                );
            }
            Resource::Initiative(answered) => {
                authored!(answered, work(), name, create_time, update_time, etag);
            }
            Resource::ScoringPolicy(answered) => {
                assert_eq!((answered.version, answered.etag.as_str()), (1, "r1"));
                assert_eq!((answered.semantics, answered.committed_bar), (1, Some(1.0)));
            }
            Resource::Alert(answered) => panic!("nothing asks for action: {answered:?}"),
            Resource::Review(answered) => {
                assert_eq!((answered.principal.as_str(), answered.revision), ("binnacle", 11));
                assert_eq!(answered.create_time.unwrap().seconds, NOON);
                authored!(answered, look_back(), name, principal, create_time, revision);
            }
        }
    }
}

const GIVEN: api::baseline_source::Source = api::baseline_source::Source::Given(true);

/// Where the baseline of a METRIC came from, which the server writes.
fn take_baseline_source(key_result: &mut api::KeyResult) -> Option<api::baseline_source::Source> {
    match key_result.kind.as_mut().unwrap() {
        api::key_result::Kind::Metric(metric) => metric.baseline_source.take()?.source,
        _ => None,
    }
}

#[test]
fn a_snapshot_has_every_resource_once_and_parents_before_children() {
    let running = acme();
    let acme = Id::parse("acme").unwrap();
    let names: Vec<String> = resource_names(&running.state)
        .map(|name| names::full_name(&acme, &name))
        .collect();
    assert_eq!(names.len(), 13);
    assert_eq!(
        resource_names(&running.state)
            .filter_map(|name| resource(&acme, &running.state, LOG, &name))
            .count(),
        names.len()
    );
    for (index, name) in names.iter().enumerate() {
        assert!(!names[..index].contains(name), "{name} twice");
        let mut parts: Vec<&str> = name.split('/').collect();
        // The scoring policy is the only one of its kind: its name ends without an id.
        parts.truncate(parts.len() - 2 + parts.len() % 2);
        let parent = parts.join("/");
        assert!(
            parent.is_empty() || names[..index].contains(&parent),
            "{name} before {parent}"
        );
    }
}

#[test]
fn references_are_answered_as_full_names() {
    let mut running = acme();
    let successor = api::Kpi {
        replaces: "workspaces/acme/kpis/nps".to_owned(),
        ..gauge()
    };
    running.run(from_proto::create_kpi(&api::CreateKpiRequest {
        parent: "workspaces/acme".to_owned(),
        kpi_id: "csat".to_owned(),
        kpi: Some(successor.clone()),
        ..api::CreateKpiRequest::default()
    }));
    let month = api::Cycle {
        last_date: day(2026, 7, 31),
        parent_cycle: "workspaces/acme/cycles/q3".to_owned(),
        ..quarter()
    };
    running.run(from_proto::create_cycle(&api::CreateCycleRequest {
        parent: "workspaces/acme".to_owned(),
        cycle_id: "july".to_owned(),
        cycle: Some(month.clone()),
        ..api::CreateCycleRequest::default()
    }));
    let aligned = api::Objective {
        aligned_to: "workspaces/acme/objectives/win/keyResults/score".to_owned(),
        ..goal()
    };
    running.run(from_proto::create_objective(&api::CreateObjectiveRequest {
        parent: "workspaces/acme".to_owned(),
        objective_id: "grow".to_owned(),
        objective: Some(aligned.clone()),
        ..api::CreateObjectiveRequest::default()
    }));
    let Resource::Kpi(kpi) = running.answer("workspaces/acme/kpis/csat") else {
        panic!("another resource");
    };
    let Resource::Cycle(cycle) = running.answer("workspaces/acme/cycles/july") else {
        panic!("another resource");
    };
    let Resource::Objective(objective) = running.answer("workspaces/acme/objectives/grow") else {
        panic!("another resource");
    };
    assert_eq!(kpi.replaces, successor.replaces);
    assert_eq!(cycle.parent_cycle, month.parent_cycle);
    assert_eq!(objective.aligned_to, aligned.aligned_to);
}

#[test]
fn a_baseline_says_that_a_kpi_gave_it() {
    let mut running = acme();
    running.run(from_proto::record_measurement(&api::RecordMeasurementRequest {
        parent: "workspaces/acme/kpis/nps".to_owned(),
        measurement: Some(api::Measurement {
            value: Some(40.0),
            ..api::Measurement::default()
        }),
        ..api::RecordMeasurementRequest::default()
    }));
    let target = Some(65.0);
    running.run(from_proto::create_key_result(&api::CreateKeyResultRequest {
        parent: "workspaces/acme/objectives/win".to_owned(),
        key_result_id: "linked".to_owned(),
        key_result: Some(api::KeyResult {
            kpi: "workspaces/acme/kpis/nps".to_owned(),
            kind: Some(api::key_result::Kind::Metric(api::Metric {
                target,
                ..api::Metric::default()
            })),
            ..measure()
        }),
        ..api::CreateKeyResultRequest::default()
    }));
    let Resource::KeyResult(linked) = running.answer("workspaces/acme/objectives/win/keyResults/linked")
    else {
        panic!("another resource");
    };
    assert_eq!(linked.kpi, "workspaces/acme/kpis/nps");
    let source = api::BaselineSource {
        source: Some(api::baseline_source::Source::KpiRevision(12)),
    };
    let expected = api::Metric {
        baseline: Some(40.0),
        target,
        baseline_source: Some(source),
        ..api::Metric::default()
    };
    assert_eq!(linked.kind, Some(api::key_result::Kind::Metric(expected)));
}

#[test]
fn what_was_read_can_be_sent_back_and_changes_nothing() {
    let mut running = acme();
    let Resource::Objective(objective) = running.answer("workspaces/acme/objectives/win") else {
        panic!("another resource");
    };
    let Resource::Kpi(kpi) = running.answer("workspaces/acme/kpis/nps") else {
        panic!("another resource");
    };
    let all = FieldMask {
        paths: vec!["*".to_owned()],
    };
    running.run(from_proto::update_objective(&api::UpdateObjectiveRequest {
        objective: Some(objective),
        update_mask: Some(all.clone()),
        ..api::UpdateObjectiveRequest::default()
    }));
    running.run(from_proto::update_kpi(&api::UpdateKpiRequest {
        kpi: Some(kpi),
        update_mask: Some(all),
        ..api::UpdateKpiRequest::default()
    }));
    let changed: Vec<_> = running.commits[COMMITS..]
        .iter()
        .map(|commit| commit.events.len())
        .collect();
    assert_eq!(changed, [0, 0]);
}

#[test]
fn figures_are_answered_before_and_after() {
    let mut running = acme();
    for seconds in [NOON, NOON - 7 * 86_400] {
        running.run(from_proto::record_measurement(&api::RecordMeasurementRequest {
            parent: "workspaces/acme/kpis/nps".to_owned(),
            measurement: Some(api::Measurement {
                value: Some(40.0),
                source_id: "survey".to_owned(),
                effective_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
                ..api::Measurement::default()
            }),
            ..api::RecordMeasurementRequest::default()
        }));
    }
    let acme = Id::parse("acme").unwrap();
    let [change] = running.derived.as_slice() else {
        panic!("{:?}", running.derived);
    };
    let written = super::derived_change(&acme, change);
    assert_eq!(written.resource, "workspaces/acme/kpis/nps");
    let Some(api::derived_change::Figure::Kpi(change)) = written.figure else {
        panic!("another figure");
    };
    let (before, after) = (change.before.unwrap(), change.after.unwrap());
    assert_eq!((before.measurement_count, after.measurement_count), (1, 2));
    assert_eq!(
        (after.health(), after.target.as_str()),
        (api::Health::Watch, "workspaces/acme/kpis/nps/targets/2026-01-01")
    );
    assert_eq!(
        after.period_value.unwrap().first_date,
        day(2026, 6, 28),
        "a week from Sunday"
    );

    let kpi = running.state.workspace().kpi(&Id::parse("nps").unwrap()).unwrap();
    let point = kpi.series.latest().unwrap();
    let id = Id::parse("nps").unwrap();
    let measured = super::measurement_of_point(&acme, &id, &kpi.series, point, running.state.workspace());
    assert_eq!(
        (measured.value, measured.source_id.as_str(), measured.revision),
        (Some(40.0), "survey", 12)
    );
    assert_eq!(measured.recorded_time.unwrap().seconds, NOON);
}

#[test]
fn an_event_says_who_what_and_every_field_before_and_after() {
    let mut running = acme();
    running.run(from_proto::update_team(&api::UpdateTeamRequest {
        team: Some(api::Team {
            name: "workspaces/acme/teams/sales".to_owned(),
            lead: "workspaces/acme/members/maria".to_owned(),
            ..api::Team::default()
        }),
        reason: "Maria leads now".to_owned(),
        request_id: "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42".to_owned(),
        ..api::UpdateTeamRequest::default()
    }));
    let acme = Id::parse("acme").unwrap();
    let recorded = running.commits.last().unwrap();
    let shown = super::commit(recorded, [9; 32]);
    assert_eq!((shown.revision, shown.event_count, shown.epoch), (12, 1, 1));
    assert_eq!(shown.leaf_hash, [9; 32]);
    assert_eq!(
        (shown.principal.as_str(), shown.authentication.as_str()),
        ("binnacle", "system")
    );
    assert_eq!(shown.reason, "Maria leads now");
    assert_eq!(shown.request_id, "3f0d6f8e-6c1d-4b7e-9a55-0c2b1d9e7f42");
    let written = event(&acme, recorded, 0, Some(shown.clone())).unwrap();
    assert_eq!(written.name, "workspaces/acme/events/12.0");
    assert_eq!(
        (written.r#type.as_str(), written.resource.as_str()),
        ("TeamUpdated", "workspaces/acme/teams/sales")
    );
    assert_eq!(written.commit, Some(shown));
    let maria = prost_types::Value::from("maria");
    let lead = api::FieldChange {
        path: "lead".to_owned(),
        before: None,
        after: Some(maria),
    };
    assert_eq!(written.changes, [lead]);
    assert_eq!(event(&acme, recorded, 1, None), None);
}

/// Cycle q3 and objective win become ACTIVE; the values of key result score are plain numbers.
fn activate(running: &mut Running) {
    running.run(from_proto::update_key_result(&api::UpdateKeyResultRequest {
        key_result: Some(api::KeyResult {
            name: "workspaces/acme/objectives/win/keyResults/score".to_owned(),
            ..api::KeyResult::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["unit".to_owned()],
        }),
        ..api::UpdateKeyResultRequest::default()
    }));
    running.run(from_proto::activate_cycle(&api::ActivateCycleRequest {
        name: "workspaces/acme/cycles/q3".to_owned(),
        ..api::ActivateCycleRequest::default()
    }));
    running.run(from_proto::activate_objective(&api::ActivateObjectiveRequest {
        name: "workspaces/acme/objectives/win".to_owned(),
        ..api::ActivateObjectiveRequest::default()
    }));
}

#[test]
fn a_check_in_is_answered_as_it_was_said() {
    let mut running = acme();
    activate(&mut running);
    let said = api::CheckIn {
        value: Some(52.5),
        confidence: Some(0.7),
        comment: "good".to_owned(),
        status_override: api::Status::Behind.into(),
        effective_time: Some(prost_types::Timestamp {
            seconds: NOON,
            nanos: 1000,
        }),
        ..api::CheckIn::default()
    };
    let asked = from_proto::create_check_in(&api::CreateCheckInRequest {
        parent: "workspaces/acme/objectives/win/keyResults/score".to_owned(),
        check_in: Some(said.clone()),
        ..api::CreateCheckInRequest::default()
    });
    let Ok(Asked {
        command: Command::CreateCheckIn(placed),
        ..
    }) = &asked
    else {
        panic!("another command");
    };
    let (key_result, id) = (placed.key_result.clone(), placed.id.clone());
    running.run(asked);
    let held = running.state.workspace().key_result(&key_result).unwrap();
    let recorded = &held.check_ins[&held.check_in_keys[&id]];
    let answered = super::check_in(&Id::parse("acme").unwrap(), &key_result, recorded);
    assert_eq!(
        answered.name,
        format!("workspaces/acme/objectives/win/keyResults/score/checkIns/{id}")
    );
    assert_eq!((answered.revision, answered.principal.as_str()), (15, "binnacle"));
    authored!(answered, said, name, principal, recorded_time, revision);
    let Resource::KeyResult(answered) = running.answer("workspaces/acme/objectives/win/keyResults/score")
    else {
        panic!("another resource");
    };
    assert_eq!((answered.confidence, answered.unit), (Some(0.7), None));
    let progress = answered.progress.unwrap();
    assert_eq!(
        (progress.current, progress.score, progress.status()),
        (Some(52.5), 0.5, api::Status::Behind)
    );
    assert_eq!(progress.policy_version, 1);
}
