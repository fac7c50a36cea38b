//! Tells the story through the API, as its people: every step is an ordinary call of an ordinary client.
//!
//! What it knows: the order of things, and who does what. What it deliberately does not know: the figures, which are the
//! manifests', and who watches.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use super::clock::StoryClock;
use super::story::{InitiativeStep, KeyResultData, KpiData, MemberData, ObjectiveData, Story, enum_number};
use crate::cli::{Failure, FailureKind};
use crate::domain::Timestamp;
use crate::proto::api::cycle_service_client::CycleServiceClient;
use crate::proto::api::kpi_service_client::KpiServiceClient;
use crate::proto::api::objective_service_client::ObjectiveServiceClient;
use crate::proto::api::workspace_service_client::WorkspaceServiceClient;
use crate::proto::{api, google_type};

/// Whoever measures.
const GAUGES: &str = "gauges";
/// A week in seconds.
pub(super) const WEEK_S: i64 = 7 * 24 * 60 * 60;

/// Makes the calls.
pub(super) struct Driver {
    story: Arc<Story>,
    clock: Arc<StoryClock>,
    /// When the cycle begins.
    start: Timestamp,
    /// `workspaces/{workspace}`.
    workspace: String,
    workspaces: WorkspaceServiceClient<Channel>,
    cycles: CycleServiceClient<Channel>,
    objectives: ObjectiveServiceClient<Channel>,
    kpis: KpiServiceClient<Channel>,
    /// The newest revision that a call was answered with.
    revision: i64,
    /// How long to wait after each call.
    pub(super) pause: Duration,
}

impl Driver {
    pub(super) fn new(story: Arc<Story>, clock: Arc<StoryClock>, start: Timestamp, channel: Channel) -> Self {
        Self {
            workspace: format!("workspaces/{}", story.company.workspace.id),
            story,
            clock,
            start,
            workspaces: WorkspaceServiceClient::new(channel.clone()),
            cycles: CycleServiceClient::new(channel.clone()),
            objectives: ObjectiveServiceClient::new(channel.clone()),
            kpis: KpiServiceClient::new(channel),
            revision: 0,
            pause: Duration::ZERO,
        }
    }

    /// The workspace's name.
    pub(super) fn workspace(&self) -> &str {
        &self.workspace
    }

    /// The newest revision that a call was answered with.
    pub(super) fn revision(&self) -> i64 {
        self.revision
    }

    /// The workspace, its people, the cycle, the KPIs with their past, and the objectives that begin with the cycle.
    pub(super) async fn set_up(&mut self) -> Result<(), Failure> {
        let story = Arc::clone(&self.story);
        self.create_company(&story).await?;
        for kpi in &story.kpis {
            self.create_kpi(kpi).await?;
        }
        self.record_past(&story).await?;
        for objective in story.objectives.iter().filter(|it| it.begins_in_week == 0) {
            self.begin_objective(objective).await?;
        }
        Ok(())
    }

    /// The middle of a week, counted from 1: initiatives move on.
    pub(super) async fn middle_of_week(&mut self, week: usize) -> Result<(), Failure> {
        self.advance_to(week, -3);
        let story = Arc::clone(&self.story);
        for step in story
            .weeks
            .get(week - 1)
            .map_or(&[][..], |week| &week.initiatives)
        {
            self.update_initiative(step).await?;
        }
        Ok(())
    }

    /// The end of a week: KPIs are measured, key results are checked in, and what has to be done about it begins.
    pub(super) async fn end_of_week(&mut self, week: usize) -> Result<(), Failure> {
        self.advance_to(week, 0);
        let story = Arc::clone(&self.story);
        for kpi in &story.kpis {
            if let Some(value) = kpi.value_of_week(week) {
                self.measure(kpi, value).await?;
            }
        }
        for objective in &story.objectives {
            if let Some(nth) = objective.check_in_of_week(week) {
                for key_result in &objective.key_results {
                    self.check_in(objective, key_result, nth).await?;
                }
            }
        }
        for objective in story.objectives.iter().filter(|it| it.begins_in_week == week) {
            self.begin_objective(objective).await?;
        }
        Ok(())
    }

    fn advance_to(&self, week: usize, days: i64) {
        let weeks = i64::try_from(week).unwrap_or_default();
        self.clock
            .advance_to(self.start.plus_seconds(weeks * WEEK_S + days * WEEK_S / 7));
    }

    async fn create_company(&mut self, story: &Story) -> Result<(), Failure> {
        let company = &story.company;
        let owner = company.members.first().map_or("", |member| member.id.as_str());
        let message = api::CreateWorkspaceRequest {
            workspace_id: company.workspace.id.clone(),
            workspace: Some(api::Workspace {
                title: company.workspace.title.clone(),
                ultimate_goal: company.workspace.ultimate_goal.clone(),
                time_zone: company.workspace.time_zone.clone(),
                ..api::Workspace::default()
            }),
            ..api::CreateWorkspaceRequest::default()
        };
        let request = self.by(owner, message);
        let answer = self.workspaces.create_workspace(request).await;
        self.done("CreateWorkspace", answer).await?;
        // Whoever creates a workspace is its first member already.
        for member in company.members.iter().skip(1) {
            self.create_member(owner, member).await?;
        }
        for team in &company.teams {
            let message = api::CreateTeamRequest {
                parent: self.workspace.clone(),
                team_id: team.id.clone(),
                team: Some(api::Team {
                    title: team.title.clone(),
                    lead: self.name("members", &team.lead),
                    ..api::Team::default()
                }),
                ..api::CreateTeamRequest::default()
            };
            let request = self.by(owner, message);
            let answer = self.workspaces.create_team(request).await;
            self.done("CreateTeam", answer).await?;
        }
        self.create_cycle(owner).await
    }

    async fn create_member(&mut self, owner: &str, member: &MemberData) -> Result<(), Failure> {
        let role = enum_number(&member.role, "ROLE_", api::member::Role::from_str_name).map_err(broken)?;
        let message = api::CreateMemberRequest {
            parent: self.workspace.clone(),
            member_id: member.id.clone(),
            member: Some(api::Member {
                title: member.title.clone(),
                principal: member.principal.clone(),
                roles: vec![role],
                ..api::Member::default()
            }),
            ..api::CreateMemberRequest::default()
        };
        let request = self.by(owner, message);
        let answer = self.workspaces.create_member(request).await;
        self.done("CreateMember", answer).await
    }

    async fn create_cycle(&mut self, owner: &str) -> Result<(), Failure> {
        let cycle = &self.story.company.cycle;
        let days = i64::from(cycle.weeks) * 7 - 1;
        let message = api::CreateCycleRequest {
            parent: self.workspace.clone(),
            cycle_id: cycle.id.clone(),
            cycle: Some(api::Cycle {
                title: cycle.title.clone(),
                first_date: Some(date(self.start)),
                last_date: Some(date(self.start.plus_seconds(days * WEEK_S / 7))),
                ..api::Cycle::default()
            }),
            ..api::CreateCycleRequest::default()
        };
        let activate = api::ActivateCycleRequest {
            name: self.name("cycles", &cycle.id),
            ..api::ActivateCycleRequest::default()
        };
        let request = self.by(owner, message);
        let answer = self.cycles.create_cycle(request).await;
        self.done("CreateCycle", answer).await?;
        let request = self.by(owner, activate);
        let answer = self.cycles.activate_cycle(request).await;
        self.done("ActivateCycle", answer).await
    }

    async fn create_kpi(&mut self, kpi: &KpiData) -> Result<(), Failure> {
        let message = api::CreateKpiRequest {
            parent: self.workspace.clone(),
            kpi_id: kpi.id.clone(),
            kpi: Some(self.kpi(kpi).map_err(broken)?),
            ..api::CreateKpiRequest::default()
        };
        let request = self.by(&kpi.owner, message);
        let answer = self.kpis.create_kpi(request).await;
        self.done("CreateKpi", answer).await?;

        let is_higher = kpi.direction == "HIGHER_IS_BETTER";
        let if_higher = |value: Option<f64>| value.filter(|_| is_higher);
        let if_lower = |value: Option<f64>| value.filter(|_| !is_higher);
        // From the oldest value on, so that the past is judged by it too.
        let before = i64::try_from(kpi.before.len()).unwrap_or_default();
        let message = api::SetTargetRequest {
            parent: self.name("kpis", &kpi.id),
            target: Some(api::Target {
                effective_date: Some(date(self.start.plus_seconds(-before * WEEK_S))),
                at_least: if_higher(Some(kpi.target)),
                at_most: if_lower(Some(kpi.target)),
                critical_at_least: if_higher(kpi.critical),
                critical_at_most: if_lower(kpi.critical),
                ..api::Target::default()
            }),
            ..api::SetTargetRequest::default()
        };
        let request = self.by(&kpi.owner, message);
        let answer = self.kpis.set_target(request).await;
        self.done("SetTarget", answer).await
    }

    fn kpi(&self, kpi: &KpiData) -> Result<api::Kpi, String> {
        let cadence = |name| enum_number(name, "CADENCE_", api::Cadence::from_str_name);
        Ok(api::Kpi {
            title: kpi.title.clone(),
            owner: self.name("members", &kpi.owner),
            team: self.name("teams", &kpi.team),
            area: kpi.area.clone(),
            category: enum_number(&kpi.category, "CATEGORY_", api::kpi::Category::from_str_name)?,
            unit: Some(kpi.unit.to_api()?),
            direction: enum_number(&kpi.direction, "DIRECTION_", api::Direction::from_str_name)?,
            cadence: cadence(&kpi.cadence)?,
            review_cadence: cadence(&kpi.review)?,
            ..api::Kpi::default()
        })
    }

    /// The values from before the cycle, all at once.
    async fn record_past(&mut self, story: &Story) -> Result<(), Failure> {
        let mut measurements = Vec::new();
        for kpi in &story.kpis {
            for (weeks_ago, value) in (0i64..).zip(kpi.before.iter().rev()) {
                measurements.push(api::Measurement {
                    kpi: self.name("kpis", &kpi.id),
                    effective_time: Some(timestamp(self.start.plus_seconds(-weeks_ago * WEEK_S))),
                    value: Some(*value),
                    ..api::Measurement::default()
                });
            }
        }
        let message = api::BatchRecordMeasurementsRequest {
            parent: self.name("kpis", "-"),
            measurements,
            reason: "the weeks before the cycle".to_owned(),
            ..api::BatchRecordMeasurementsRequest::default()
        };
        let request = self.by(GAUGES, message);
        let answer = self.kpis.batch_record_measurements(request).await;
        self.done("BatchRecordMeasurements", answer).await
    }

    async fn measure(&mut self, kpi: &KpiData, value: f64) -> Result<(), Failure> {
        let message = api::RecordMeasurementRequest {
            parent: self.name("kpis", &kpi.id),
            measurement: Some(api::Measurement {
                value: Some(value),
                ..api::Measurement::default()
            }),
            ..api::RecordMeasurementRequest::default()
        };
        let request = self.by(GAUGES, message);
        let answer = self.kpis.record_measurement(request).await;
        self.done("RecordMeasurement", answer).await
    }

    /// An objective with its key results and initiatives, from draft to active.
    async fn begin_objective(&mut self, objective: &ObjectiveData) -> Result<(), Failure> {
        let name = self.name("objectives", &objective.id);
        let message = api::CreateObjectiveRequest {
            parent: self.workspace.clone(),
            objective_id: objective.id.clone(),
            objective: Some(api::Objective {
                title: objective.title.clone(),
                owner: self.name("members", &objective.owner),
                team: self.name("teams", &objective.team),
                cycle: self.name("cycles", &self.story.company.cycle.id),
                ambition: enum_number(
                    &objective.ambition,
                    "AMBITION_",
                    api::objective::Ambition::from_str_name,
                )
                .map_err(broken)?,
                serves: objective
                    .serves
                    .iter()
                    .map(|kpi| self.name("kpis", kpi))
                    .collect(),
                ..api::Objective::default()
            }),
            reason: objective.reason.clone(),
            ..api::CreateObjectiveRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.create_objective(request).await;
        self.done("CreateObjective", answer).await?;
        for key_result in &objective.key_results {
            self.create_key_result(&name, objective, key_result).await?;
        }
        self.create_initiatives(&name, objective).await?;
        let message = api::ActivateObjectiveRequest {
            name,
            ..api::ActivateObjectiveRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.activate_objective(request).await;
        self.done("ActivateObjective", answer).await
    }

    async fn create_key_result(
        &mut self,
        parent: &str,
        objective: &ObjectiveData,
        key_result: &KeyResultData,
    ) -> Result<(), Failure> {
        let unit = key_result.unit.as_ref().map(|unit| unit.to_api()).transpose();
        let message = api::CreateKeyResultRequest {
            parent: parent.to_owned(),
            key_result_id: key_result.id.clone(),
            key_result: Some(api::KeyResult {
                title: key_result.title.clone(),
                kind: Some(api::key_result::Kind::Metric(api::Metric {
                    baseline: key_result.baseline,
                    target: Some(key_result.target),
                    baseline_source: None,
                })),
                unit: unit.map_err(broken)?,
                kpi: self.name("kpis", &key_result.kpi),
                ..api::KeyResult::default()
            }),
            ..api::CreateKeyResultRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.create_key_result(request).await;
        self.done("CreateKeyResult", answer).await
    }

    async fn create_initiatives(&mut self, parent: &str, objective: &ObjectiveData) -> Result<(), Failure> {
        for initiative in &objective.initiatives {
            let message = api::CreateInitiativeRequest {
                parent: parent.to_owned(),
                initiative_id: initiative.id.clone(),
                initiative: Some(api::Initiative {
                    title: initiative.title.clone(),
                    owner: self.name("members", &initiative.owner),
                    planned_count: initiative.planned_count,
                    ..api::Initiative::default()
                }),
                ..api::CreateInitiativeRequest::default()
            };
            let request = self.by(&objective.owner, message);
            let answer = self.objectives.create_initiative(request).await;
            self.done("CreateInitiative", answer).await?;
        }
        Ok(())
    }

    async fn update_initiative(&mut self, step: &InitiativeStep) -> Result<(), Failure> {
        let (objective, initiative) = step.name.split_once('/').unwrap_or_default();
        let state = enum_number(&step.state, "STATE_", api::initiative::State::from_str_name);
        let message = api::UpdateInitiativeRequest {
            initiative: Some(api::Initiative {
                name: format!("{}/initiatives/{initiative}", self.name("objectives", objective)),
                state: state.map_err(broken)?,
                done_count: step.done_count,
                ..api::Initiative::default()
            }),
            ..api::UpdateInitiativeRequest::default()
        };
        let request = self.by(&step.by, message);
        let answer = self.objectives.update_initiative(request).await;
        self.done("UpdateInitiative", answer).await
    }

    async fn check_in(
        &mut self,
        objective: &ObjectiveData,
        key_result: &KeyResultData,
        nth: usize,
    ) -> Result<(), Failure> {
        let objective_name = self.name("objectives", &objective.id);
        let message = api::CreateCheckInRequest {
            parent: format!("{objective_name}/keyResults/{}", key_result.id),
            check_in_id: format!("week-{}", objective.begins_in_week + nth + 1),
            check_in: Some(api::CheckIn {
                value: key_result.check_ins.get(nth).copied(),
                confidence: key_result.confidence.get(nth).copied(),
                ..api::CheckIn::default()
            }),
            ..api::CreateCheckInRequest::default()
        };
        let request = self.by(&objective.owner, message);
        let answer = self.objectives.create_check_in(request).await;
        self.done("CreateCheckIn", answer).await
    }

    /// The full name of something in the workspace; of nothing, nothing.
    fn name(&self, collection: &str, id: &str) -> String {
        if id.is_empty() {
            return String::new();
        }
        format!("{}/{collection}/{id}", self.workspace)
    }

    /// A request in somebody's name.
    fn by<T>(&self, member: &str, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Ok(actor) = self.story.principal(member).parse() {
            request.metadata_mut().insert("binnacle-actor", actor);
        }
        request
    }

    /// Remembers at which revision a call was done, and gives the reader time to see it.
    async fn done<T>(&mut self, call: &str, answer: Result<Response<T>, Status>) -> Result<(), Failure> {
        let answer = answer.map_err(|status| refused(call, &status))?;
        let revision = answer.metadata().get("binnacle-revision");
        let revision = revision.and_then(|revision| revision.to_str().ok()?.parse().ok());
        let missing = || failed(format!("{call} was answered without its revision"));
        self.revision = self.revision.max(revision.ok_or_else(missing)?);
        tokio::time::sleep(self.pause).await;
        Ok(())
    }
}

/// A call that the server refused.
pub(super) fn refused(call: &str, status: &Status) -> Failure {
    failed(format!(
        "{call} was refused ({}): {}",
        status.code(),
        status.message()
    ))
}

pub(super) fn failed(sentence: String) -> Failure {
    Failure::new(FailureKind::Failed, sentence)
}

/// A manifest that is part of the program says what it cannot.
fn broken(sentence: String) -> Failure {
    failed(sentence)
}

fn date(at: Timestamp) -> google_type::Date {
    let date = jiff::Timestamp::from_microsecond(at.as_micros())
        .map_or(Date::MIN, |at| jiff::tz::TimeZone::UTC.to_datetime(at).date());
    google_type::Date {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
    }
}

fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    let micros = at.as_micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1000).unwrap_or_default(),
    }
}
